// The search for the part of a value that cannot travel.
//
// The search runs only after the serializer has failed, or a payload has a trace of a lost object. It has to survive
// all reasons for that: cycles, depth, proxies, getters that throw or make new objects.

import { types } from '../util/builtins.js'
import { mapKeyStep, mapValueStep, memberStep, propertyStep } from './path.js'
import { isLeaf, refusedObject, refusedPrimitive } from './refusals.js'

/** A value that cannot travel. */
export interface Culprit {
  path: string
  /** The problem with the value, to follow the path in a sentence. */
  problem: string
}

/** Number of objects after which the search ends: a getter that makes new objects could keep it going for ever. */
const MOST_OBJECTS = 2_000_000
/** The serializer gives up between two and ten thousand levels, by the stack. From this depth on, depth may be why. */
const DEEP = 1000
/** From this depth on, depth is the problem: the search ends. */
const DEEPEST = 50_000
/** Elements of an array. A longer array is walked by the keys that it has. */
const LONGEST_BY_INDEX = 10_000_000
/** Elements of an array that was serialized. In a longer one, properties besides the elements are not examined. */
const LONGEST_WITH_EXTRAS = 10_000

/**
 * The first value in `root` that cannot travel, in the order of the serializer.
 *
 * `failed`: the serializer has failed. Then everything is examined, and depth itself is a problem. Otherwise the search
 * is only for values that V8 loses without an error.
 */
export function findCulprit(root: unknown, path: string, failed: boolean): Culprit | undefined {
  const seen = new Set<object>()
  const open: Container[] = []
  let deep: string | undefined
  // This throws nothing: reads of properties are guarded, and all else looks at internal slots.
  const problem = enter(root, seen, open, failed)
  if (problem !== undefined) return { path, problem }
  while (open.length > 0 && open.length < DEEPEST && seen.size < MOST_OBJECTS) {
    const container = open[open.length - 1]
    if (++container.at === container.size) {
      open.pop()
      continue
    }
    let problem: string | undefined
    try {
      problem = enter(container.read(), seen, open, failed)
    } catch {
      // If the serializer succeeded, the getter had not thrown then.
      if (failed) problem = 'threw an error when it was read'
    }
    // When there is a problem, `enter` has opened nothing: so the open containers are the way to the value.
    if (problem !== undefined) return { path: path + open.map((container) => container.step()).join(''), problem }
    // The outermost value is named: the path to the innermost would be longer than anyone reads.
    if (failed && open.length > DEEP) deep ??= path === 'args' ? path + open[0].step() : path
  }
  return deep === undefined ? undefined : { path: deep, problem: 'is too deeply nested' }
}

// Examines one value and opens it when it is a container that was not seen before. Returns the problem with the value.
function enter(value: unknown, seen: Set<object>, open: Container[], failed: boolean): string | undefined {
  if (typeof value !== 'object' || value === null) return refusedPrimitive(value)
  if (seen.has(value)) return undefined
  seen.add(value)
  const problem = refusedObject(value, failed)
  if (problem !== undefined) return problem
  const container = contain(value, failed)
  if (container !== undefined) open.push(container)
  return undefined
}

/** A container, and how far it has been walked. */
abstract class Container {
  /** The index of the present child. */
  at = -1
  readonly size: number

  constructor(size: number) {
    this.size = size
  }

  /** Reads the present child. Runs getters, so it may throw. */
  abstract read(): unknown
  /** The step of the path to the present child. */
  abstract step(): string
}

class Properties extends Container {
  readonly #target: Record<string, unknown>
  readonly #keys: string[]

  constructor(target: object, keys: string[]) {
    super(keys.length)
    this.#target = target as Record<string, unknown>
    this.#keys = keys
  }

  read(): unknown {
    return this.#target[this.#keys[this.at]]
  }

  step(): string {
    return propertyStep(this.#keys[this.at])
  }
}

class Elements extends Container {
  readonly #array: unknown[]

  constructor(array: unknown[]) {
    super(array.length)
    this.#array = array
  }

  read(): unknown {
    return this.#array[this.at]
  }

  step(): string {
    return `[${this.at}]`
  }
}

class Entries extends Container {
  /** Keys and values in turn. */
  readonly #items: unknown[]

  constructor(map: Map<unknown, unknown>) {
    // The built-in iterator: the serializer, too, ignores what a subclass makes of it.
    const items = [...Map.prototype.entries.call(map)].flat(1)
    super(items.length)
    this.#items = items
  }

  read(): unknown {
    return this.#items[this.at]
  }

  step(): string {
    const ordinal = this.at >> 1
    return this.at % 2 === 0 ? mapKeyStep(ordinal) : mapValueStep(this.#items[this.at - 1], ordinal)
  }
}

class Members extends Container {
  readonly #items: unknown[]

  constructor(set: Set<unknown>) {
    const items = [...Set.prototype.values.call(set)]
    super(items.length)
    this.#items = items
  }

  read(): unknown {
    return this.#items[this.at]
  }

  step(): string {
    return memberStep(this.at)
  }
}

/** The container for the content of an object, in the order of the serializer; undefined for a leaf. */
function contain(object: object, failed: boolean): Container | undefined {
  if (Array.isArray(object)) {
    const byKeys = failed || object.length <= LONGEST_WITH_EXTRAS || object.length > LONGEST_BY_INDEX
    return byKeys ? new Properties(object, Object.keys(object)) : new Elements(object)
  }
  if (Object.getPrototypeOf(object) !== Object.prototype || failed) {
    if (isLeaf(object) || object === process.env) return undefined
    if (types.isMap(object)) return new Entries(object)
    if (types.isSet(object)) return new Members(object)
    if (types.isNativeError(object)) return new Properties(object, ['name', 'message', 'cause', 'stack'])
  }
  return new Properties(object, Object.keys(object))
}
