// Stand-ins for values of which a part has been read: what V8 gets when the encoder for plain data has given up after
// accessors may have run.
//
// A stand-in consists of data: what was read, as the payload up to there has it, and what is read now, in the order of
// V8's serializer. So each accessor runs once, and V8 serializes what the accessor has returned. Objects that V8 writes
// without reading their properties stand for themselves, as does what V8 refuses, and an error, which V8 reads in its
// own way.

import { types } from '../util/builtins.js'
import { ARRAY, BUFFER_BYTES, DATE, EMPTY_OBJECT, FIRST_SHAPE, REFERENCE, SHAPED } from './plain-format.js'
import { FIRST_RAW_TAG, readScalar, scalarEnd } from './scalars.js'
import { isPlatformObject } from './host-objects.js'
import { isLeaf } from './refusals.js'
import type { WrittenShape } from './written-shapes.js'
import { LITTLE_ENDIAN } from './outbox.js'
import { viewOf } from './payload-view.js'

/** What was read. */
export interface ReadLog {
  /** The payload up to the value for which it was given up. */
  readonly bytes: Uint8Array
  /** The objects by their numbers in the payload. */
  readonly objects: readonly object[]
  readonly shapes: readonly WrittenShape[]
  /** The value that was read last, if it is not in the payload. */
  readonly rest: unknown[]
}

/** The stand-in for `value`. Runs accessors, and throws what they throw. */
export function standInFor(value: unknown, log: ReadLog): unknown {
  return new Reader(log).begin(value)
}

const { getPrototypeOf, hasOwn, keys: keysOf } = Object

class Reader {
  readonly #log: ReadLog
  /** The position in the payload, and the number of the next object there. */
  #at = 1
  #number = 0
  /** The number of elements, or the keys, of the object that was taken last, as they were then. */
  #content: number | readonly string[] | undefined
  readonly #standIns = new Map<object, object>()

  constructor(log: ReadLog) {
    this.#log = log
  }

  begin(value: unknown): unknown {
    return this.#isLogged() ? this.#copyTaken() : this.#copy(value)
  }

