// Randomness in forked processes. A fork has the random generators of its parent in their present states, and so have
// its siblings. Each needs states of its own, whatever modules have drawn or kept before.
//
// randomBytes() and getRandomValues() need nothing: OpenSSL itself notices that it runs in another process.

import { createHook } from 'node:async_hooks'
import { randomBytes, randomInt, randomUUID } from 'node:crypto'

/**
 * Replaces `Math.random()`, because nobody can change its state in V8. The new generator is seeded at its first use,
 * and again after a call of the returned function. A fork server calls this before it loads modules that might keep a
 * reference. A reference to V8's own generator that was kept before yields the same numbers in all forks.
 */
export function seedableRandom(): () => void {
  // Chris Doty-Humphrey's sfc32, from PractRand: four words. The last word is a counter, so that no period is short.
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
    // The number of rounds after which each bit of the seed has spread to all words.
    for (let round = 0; round < 15; round++) word()
    isSeeded = true
  }
  const random = (): number => {
    if (!isSeeded) seed()
    // 53 bits, as many as the fraction of a double has.
    return ((word() >>> 5) * 2 ** 26 + (word() >>> 6)) / 2 ** 53
  }
  Object.defineProperty(Math, 'random', { value: random, writable: true, enumerable: false, configurable: true })
  return () => (isSeeded = false)
}

/** The name that asynchronous hooks give to the filling of these caches. */
const FILLING = 'RANDOMBYTESREQUEST'
const LARGEST_RANGE = 2 ** 48 - 1
/** A number of calls that uses up a cache of any size. */
const ENOUGH = 100_000

/** The random numbers that Node has drawn in advance. A process must not have any when it forks. */
export class RandomCaches {
  #filled = true
  readonly #hook = createHook({
    init: (_id, type) => {
      if (type === FILLING) this.#filled = true
    },
  }).enable()

  /**
   * Uses up these numbers, unless nothing was drawn since the last time. Then the next call of each function draws
   * anew, in whichever process. Returns the reasons if forks would share numbers all the same.
   */
  empty(): string[] {
    if (!this.#filled) return []
    for (const draw of [randomUUID, () => randomInt(LARGEST_RANGE)]) {
      // Each call takes one entry, and the call that fills the cache takes the first.
      const size = this.#untilFilled(draw) && this.#untilFilled(draw)
      if (size === 0) return ['random numbers that Node has drawn in advance cannot be used up']
      for (let drawn = 1; drawn < size; drawn++) draw()
    }
    this.#filled = false
    return []
  }

  /** Ends the watching, in a process that forks no others. */
  release(): void {
    this.#hook.disable()
  }

  /** The number of calls until the cache is filled; 0 if no filling shows. */
  #untilFilled(draw: () => unknown): number {
    for (let calls = 1; calls <= ENOUGH; calls++) {
      this.#filled = false
      draw()
      if (this.#filled) return calls
    }
    return 0
  }
}
