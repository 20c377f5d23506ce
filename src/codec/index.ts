// Values to bytes and back.
//
// A value arrives equal to its structured clone. A value that cannot is refused, with an error that names the path of
// the part that cannot travel. The codecs are in `ids.ts`.

import { decodeBytes, decodeHeadAndContent, decodeRaw, encodeBytes, encodeRaw } from './bytes.js'
import { CorruptPayload } from './corrupt.js'
import { describeThrown } from './error-describe.js'
import { type ErrorOrigin, rebuildThrown } from './error-rebuild.js'
import { mayHideHostObject } from './host-objects.js'
import { BYTES, ERROR, PLAIN, RAW, SCALARS, V8 } from './ids.js'
import type { Outbox } from './outbox.js'
import { decodePlain } from './plain-decode.js'
import { encodePlain, leaveOutbox, takeRemainder } from './plain-encode.js'
import { readScalar, readScalars, scalarEnd, writeScalar, writeScalars } from './scalars.js'
import { lostValue, ROOTS, type Stage, undecodable, unencodable } from './serialization-error.js'
import { findCulprit } from './uncloneable.js'
import { deserialize, serialize } from './v8.js'

export type { ErrorOrigin } from './error-rebuild.js'
export { declareLocal } from './host-objects.js'
export { Outbox } from './outbox.js'

/**
 * Encodes the arguments of a call. Throws a `SerializationError` with
 * the path of the part that cannot travel: `args[0].x`.
 */
export function encodeArguments(args: readonly unknown[], out: Outbox): void {
  leaveOutbox(out)
  const length = writeScalars(out, 0, args)
  if (length >= 0) {
    out.codec = SCALARS
    out.length = length
    out.tail = undefined
    return
  }
  try {
    if (args.length === 1 ? encodeRaw(args[0], out) : encodeBytes(args, out)) return
  } catch (error) {
    throw unencodable('arguments', args, error)
  }
  encodeObject(args, 'arguments', out)
}

/** Encodes the result of a call. Throws a `SerializationError` with the path of the part that cannot travel. */
export function encodeResult(value: unknown, out: Outbox): void {
  leaveOutbox(out)
  const length = writeScalar(out, 0, value)
  if (length >= 0) {
    out.codec = SCALARS
    out.length = length
    out.tail = undefined
    return
  }
  try {
    if (encodeRaw(value, out)) return
  } catch (error) {
    throw unencodable('result', value, error)
  }
  encodeObject(value, 'result', out)
}

function encodeObject(value: unknown, stage: Stage, out: Outbox): void {
  try {
    if (encodePlain(value, out, stage === 'arguments')) return
  } catch (error) {
    throw unencodable(stage, value, error)
  }
  encodeV8(takeRemainder(), stage, out)
}

function encodeV8(value: unknown, stage: Stage, out: Outbox): void {
  let written: ReturnType<typeof serialize>
  try {
    written = serialize(value)
  } catch (error) {
    throw unencodable(stage, value, error)
  }
  if (mayHideHostObject(written.payload, written.structure)) {
    const lost = findCulprit(value, ROOTS[stage], false)
    if (lost !== undefined) throw lostValue(stage, lost)
  }
  out.hold(V8, written.payload)
}

/** Encodes a value that a call threw. Never throws, and leaves out the parts that cannot travel. */
export function encodeError(thrown: unknown, out: Outbox): void {
  leaveOutbox(out)
  out.hold(ERROR, describeThrown(thrown))
}

/**
 * Decodes the arguments of a call from `bytes[start..end)`, by default from all bytes. `owned`: `bytes` has memory of
 * its own, which may become part of the values. Throws a `SerializationError` when the payload is damaged.
 */
export function decodeArguments(
  codec: number,
  bytes: Uint8Array,
  owned = false,
  start = 0,
  end: number = bytes.byteLength,
): unknown[] {
  try {
    // Small calls are many: a subarray would take as long as the decoding.
    if (codec === SCALARS) return readScalars(bytes, start, end)
    if (codec === PLAIN) return asArguments(decodePlain(bytes, start, end))
    const payload = piece(bytes, start, end)
    switch (codec) {
      case BYTES:
        return decodeBytes(payload, owned)
      case V8:
        return asArguments(deserialize(payload, owned))
      default:
        return [decodeRaw(rawKind(codec), payload, owned)]
    }
  } catch (error) {
    throw undecodable('arguments', error)
  }
}

/**
 * Decodes the arguments of a call from a payload in two pieces. `content` has memory of its own, which becomes part of
 * the values where `keepsContent` is true.
 */
export function decodeSplitArguments(codec: number, head: Uint8Array, content: Uint8Array): unknown[] {
  if (head.byteLength === 0) return decodeArguments(codec, content, true)
  try {
    if (codec !== BYTES) throw new CorruptPayload(`a payload of the codec ${codec} has no head`)
    return decodeHeadAndContent(head, content)
  } catch (error) {
    throw undecodable('arguments', error)
  }
}

/**
 * Whether the content of a payload in two pieces becomes, as it is, the memory of a decoded value. Then this may be
 * memory that the other process can write: nothing is decoded from it. Bytes that are decoded may not change meanwhile.
 */
export function keepsContent(codec: number, headLength: number): boolean {
  return viewsContent && (codec >= RAW || (codec === BYTES && headLength > 0))
}

/** With `MILLRACE_VIEWS=off` large buffers arrive as copies. */
const viewsContent = process.env.MILLRACE_VIEWS !== 'off'

/** Decodes the result of a call. The parameters are those of `decodeArguments`. */
export function decodeResult(
  codec: number,
  bytes: Uint8Array,
  owned = false,
  start = 0,
  end: number = bytes.byteLength,
): unknown {
  try {
    if (codec === SCALARS) {
      const value = readScalar(bytes, start, end)
      if (scalarEnd() !== end) throw new CorruptPayload('the payload goes on behind its value')
      return value
    }
    if (codec === PLAIN) return decodePlain(bytes, start, end)
    const payload = piece(bytes, start, end)
    switch (codec) {
      case V8:
        return deserialize(payload, owned)
      default:
        return decodeRaw(rawKind(codec), payload, owned)
    }
  } catch (error) {
    throw undecodable('result', error)
  }
}

/** Rebuilds a value that a call threw. Throws a `SerializationError` when the payload is damaged. */
export function decodeError(codec: number, bytes: Uint8Array, origin: ErrorOrigin): unknown {
  try {
    if (codec !== ERROR) throw new CorruptPayload(`the codec ${codec} is not that of errors`)
    return rebuildThrown(deserialize(bytes, false), origin, bytes.byteLength)
  } catch (error) {
    throw undecodable('result', error)
  }
}

function asArguments(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new CorruptPayload('the arguments are no array')
  return value
}

function rawKind(codec: number): number {
  if (codec < RAW) throw new CorruptPayload(`there is no codec ${codec}`)
  return codec - RAW
}

function piece(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return start === 0 && end === bytes.byteLength ? bytes : bytes.subarray(start, end)
}