  #isLogged(): boolean {
    return this.#at < this.#log.bytes.length || this.#log.rest.length > 0
  }

  /** The next value that was read. */
  #take(): unknown {
    const { bytes, objects, shapes, rest } = this.#log
    this.#content = undefined
    if (this.#at === bytes.length) return rest.pop()
    const tag = bytes[this.#at]
    if (tag < FIRST_RAW_TAG) {
      const value = readScalar(bytes, this.#at, bytes.length)
      this.#at = scalarEnd()
      return value
    }
    this.#at++
    switch (tag) {
      case REFERENCE:
        return objects[this.#takeNumber()]
      case ARRAY:
        this.#content = this.#takeNumber()
        break
      case BUFFER_BYTES: {
        const size = this.#takeNumber()
        this.#at += size
        break
      }
      case DATE:
        this.#at += 8
        break
      case EMPTY_OBJECT:
        this.#content = []
        break
      default:
        this.#content = shapes[tag === SHAPED ? this.#takeNumber() : tag - FIRST_SHAPE].keys
    }
    return objects[this.#number++]
  }

  #takeNumber(): number {
    this.#at += 4
    return viewOf(this.#log.bytes).getUint32(this.#at - 4, LITTLE_ENDIAN)
  }

  #copyTaken(): unknown {
    const value = this.#take()
    return this.#copy(value, this.#content)
  }

  #copy(value: unknown, content?: number | readonly string[]): unknown {
    if (typeof value !== 'object' || value === null || types.isProxy(value)) return value
    const known = this.#standIns.get(value)
    if (known !== undefined) return known
    if (isOpaque(value)) return value
    if (Array.isArray(value)) return this.#copyArray(value, content as number | undefined)
    if (types.isMap(value)) return this.#copyMap(value)
    if (types.isSet(value)) return this.#copySet(value)
    const keys = (content as readonly string[] | undefined) ?? keysOf(value)
    // There is nothing to read, and V8 may refuse the object because of its class.
    if (keys.length === 0 || isPlatformObject(value)) return value
    const standIn = this.#stand(value, Object.create(getPrototypeOf(value)))
    this.#copyProperties(value, standIn, keys)
    return standIn
  }

  #stand<T extends object>(value: object, standIn: T): T {
    this.#standIns.set(value, standIn)
    return standIn
  }

  // V8 takes the keys at first, and leaves out properties that have gone when their turn comes.
  #copyProperties(from: object, to: object, keys: readonly string[]): void {
    for (const key of keys) {
      if (this.#isLogged()) define(to, key, this.#copyTaken())
      else if (hasOwn(from, key)) define(to, key, this.#copy((from as Record<string, unknown>)[key]))
    }
  }

  // V8 writes the elements, and then the properties that the array has besides; but an array with holes, accessors or
  // hidden elements like any object.
  #copyArray(array: unknown[], logged: number | undefined): unknown[] {
    const length = logged ?? array.length
    const standIn = this.#stand<unknown[]>(array, Object.setPrototypeOf([], getPrototypeOf(array)))
    standIn.length = length
    const keys = keysOf(array)
    const isLikeObject = !hasElementsOnly(array, keys)
    if (isLikeObject && logged === undefined) {
      this.#copyProperties(array, standIn, keys)
      return standIn
    }
    for (let i = 0; i < length; i++) {
      if (this.#isLogged()) define(standIn, String(i), this.#copyTaken())
      else if (hasOwn(array, i)) define(standIn, String(i), this.#copy(array[i]))
    }
    // With more to come from the payload, there were no others.
    if (!isLikeObject && !this.#isLogged()) this.#copyProperties(array, standIn, keysOf(array).filter(isNoIndex))
    return standIn
  }

  // The entries are those at the beginning, whatever an accessor adds.
  #copyMap(map: Map<unknown, unknown>): Map<unknown, unknown> {
    const standIn = this.#stand<Map<unknown, unknown>>(map, new Map())
    const entries = [...Map.prototype.entries.call(map)].map(([key, value]) => [this.#copy(key), this.#copy(value)])
    for (const [key, value] of entries) standIn.set(key, value)
    return standIn
  }

  #copySet(set: Set<unknown>): Set<unknown> {
    const standIn = this.#stand<Set<unknown>>(set, new Set())
    const members = [...Set.prototype.values.call(set)]
    for (const member of members) standIn.add(this.#copy(member))
    return standIn
  }
}

function define(object: object, key: string, value: unknown): void {
  const attributes = { __proto__: null, value, writable: true, enumerable: true, configurable: true }
  Object.defineProperty(object, key, attributes as PropertyDescriptor)
}

function isNoIndex(key: string): boolean {
  return !(Number(key) < 2 ** 32 - 1 && String(Number(key) >>> 0) === key)
}

/** Whether all elements are there, and are data. Indices come first in the keys. */
function hasElementsOnly(array: unknown[], keys: readonly string[]): boolean {
  const { length } = array
  if (keys.length < length || (length > 0 && keys[length - 1] !== String(length - 1))) return false
  return keys.slice(0, length).every((key) => hasOwn(Object.getOwnPropertyDescriptor(array, key)!, 'value'))
}

/** Whether V8 reads no property of an object, or refuses the object. */
function isOpaque(object: object): boolean {
  return (
    isLeaf(object) ||
    types.isNativeError(object) ||
    types.isArgumentsObject(object) ||
    types.isPromise(object) ||
    types.isWeakMap(object) ||
    types.isWeakSet(object) ||
    types.isGeneratorObject(object) ||
    types.isMapIterator(object) ||
    types.isSetIterator(object) ||
    types.isModuleNamespaceObject(object) ||
    types.isSharedArrayBuffer(object) ||
    types.isExternal(object) ||
    object === process.env ||
    object === globalThis
  )
}
