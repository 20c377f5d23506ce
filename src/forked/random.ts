// Randomness in forked processes. A fork has its parent's generators in the state that they were in, and so have its siblings:
// each has to be made its own, whatever modules have drawn or kept of them before.
//
// Not here: randomBytes() and getRandomValues(). OpenSSL sees by itself that it runs in another process.

import { randomBytes, randomInt, randomUUID } from 'node:crypto'

/**
 * Replaces `Math.random()`, whose state in V8 nobody can change, by a generator that can be seeded: as it is here, and again by what
 * this returns. For a fork server, before it loads anything that might keep a reference. References to V8's own that were
 * kept before yield the same in all forks.
 */
export function seedableRandom(): () => void {
  // Chris Doty-Humphrey's sfc32, of PractRand: four words, of which the last one counts, so that no period is short.
  let a = 0
  let b = 0
  let c = 0
  let counter = 1
  const word = (): number => {
    const result = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + result) | 0
    return result >>> 0
  }
  const seed = (): void => {
    const bytes = randomBytes(12)
    a = bytes.readInt32LE(0)
    b = bytes.readInt32LE(4)
    c = bytes.readInt32LE(8)
    counter = 1
    // So many until each bit of the seed has spread to all words.
    for (let round = 0; round < 15; round++) word()
  }
  // 53 bits, as many as a double has.
  const random = (): number => ((word() >>> 5) * 2 ** 26 + (word() >>> 6)) / 2 ** 53
  seed()
  Object.defineProperty(Math, 'random', { value: random, writable: true, enumerable: false, configurable: true })
  return seed
}

const UUID_CACHE = 128
const INT_CACHE = 1024
const LARGEST_RANGE = 2 ** 48 - 1

/** Uses up what Node has drawn in advance, from where the parent stood. */
export function discardCaches(): void {
  for (let drawn = 0; drawn < UUID_CACHE; drawn++) randomUUID()
  // Each call takes one entry of the cache, unless it is beyond the range, which would take another.
  for (let drawn = 0; drawn < INT_CACHE; drawn++) randomInt(LARGEST_RANGE)
}
