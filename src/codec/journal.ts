// The journal of a chunk: the outcomes of its items, one behind the other.
//
// A scalar is as in `scalars.ts`: its tag tells it from the others. Everything else is a byte, `BLOCK + codec`, the
// length of the payload in 4 bytes, and the payload, encoded as the result of a call. The last outcome may be longer
// than the journal: then its length is `REST`, and its payload is what follows.

import { SerializationError, type TaskExitError } from '../errors/index.js'
import { CorruptPayload } from './corrupt.js'
import type { ErrorOrigin } from './error-rebuild.js'
import { ERROR, EXIT, SCALARS } from './ids.js'
import { decodeError, decodeResult } from './index.js'
import { type EncodeBuffer, LITTLE_ENDIAN, type Outbox } from './outbox.js'
import { leaveOutbox } from './plain-encode.js'
import { FIRST_RAW_TAG, readScalar, scalarEnd, writeScalar } from './scalars.js'
import { undecodable } from './serialization-error.js'

/** Above the tags of scalars. */
const BLOCK = 0x20

/** Bytes in front of a payload. */
export const HEAD_BYTES = 5

/** In place of a length. */
const REST = 0xffff_ffff

/** Encodes that an item has called `process.exit()`. */
export function encodeExit(code: number, out: Outbox): void {
  leaveOutbox(out)
  out.codec = EXIT
  out.length = writeScalar(out, 0, code)
  out.tail = undefined
}

/** Bytes of the outcome that an outbox holds. */
export function outcomeBytes({ length, tail }: Outbox): number {
  return HEAD_BYTES + length + (tail?.byteLength ?? 0)
}

/** Writes the outcome that an outbox holds. Returns the position behind. There must be room. */
export function writeOutcome(journal: EncodeBuffer, at: number, out: Outbox): number {
  const { length, tail } = out
  const start = writeHead(journal, at, out.codec, length + (tail?.byteLength ?? 0))
  journal.bytes.set(out.bytes.subarray(0, length), start)
  if (tail === undefined) return start + length
  journal.bytes.set(tail, start + length)
  return start + length + tail.byteLength
}

/** Writes the head of a last outcome, whose payload follows the journal. Returns the position behind. */
export function writeRest(journal: EncodeBuffer, at: number, out: Outbox): number {
  return writeHead(journal, at, out.codec, REST)
}

function writeHead(journal: EncodeBuffer, at: number, codec: number, length: number): number {
  journal.bytes[at] = BLOCK + codec
  journal.view.setUint32(at + 1, length, LITTLE_ENDIAN)
  return at + HEAD_BYTES
}

/** The outcomes of the first items of a chunk. */
export interface Outcomes {
  /** The value of each item; `undefined` for a failed item. */
  values: unknown[]
  /** The errors of failed items. */
  errors: Map<number, unknown> | undefined
}

/**
 * Reads the outcomes of up to `limit` items. Never throws: an outcome that is damaged is a `SerializationError`. Where
 * the next one begins is not known then, nor how many items have run: so the damage is the error of all that follow.
 *
 * @param exited - Makes the error of an item that has called `process.exit()`.
 */
export function readOutcomes(
  bytes: Uint8Array,
  limit: number,
  origin: ErrorOrigin,
  exited: (code: unknown) => TaskExitError,
): Outcomes {
  const values: unknown[] = []
  let errors: Map<number, unknown> | undefined
  const end = bytes.byteLength
  for (let at = 0; at < end && values.length < limit;) {
    try {
      const tag = bytes[at]!
      if (tag < FIRST_RAW_TAG) {
        const value = readScalar(bytes, at, end)
        at = scalarEnd()
        values.push(value)
        continue
      }
      const start = at + HEAD_BYTES
      if (tag < BLOCK || start > end) throw new CorruptPayload('an outcome of a chunk has no head')
      const length = lengthOf(bytes, at)
      at = length === REST ? end : start + length
      if (at > end) throw new CorruptPayload('an outcome of a chunk is longer than its payload')
      const codec = tag - BLOCK
      if (codec === ERROR || codec === EXIT) {
        const error =
          codec === ERROR
            ? decodeError(codec, bytes.subarray(start, at), origin)
            : exited(decodeResult(SCALARS, bytes, false, start, at))
        ;(errors ??= new Map()).set(values.length, error)
        values.push(undefined)
      } else {
        values.push(decodeResult(codec, bytes, false, start, at))
      }
    } catch (error) {
      const isWhole = error instanceof SerializationError
      const damage = isWhole ? error : undecodable('result', error)
      const to = isWhole ? values.length + 1 : limit
      errors = addDamage(values, errors, to, damage)
    }
  }
  return { values, errors }
}

/** The outcomes of items up to `to` are lost by damage. */
export function addDamage(
  values: unknown[],
  errors: Map<number, unknown> = new Map(),
  to: number,
  damage: unknown,
): Map<number, unknown> {
  while (values.length < to) {
    errors.set(values.length, damage)
    values.push(undefined)
  }
  return errors
}

function lengthOf(bytes: Uint8Array, at: number): number {
  const [a, b, c, d] = [bytes[at + 1]!, bytes[at + 2]!, bytes[at + 3]!, bytes[at + 4]!]
  return LITTLE_ENDIAN ? (a | (b << 8) | (c << 16) | (d << 24)) >>> 0 : (d | (c << 8) | (b << 16) | (a << 24)) >>> 0
}
