// Short strings by their bytes. Codes, names and enumerations come again and again: the string that is there already
// costs half of a new one, and rows that say the same share it.

type Slice = (this: Uint8Array, start: number, end: number) => string
const { latin1Slice } = Buffer.prototype as Buffer & { latin1Slice: Slice }

/** Longer ones repeat less. */
const LONGEST = 16
const SLOTS = 2048
const texts: string[] = new Array(SLOTS).fill('')
/** Their bytes, which are quicker to compare than their characters. */
const contents = new Uint8Array(SLOTS * LONGEST)

/** The text of `bytes[start..end)`, one byte a character. */
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
