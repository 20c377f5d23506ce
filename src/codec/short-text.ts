// A cache of short strings, found by their bytes.
//
// Codes, names and enumerations come again and again. A string from the cache costs half of a new one, and equal values
// in many rows share one string.

import { Buffer } from '../util/globals.js'

type Slice = (this: Uint8Array, start: number, end: number) => string
const { latin1Slice } = Buffer.prototype as Buffer & { latin1Slice: Slice }

/** Characters of a cached string. Longer strings repeat less. */
const LONGEST = 16
const SLOTS = 2048
const texts: string[] = new Array(SLOTS).fill('')
/** The bytes of the cached strings: bytes are quicker to compare than characters. */
const contents = new Uint8Array(SLOTS * LONGEST)

/** The text of `bytes[start..end)`, at one byte a character. */
export function shortText(bytes: Uint8Array, start: number, end: number): string {
  const length = end - start
  if (length > LONGEST || length === 0) return latin1Slice.call(bytes, start, end)
  let hash = length
  for (let at = start; at < end; at++) hash = Math.imul(hash, 31) + bytes[at]
  const slot = (hash ^ (hash >>> 11)) & (SLOTS - 1)
  const known = slot * LONGEST
  if (texts[slot].length === length) {
    let i = 0
    while (i < length && contents[known + i] === bytes[start + i]) i++
    if (i === length) return texts[slot]
  }
  const text = latin1Slice.call(bytes, start, end)
  for (let i = 0; i < length; i++) contents[known + i] = bytes[start + i]
  texts[slot] = text
  return text
}
