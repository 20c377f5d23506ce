// Raw bytes: one Buffer, typed array, DataView or ArrayBuffer of any size, alone or among scalars.
//
// The content of the raw value is the end of the payload and is not copied here. A view of a part of its memory arrives
// as a view of exactly this part.

import { CorruptPayload } from './corrupt.js'
import { BYTES, RAW } from './ids.js'
import { LITTLE_ENDIAN, type Outbox } from './outbox.js'
import { FIRST_RAW_TAG, readScalar, scalarEnd, writeScalar } from './scalars.js'
import { contentOf, fromContent, kindOf } from './views.js'

// Layout of `BYTES`: u32 offset of the content; the elements, where the raw one is only a tag with its kind; the
// content.
const ELEMENTS = 4

/** Encodes a value of raw bytes; false for any other value. */
export function encodeRaw(value: unknown, out: Outbox): boolean {
  if (typeof value !== 'object' || value === null) return false
  const kind = kindOf(value)
  const content = kind < 0 ? undefined : contentOf(value, kind)
  if (content === undefined) return false
  out.codec = RAW + kind
  out.length = 0
  out.tail = content.byteLength === 0 ? undefined : content
  return true
}

/** Encodes scalars with exactly one raw value among them; false for any other values, and when the outbox is full. */
export function encodeBytes(values: readonly unknown[], out: Outbox): boolean {
  let at = ELEMENTS
  let content: Uint8Array | undefined
  for (const value of values) {
    if (typeof value === 'object' && value !== null) {
      if (content !== undefined || at === out.bytes.byteLength) return false
      const kind = kindOf(value)
      content = kind < 0 ? undefined : contentOf(value, kind)
      if (content === undefined) return false
      out.bytes[at++] = FIRST_RAW_TAG + kind
    } else {
      at = writeScalar(out, at, value)
      if (at < 0) return false
    }
  }
  if (content === undefined) return false
  out.view.setUint32(0, at, LITTLE_ENDIAN)
  out.codec = BYTES
  out.length = at
  out.tail = content.byteLength === 0 ? undefined : content
  return true
}

/** Decodes a payload of `encodeRaw`. */
export function decodeRaw(kind: number, bytes: Uint8Array, owned: boolean): unknown {
  return fromContent(kind, bytes, 0, bytes.byteLength, owned)
}

/** Decodes a payload of `encodeBytes` that came in one piece. */
export function decodeBytes(bytes: Uint8Array, owned: boolean): unknown[] {
  const end = bytes.byteLength
  const start = contentStart(bytes)
  if (start > end) throw new CorruptPayload('the content starts behind the end of the payload')
  return readElements(bytes, start, (kind) => fromContent(kind, bytes, start, end, owned))
}

/** Decodes a payload of `encodeBytes` that came in two pieces. The value keeps `content`, all of it. */
export function decodeHeadAndContent(head: Uint8Array, content: Uint8Array): unknown[] {
  const start = contentStart(head)
  if (start !== head.byteLength) throw new CorruptPayload('the content does not start where the head ends')
  return readElements(head, start, (kind) => fromContent(kind, content, 0, content.byteLength, true))
}

function contentStart(head: Uint8Array): number {
  if (head.byteLength < ELEMENTS) throw new CorruptPayload('the payload ends within its head')
  return new DataView(head.buffer, head.byteOffset, ELEMENTS).getUint32(0, LITTLE_ENDIAN)
}

function readElements(head: Uint8Array, end: number, raw: (kind: number) => unknown): unknown[] {
  const values: unknown[] = []
  let at = ELEMENTS
  while (at < end) {
    if (head[at]! >= FIRST_RAW_TAG) {
      values.push(raw(head[at]! - FIRST_RAW_TAG))
      at++
    } else {
      values.push(readScalar(head, at, end))
      at = scalarEnd()
    }
  }
  return values
}
