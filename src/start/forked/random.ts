// Randomness in forked processes. A fork has its parent's generators in the state that they were in, and so have its
// siblings: each has to be made its own, whatever modules have drawn or kept of them before.
//
// Not here: randomBytes() and getRandomValues(). OpenSSL sees by itself that it runs in another process.

import { createHook } from 'node:async_hooks'
import { randomBytes, randomInt, randomUUID } from 'node:crypto'

/**
 * Replaces `Math.random()`, whose state in V8 nobody can change, by a generator that is seeded when it is first used,
 * and again after what this returns was called. For a fork server, before it loads anything that might keep a
 * reference. References to V8's own that were kept before yield the same in all forks.
 */
export function seedableRandom(): () => void {
  // Chris Doty-Humphrey's sfc32, of PractRand: four words, of which the last one counts, so that no period is short.
  let a = 0
  let b = 0
  let c = 0
  let counter = 1
  let isSeeded = false
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
    isSeeded = true
  }
  const random = (): number => {
    if (!isSeeded) seed()
    // 53 bits, as many as a double has.
    return ((word() >>> 5) * 2 ** 26 + (word() >>> 6)) / 2 ** 53
  }
  Object.defineProperty(Math, 'random', { value: random, writable: true, enumerable: false, configurable: true })
  return () => (isSeeded = false)
}

/** What asynchronous hooks call the work that fills these caches. */
const FILLING = 'RANDOMBYTESREQUEST'
const LARGEST_RANGE = 2 ** 48 - 1
/** More calls than any cache is large. */
const ENOUGH = 100_000

/** The randomness that Node has drawn in advance in this process, and must not have when it forks. */
export class RandomCaches {
  #filled = true
  readonly #hook = createHook({
    init: (_id, type) => {
      if (type === FILLING) this.#filled = true
    },
  }).enable()

  /**
   * Uses all of it up, unless nothing has been drawn since the last time: the next call of each function draws anew, in
   * whichever process that is. Returns why forks would share some all the same, if they would.
   */
  empty(): string[] {
    if (!this.#filled) return []
    for (const draw of [randomUUID, () => randomInt(LARGEST_RANGE)]) {
      // Each call takes one entry, and the one that fills the cache the first.
      const size = this.#untilFilled(draw) && this.#untilFilled(draw)
      if (size === 0) return ['random numbers that Node has drawn in advance cannot be used up']
      for (let drawn = 1; drawn < size; drawn++) draw()
    }
    this.#filled = false
    return []
  }

  /** In a process that forks no others. */
  release(): void {
    this.#hook.disable()
  }

  /** The calls that it takes, or 0 if nothing is to be seen of that. */
  #untilFilled(draw: () => unknown): number {
    for (let calls = 1; calls <= ENOUGH; calls++) {
      this.#filled = false
      draw()
      if (this.#filled) return calls
    }
    return 0
  }
}
