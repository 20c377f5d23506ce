// Finds the value that cannot travel. It runs only after the serializer has failed, or has left a trace of a lost
// object, and has to survive whatever made that happen: cycles, depth, proxies, getters that throw or make up new
// objects.

import { types } from '../util/builtins.js'
import { mapKeyStep, mapValueStep, memberStep, propertyStep } from './path.js'
import { isLeaf, refusedObject, refusedPrimitive } from './refusals.js'

/** A value that cannot travel. */
export interface Culprit {
  path: string
  /** What is wrong with it, to follow the path in a sentence. */
  problem: string
}

/** More objects than this are not looked at: a getter that makes up new ones could go on for ever. */
const MOST_OBJECTS = 2_000_000
/**
 * The serializer gives up between two and ten thousand levels, as the stack allows: this deep, depth may be the reason,
 */
const DEEP = 1000
/** and this deep it is. */
const DEEPEST = 50_000
/** Longer arrays are walked by the keys that they have. */
const LONGEST_BY_INDEX = 10_000_000
/** In longer arrays that could be serialized, further properties beside the elements are not looked at. */
const LONGEST_WITH_EXTRAS = 10_000

/**
 * The first value in `root`, in the order of the serializer, that cannot travel.
 *
 * `failed` says that serializing did fail: then everything is looked at, and depth itself is a reason. Otherwise only
 * what V8 loses in silence is of interest.
 */
export function findCulprit(root: unknown, path: string, failed: boolean): Culprit | undefined {
  const seen = new Set<object>()
  const open: Container[] = []
  let deep: string | undefined
  // Throws nothing: what reads a property is guarded, and everything else looks at internal slots.
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
      // Where serializing succeeded, the getter had not thrown.
      if (failed) problem = 'threw an error when it was read'
    }
    // `enter` opened nothing when there is a problem, so the open containers are the way to it.
    if (problem !== undefined) return { path: path + open.map((container) => container.step()).join(''), problem }
    // The outermost value is named, not the innermost: its path would be longer than anyone reads.
    if (failed && open.length > DEEP) deep ??= path === 'args' ? path + open[0].step() : path
  }
  return deep === undefined ? undefined : { path: deep, problem: 'is too deeply nested' }
}

// Looks at one value and opens it when it is a container that was not seen before; says what is wrong with it.
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

/** A container and how far it has been walked. */
abstract class Container {
  /** The current child. */
  at = -1
  readonly size: number

  constructor(size: number) {
    this.size = size
  }

  /** Reads the current child; runs getters, so it may throw. */
  abstract read(): unknown
  /** The step of the path to the current child. */
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
    // The built-in iterator, as the serializer does not look at what a subclass makes of it.
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

/** What is inside an object, in the order of the serializer; undefined for a leaf. */
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
