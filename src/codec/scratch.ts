// Memory for payloads that outgrow the outbox.

import { OUTBOX_BYTES, EncodeBuffer } from './outbox.js'

/** Bytes of the largest buffer that is kept for the next payload. */
const KEPT_BYTES = 1024 * 1024
let kept: EncodeBuffer | undefined

/**
 * Returns a larger buffer, which has the first `length` bytes of `buffer` and room for `room` more. Throws a RangeError
 * when there is no memory.
 */
export function enlarge(buffer: EncodeBuffer, length: number, room: number): EncodeBuffer {
  let size = 4 * OUTBOX_BYTES
  while (size < length + room || size <= buffer.bytes.length) size *= 2
  let larger = kept
  if (larger === undefined || larger.bytes.length < size) {
    larger = new EncodeBuffer(size)
    if (size <= KEPT_BYTES) kept = larger
  }
  larger.bytes.set(buffer.bytes.subarray(0, length))
  return larger
}
