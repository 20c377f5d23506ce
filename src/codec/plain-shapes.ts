// Shapes: the keys of an object in their order. A payload has each of its shapes once.
//
// Both sides remember recent shapes: the encoder their bytes by their keys, the decoder their keys by their bytes.
//
// Layout: u32 hash of the rest; u16 bytes of the keys; u16 number of keys; the keys as scalars.

import { CorruptPayload } from './corrupt.js'
import { LITTLE_ENDIAN, EncodeBuffer } from './outbox.js'
import { readScalar, scalarEnd, writeScalar } from './scalars.js'

const HEAD = 8
/** Bytes of a shape. Objects with longer keys are dictionaries rather than records, and are left to V8. */
const LONGEST = 4096
/**
 * Sets of each table. A set has two places: a shape that is used moves to the first, and the former first to the
 * second.
 */
const SETS = 256

// ---- Encoder --------------------------------------------------------------------------------------------------------

export interface WrittenShape {
  readonly keys: readonly string[]
  readonly bytes: Uint8Array
  /** The payload that had this shape last, and the shape's number there. */
  payload: number
  number: number
}

const written: (WrittenShape | undefined)[] = new Array(2 * SETS).fill(undefined)
const draft = new EncodeBuffer(LONGEST)

/** The shape of an object with these keys (at least one); undefined when the keys are too long. */
export function shapeOf(keys: readonly string[]): WrittenShape | undefined {
  const first = keys[0]
  const last = keys[keys.length - 1]
  const mix = 31 * (31 * keys.length + first.length + last.length) + first.charCodeAt(0)
  const at = 2 * ((31 * mix + last.charCodeAt(0) + last.charCodeAt(last.length - 1)) & (SETS - 1))
  const shape = written[at]
  if (shape !== undefined && sameKeys(shape.keys, keys)) return shape
  const other = written[at + 1]
  const found = other !== undefined && sameKeys(other.keys, keys) ? other : writeShape(keys)
  if (found !== undefined) {
    written[at + 1] = shape
    written[at] = found
  }
  return found
}

function sameKeys(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i]) return false
  }
  return true
}

function writeShape(keys: readonly string[]): WrittenShape | undefined {
  // Each key takes at least two bytes.
  if (2 * keys.length > LONGEST - HEAD) return undefined
  let at = HEAD
  for (const key of keys) {
    at = writeScalar(draft, at, key)
    if (at < 0) return undefined
  }
  let hash = at
  for (let i = HEAD; i < at; i++) hash = Math.imul(hash ^ draft.bytes[i], 0x01000193)
  draft.view.setUint32(0, hash ^ (hash >>> 15), LITTLE_ENDIAN)
  draft.view.setUint16(4, at - HEAD, LITTLE_ENDIAN)
  draft.view.setUint16(6, keys.length, LITTLE_ENDIAN)
  return { keys, bytes: new Uint8Array(draft.bytes.subarray(0, at)), payload: 0, number: 0 }
}

// ---- Decoder --------------------------------------------------------------------------------------------------------

export interface ReadShape {
  readonly bytes: Uint8Array
  readonly keys: readonly string[]
  /** Makes an empty object for these keys: objects of one shape get one hidden class, with room for all keys. */
  readonly Empty: new () => Record<string, unknown>
  /** Whether assigning a property does the same as defining it; true or false for the present payload only. */
  isAssignable: boolean
}

const read: (ReadShape | undefined)[] = new Array(2 * SETS).fill(undefined)

/** The shape at `start`. It takes as many bytes as its `bytes` have. */
export function readShape(bytes: Uint8Array, start: number, end: number): ReadShape {
  const at = 2 * (bytes[start] & (SETS - 1))
  const shape = read[at]
  if (shape !== undefined && matches(shape.bytes, bytes, start, end)) return shape
  const other = read[at + 1]
  const found = other !== undefined && matches(other.bytes, bytes, start, end) ? other : parseShape(bytes, start, end)
  read[at + 1] = shape
  read[at] = found
  return found
}

function matches(known: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (known.length > end - start) return false
  for (let i = 0; i < known.length; i++) {
    if (known[i] !== bytes[start + i]) return false
  }
  return true
}

function parseShape(bytes: Uint8Array, start: number, end: number): ReadShape {
  if (HEAD > end - start) throw new CorruptPayload('a shape is longer than its payload')
  const head = new DataView(bytes.buffer, bytes.byteOffset + start, HEAD)
  const stop = start + HEAD + head.getUint16(4, LITTLE_ENDIAN)
  const count = head.getUint16(6, LITTLE_ENDIAN)
  if (stop > end || count === 0) throw new CorruptPayload('a shape is longer than its payload, or has no keys')
  const sample: Record<string, null> = Object.create(null)
  const keys: unknown[] = []
  let at = start + HEAD
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
  return { bytes: new Uint8Array(bytes.subarray(start, stop)), keys: stored, Empty, isAssignable: false }
}
