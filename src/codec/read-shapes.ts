// Shapes on the receiving side: known by their bytes, with their keys.

import { CorruptPayload } from './corrupt.js'
import { LITTLE_ENDIAN } from './outbox.js'
import { viewOf } from './payload-view.js'
import { LONGEST_LIST, SHAPE_HEAD, SHAPES_END } from './plain-format.js'
import { readScalar, scalarEnd } from './scalars.js'
import { type CodeOwner, CodeTable } from './shape-code.js'

/** Makes an object of one shape from the values that come next. */
export type ShapeReader = (depth: number) => object

export interface ReadShape extends CodeOwner {
  readonly bytes: Uint8Array
  readonly keys: readonly string[]
  /** Makes an empty object for these keys: objects of one shape get one hidden class, with room for all keys. */
  readonly Empty: new () => Record<string, unknown>
  code: ShapeReader | undefined
  /** The payload for which `isAssignable` holds: whether assigning a property does the same as defining it. */
  payload: number
  isAssignable: boolean
}

/** The shapes that have code. */
export const readers = new CodeTable()

/** Sets of the tables. The first place of a set has what was used last, the second what was used before. */
const SETS = 256
const LIST_SETS = 32
const read: (ReadShape | undefined)[] = new Array(2 * SETS).fill(undefined)

interface ShapeList {
  readonly bytes: Uint8Array
  /** The same memory; the last bytes may make no whole word. */
  readonly words: Int32Array
  readonly shapes: readonly ReadShape[]
}

const lists: (ShapeList | undefined)[] = new Array(2 * LIST_SETS).fill(undefined)

/** The bytes of the shapes that `shapesAt` has found last, with what stands behind them. */
let foundBytes = 0

export function shapesLength(): number {
  return foundBytes
}

/** The shapes at the end of `bytes[start..end)`. `shapesLength()` tells how many bytes they take. */
export function shapesAt(bytes: Uint8Array, start: number, end: number): readonly ReadShape[] {
  const hashAt = end - SHAPES_END
  if (hashAt < start) throw new CorruptPayload('the payload ends within its shapes')
  const length = viewOf(bytes).getUint32(hashAt + 4, LITTLE_ENDIAN)
  const first = hashAt - length
  if (first < start) throw new CorruptPayload('the shapes are longer than their payload')
  foundBytes = length + SHAPES_END
  const at = 2 * (bytes[hashAt] & (LIST_SETS - 1))
  const list = lists[at]
  if (list !== undefined && isList(list, bytes, first, end)) return list.shapes
  const other = lists[at + 1]
  const found = other !== undefined && isList(other, bytes, first, end) ? other : parse(bytes, first, end)
  // Long lists are the exception, and would fill the table with much memory.
  if (found.bytes.length <= LONGEST_LIST) {
    lists[at + 1] = list
    lists[at] = found
  }
  return found.shapes
}

function parse(bytes: Uint8Array, start: number, end: number): ShapeList {
  const shapes: ReadShape[] = []
  const stop = end - SHAPES_END
  for (let at = start; at < stop;) {
    const shape = readShape(bytes, at, stop)
    shapes.push(shape)
    at += shape.bytes.length
  }
  const own = new Uint8Array(bytes.subarray(start, end))
  return { bytes: own, words: new Int32Array(own.buffer, 0, own.length >> 2), shapes }
}

function isList({ bytes: known, words }: ShapeList, bytes: Uint8Array, start: number, end: number): boolean {
  if (known.length !== end - start) return false
  const view = viewOf(bytes)
  let i = 0
  // The words are read in the order of this machine on both sides.
  for (; i < words.length; i++) {
    if (words[i] !== view.getInt32(start + 4 * i, LITTLE_ENDIAN)) return false
  }
  for (i *= 4; i < known.length; i++) {
    if (known[i] !== bytes[start + i]) return false
  }
  return true
}

/** Whether `known` stands at `start`, and ends at or before `end`. */
function matches(known: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (known.length > end - start) return false
  for (let i = 0; i < known.length; i++) {
    if (known[i] !== bytes[start + i]) return false
  }
  return true
}

function readShape(bytes: Uint8Array, start: number, end: number): ReadShape {
  const at = 2 * (bytes[start] & (SETS - 1))
  const shape = read[at]
  if (shape !== undefined && matches(shape.bytes, bytes, start, end)) return shape
  const other = read[at + 1]
  const found = other !== undefined && matches(other.bytes, bytes, start, end) ? other : parseShape(bytes, start, end)
  read[at + 1] = shape
  read[at] = found
  return found
}

function parseShape(bytes: Uint8Array, start: number, end: number): ReadShape {
  if (SHAPE_HEAD > end - start) throw new CorruptPayload('a shape is longer than its payload')
  const view = viewOf(bytes)
  const stop = start + SHAPE_HEAD + view.getUint16(start + 4, LITTLE_ENDIAN)
  const count = view.getUint16(start + 6, LITTLE_ENDIAN)
  if (stop > end || count === 0) throw new CorruptPayload('a shape is longer than its payload, or has no keys')
  const sample: Record<string, null> = Object.create(null)
  const keys: unknown[] = []
  let at = start + SHAPE_HEAD
  while (at < stop) {
    const key = readScalar(bytes, at, stop)
    if (typeof key !== 'string') throw new CorruptPayload('a key is no string')
    at = scalarEnd()
    keys.push(key)
    sample[key] = null
  }
  // `stored` has the strings that V8 uses as keys, which are the quickest to set. An object has its keys in this order.
  const stored = Object.keys(sample)
  if (keys.length !== count || stored.length !== count || !stored.every((key, i) => key === keys[i])) {
    throw new CorruptPayload('the keys of a shape are not those of an object')
  }
  // eslint-disable-next-line unicorn/consistent-function-scoping -- One for each shape is the point.
  const Empty = function () {} as unknown as ReadShape['Empty']
  Empty.prototype = Object.prototype
  const own = new Uint8Array(bytes.subarray(start, stop))
  return {
    bytes: own,
    keys: stored,
    Empty,
    met: 0,
    penalty: 0,
    code: undefined,
    payload: 0,
    isAssignable: false,
  }
}
