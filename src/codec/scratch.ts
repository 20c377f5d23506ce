// Memory for payloads that outgrow the outbox.

import { OUTBOX_BYTES, Sheet } from './outbox.js'

/** So much is kept for the next one. */
const KEPT_BYTES = 1024 * 1024
let kept: Sheet | undefined

/**
 * A larger sheet, with the first `length` bytes of `sheet` and room for `room` more. Throws a RangeError without
 * memory.
 */
export function enlarge(sheet: Sheet, length: number, room: number): Sheet {
  let size = 4 * OUTBOX_BYTES
  while (size < length + room || size <= sheet.bytes.length) size *= 2
  let larger = kept
  if (larger === undefined || larger.bytes.length < size) {
    larger = new Sheet(size)
    if (size <= KEPT_BYTES) kept = larger
  }
  larger.bytes.set(sheet.bytes.subarray(0, length))
  return larger
}
