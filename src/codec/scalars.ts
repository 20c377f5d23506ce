// The hot path of small calls: scalars behind a one-byte tag, written straight into the outbox. Bit exact, no
// allocation but the decoded values, and no user code runs.

import { CorruptPayload } from './corrupt.js'
import { LITTLE_ENDIAN, type EncodeBuffer } from './outbox.js'
import { shortText } from './short-text.js'

const UNDEFINED = 0
const NULL = 1
const FALSE = 2
const TRUE = 3
const INT32 = 4
const DOUBLE = 5
const BIGINT64 = 6
const SHORT_LATIN1 = 7
const LATIN1 = 8
const TWO_BYTE = 9
/** Tags from here on belong to raw bytes (`bytes.ts`) and to containers (`plain-format.ts`). */
export const FIRST_RAW_TAG = 16

/** No scalar but a string needs more than this, its tag included. */
const WIDEST = 9
/** Up to here a loop over the characters is cheaper than a call into native code. */
const LOOP_LENGTH = 24
/** What a string may need beside two bytes a character. */
const TEXT_HEAD = 5
/**
 * True for text that needs two bytes a character. V8 compiles this pattern to an immediate "no" for strings that it
 * stores one byte a character, so it costs nothing for them however long they are.
 */
const WIDE = /[^\x00-\xff]/

/** Writes one scalar at `at`; returns the position behind it, or -1 when it is none or does not fit. */
export function writeScalar(out: EncodeBuffer, at: number, value: unknown): number {
  const bytes = out.bytes
  if (at > bytes.length - WIDEST) return -1
  switch (typeof value) {
    case 'number':
      // The second half tells -0 from 0.
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

/** With so much room a scalar that can be written at all is written. */
export function roomFor(value: unknown): number {
  return typeof value === 'string' ? TEXT_HEAD + 2 * Math.max(value.length, LOOP_LENGTH) : WIDEST
}

function writeString(out: EncodeBuffer, at: number, text: string): number {
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

/** Writes all of them from `at` on; returns the position behind the last, or -1 when one cannot be written. */
export function writeScalars(out: EncodeBuffer, at: number, values: readonly unknown[]): number {
  for (let i = 0; i < values.length && at >= 0; i++) at = writeScalar(out, at, values[i])
  return at
}

type Slice = (this: Uint8Array, start: number, end: number) => string
// Taken from the prototype, since payloads need not be Buffers.
const { latin1Slice, ucs2Slice } = Buffer.prototype as Buffer & { latin1Slice: Slice; ucs2Slice: Slice }

// Wide numbers are put together here: a DataView over the payload would be an allocation for each.
const wide = new DataView(new ArrayBuffer(8))
const wideBytes = new Uint8Array(wide.buffer)

/** Where the scalar that `readScalar` returned last ended. */
let cursor = 0

/** Reads the scalar at `at`, which must be below `end`. Its end is `scalarEnd()` then. */
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
      load(bytes, at, 4, end)
      return wide.getInt32(0, LITTLE_ENDIAN)
    case DOUBLE:
      load(bytes, at, 8, end)
      return wide.getFloat64(0, LITTLE_ENDIAN)
    case BIGINT64:
      load(bytes, at, 8, end)
      return wide.getBigInt64(0, LITTLE_ENDIAN)
    case SHORT_LATIN1: {
      cursor = at + 2 + bytes[at + 1]
      // Written so that it also refuses a length byte beyond the end, which reads as undefined.
      if (!(cursor <= end)) throw new CorruptPayload('a string is longer than its payload')
      return shortText(bytes, at + 2, cursor)
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

/** The position behind the scalar read last. */
export function scalarEnd(): number {
  return cursor
}

function load(bytes: Uint8Array, at: number, size: number, end: number): void {
  cursor = at + 1 + size
  if (cursor > end) throw new CorruptPayload('a number is longer than its payload')
  for (let i = 0; i < size; i++) wideBytes[i] = bytes[at + 1 + i]
}

function textStart(bytes: Uint8Array, at: number, end: number): number {
  load(bytes, at, 4, end)
  const start = cursor
  cursor += wide.getUint32(0, LITTLE_ENDIAN)
  if (cursor > end) throw new CorruptPayload('a string is longer than its payload')
  return start
}

/** Reads scalars until `end`. */
export function readScalars(bytes: Uint8Array, at: number, end: number): unknown[] {
  const values: unknown[] = []
  while (at < end) {
    values.push(readScalar(bytes, at, end))
    at = cursor
  }
  return values
}
