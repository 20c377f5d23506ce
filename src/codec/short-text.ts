// A cache of short strings, found by their bytes.
//
// Codes, names and enumerations come again and again. A string from the cache costs half of a new one, and equal values
// in many rows share one string. But to look for a string in vain costs as much as two new ones: so each place of
// records remembers whether its texts repeat.

import { Buffer } from '../util/globals.js'
import { viewOf } from './payload-view.js'

type Slice = (this: Uint8Array, start: number, end: number) => string
const { latin1Slice } = Buffer.prototype as Buffer & { latin1Slice: Slice }

/** Characters of a cached string. Longer strings repeat less. */
const LONGEST = 24
const SLOT_BITS = 11
const SLOTS = 2 ** SLOT_BITS
const texts: string[] = new Array(SLOTS).fill('')
/** The bytes of the cached strings, at `LONGEST` bytes each. Four bytes are compared at a time. */
const contents = new DataView(new ArrayBuffer(SLOTS * LONGEST))

/** The strings of one character. */
const CHARACTERS = Array.from({ length: 256 }, (_, unit) => String.fromCharCode(unit))

const MOST_TRUST = 32
/** Texts for which a place does without the cache when the place's texts have not repeated. */
const PAUSE = 256

/** A place where texts stand. */
export class TextPlace {
  /** How well the cache has served: below zero, the number of texts until the cache is tried again, negated. */
  trust = MOST_TRUST
}

/** The place of all texts that have no place of their own. */
export const anyPlace = new TextPlace()

/** The text of `bytes[start..end)`, at one byte a character. */
export function shortText(bytes: Uint8Array, start: number, end: number, place: TextPlace): string {
  const length = end - start
  if (length === 1) return CHARACTERS[bytes[start]]
  if (length > LONGEST || length === 0) return latin1Slice.call(bytes, start, end)
  if (place.trust < 0) {
    place.trust++
    return latin1Slice.call(bytes, start, end)
  }
  const view = viewOf(bytes)
  const slot = slotOf(view, start, length)
  if (texts[slot].length === length && isKnown(view, start, length, slot * LONGEST)) {
    if (place.trust < MOST_TRUST) place.trust++
    return texts[slot]
  }
  // A text in vain costs twice of what a known text saves.
  place.trust = place.trust < 2 ? -PAUSE : place.trust - 2
  texts[slot] = latin1Slice.call(bytes, start, end)
  for (let i = 0; i < length; i++) contents.setUint8(slot * LONGEST + i, bytes[start + i])
  return texts[slot]
}

// A few characters tell most texts apart.
function slotOf(view: DataView, start: number, length: number): number {
  let hash = length
  if (length < 4) {
    for (let i = 0; i < length; i++) hash = (hash << 8) + view.getUint8(start + i)
  } else {
    hash = Math.imul(hash + view.getInt32(start, true), 0x01000193) + view.getInt32(start + (length >> 1) - 2, true)
    hash = Math.imul(hash, 0x01000193) + view.getInt32(start + length - 4, true)
  }
  // The last character is in the uppermost bits, and has to reach those that count.
  return Math.imul(hash ^ (hash >>> 16), 0x9e3779b1) >>> (32 - SLOT_BITS)
}

function isKnown(view: DataView, start: number, length: number, known: number): boolean {
  if (length < 4) {
    for (let i = 0; i < length; i++) {
      if (view.getUint8(start + i) !== contents.getUint8(known + i)) return false
    }
    return true
  }
  const last = length - 4
  for (let i = 0; i < last; i += 4) {
    if (view.getInt32(start + i, true) !== contents.getInt32(known + i, true)) return false
  }
  return view.getInt32(start + last, true) === contents.getInt32(known + last, true)
}
