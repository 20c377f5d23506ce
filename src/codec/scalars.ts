// Scalars, the hot path of small calls: a one-byte tag and the value, written straight into the outbox.
//
// The values are bit exact. Nothing is allocated but decoded values, and no user code runs.

import { Buffer } from '../util/globals.js'
import { CorruptPayload } from './corrupt.js'
import { LITTLE_ENDIAN, type EncodeBuffer } from './outbox.js'
import { viewOf } from './payload-view.js'
import { anyPlace, shortText } from './short-text.js'

const UNDEFINED = 0
const NULL = 1
const FALSE = 2
const TRUE = 3
export const INT32 = 4
export const DOUBLE = 5
const BIGINT64 = 6
export const SHORT_LATIN1 = 7
const LATIN1 = 8
const TWO_BYTE = 9
/**
 * The first tag that is no scalar's: higher tags belong to raw bytes (`bytes.ts`) and containers (`plain-format.ts`).
 */
export const FIRST_RAW_TAG = 16

/** Bytes of the widest scalar but strings, with its tag. */
const WIDEST = 9
/** Characters of a string up to which a loop is cheaper than a call into native code. */
const LOOP_LENGTH = 24
/** Bytes that a string may need besides two a character. */
const TEXT_HEAD = 5
/**
 * True for text that needs two bytes a character. V8 compiles this pattern to an immediate "no" for strings that it
 * stores with one byte a character: for these the test is free, whatever their length.
 */
const WIDE = /[^\x00-\xff]/

/** Writes one scalar at `at`. Returns the position behind it; -1 when the value is no scalar or does not fit. */
export function writeScalar(out: EncodeBuffer, at: number, value: unknown): number {
  const bytes = out.bytes
  if (at > bytes.length - WIDEST) return -1
  switch (typeof value) {
    case 'number':
      // The part in parentheses tells -0 from 0.
      if ((value | 0) === value && (value !== 0 || 1 / value > 0)) {
        bytes[at] = INT32
        out.view.setInt32(at + 1, value, LITTLE_ENDIAN)
        return at + 5
      }
      bytes[at] = DOUBLE
      out.view.setFloat64(at + 1, value, LITTLE_ENDIAN)
      return at + 9
    case 'string':
      return writeString(out, at, value)
    case 'boolean':
      bytes[at] = value ? TRUE : FALSE
      return at + 1
    case 'undefined':
      bytes[at] = UNDEFINED
      return at + 1
    case 'bigint':
      if (BigInt.asIntN(64, value) !== value) return -1
      bytes[at] = BIGINT64
      out.view.setBigInt64(at + 1, value, LITTLE_ENDIAN)
      return at + 9
    case 'object':
      if (value !== null) return -1
      bytes[at] = NULL
      return at + 1
    default:
      return -1
  }
}

/** Bytes that suffice for a scalar. */
export function roomFor(value: unknown): number {
  return typeof value === 'string' ? TEXT_HEAD + 2 * Math.max(value.length, LOOP_LENGTH) : WIDEST
}

/** Writes a string at `at`. Returns the position behind it; -1 when it does not fit. */
export function writeString(out: EncodeBuffer, at: number, text: string): number {
  const { bytes, view } = out
  const length = text.length
  if (length <= LOOP_LENGTH) {
    if (at + TEXT_HEAD + 2 * LOOP_LENGTH > bytes.length) return -1
    let wide = 0
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i)
      wide |= unit
      bytes[at + 2 + i] = unit
    }
    if (wide <= 0xff) {
      bytes[at] = SHORT_LATIN1
      bytes[at + 1] = length
      return at + 2 + length
    }
  } else if (at + TEXT_HEAD + length > bytes.length) {
    return -1
  } else if (!WIDE.test(text)) {
    bytes[at] = LATIN1
    view.setUint32(at + 1, length, LITTLE_ENDIAN)
    bytes.latin1Write(text, at + 5, length)
    return at + 5 + length
  }
  // Code units as they are: UTF-8 would lose lone surrogates.
  if (at + TEXT_HEAD + 2 * length > bytes.length) return -1
  bytes[at] = TWO_BYTE
  view.setUint32(at + 1, 2 * length, LITTLE_ENDIAN)
  bytes.ucs2Write(text, at + 5, 2 * length)
  return at + 5 + 2 * length
}

/** Writes scalars from `at` on. Returns the position behind the last; -1 when one of them cannot be written. */
export function writeScalars(out: EncodeBuffer, at: number, values: readonly unknown[]): number {
  for (let i = 0; i < values.length && at >= 0; i++) at = writeScalar(out, at, values[i])
  return at
}

type Slice = (this: Uint8Array, start: number, end: number) => string
// Taken from the prototype, because a payload need not be a Buffer.
const { latin1Slice, ucs2Slice } = Buffer.prototype as Buffer & { latin1Slice: Slice; ucs2Slice: Slice }

/** The position behind the scalar that `readScalar` has read last. */
let cursor = 0

/** Reads the scalar at `at`, which must be below `end`. `scalarEnd()` then returns the position behind it. */
export function readScalar(bytes: Uint8Array, at: number, end: number): unknown {
  switch (bytes[at]) {
    case UNDEFINED:
      cursor = at + 1
      return undefined
    case NULL:
      cursor = at + 1
      return null
    case FALSE:
      cursor = at + 1
      return false
    case TRUE:
      cursor = at + 1
      return true
    case INT32:
      pass(at, 4, end)
      return int32At(bytes, at + 1)
    case DOUBLE:
      pass(at, 8, end)
      return viewOf(bytes).getFloat64(at + 1, LITTLE_ENDIAN)
    case BIGINT64:
      pass(at, 8, end)
      return viewOf(bytes).getBigInt64(at + 1, LITTLE_ENDIAN)
    case SHORT_LATIN1: {
      cursor = at + 2 + bytes[at + 1]
      // Refuses a length byte beyond the end as well: that byte is undefined, and the comparison with NaN is false.
      if (!(cursor <= end)) throw new CorruptPayload('a string is longer than its payload')
      return shortText(bytes, at + 2, cursor, anyPlace)
    }
    case LATIN1: {
      const start = textStart(bytes, at, end)
      return latin1Slice.call(bytes, start, cursor)
    }
    case TWO_BYTE: {
      const start = textStart(bytes, at, end)
      return ucs2Slice.call(bytes, start, cursor)
    }
    default:
      throw new CorruptPayload(`no scalar has the tag ${bytes[at]}`)
  }
}

/** The position behind the scalar that was read last. */
export function scalarEnd(): number {
  return cursor
}

/** Byte by byte: small calls need no view then. */
function int32At(bytes: Uint8Array, at: number): number {
  return LITTLE_ENDIAN
    ? bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)
    : bytes[at + 3] | (bytes[at + 2] << 8) | (bytes[at + 1] << 16) | (bytes[at] << 24)
}

function pass(at: number, size: number, end: number): void {
  cursor = at + 1 + size
  if (cursor > end) throw new CorruptPayload('a number is longer than its payload')
}

function textStart(bytes: Uint8Array, at: number, end: number): number {
  pass(at, 4, end)
  const start = cursor
  cursor += viewOf(bytes).getUint32(at + 1, LITTLE_ENDIAN)
  if (cursor > end) throw new CorruptPayload('a string is longer than its payload')
  return start
}

/** Reads scalars up to `end`. */
export function readScalars(bytes: Uint8Array, at: number, end: number): unknown[] {
  const values: unknown[] = []
  while (at < end) {
    values.push(readScalar(bytes, at, end))
    at = cursor
  }
  return values
}
