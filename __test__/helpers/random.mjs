// Random numbers that can be repeated: what one seed has found, the same seed finds again, as far as processes allow
// it.

export class Random {
  #state

  /** @param {number} seed */
  constructor(seed) {
    this.#state = seed >>> 0
  }

  /** A number from 0 up to 1, without 1. */
  next() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /**
   * A whole number from 0 up to `bound`, without it.
   *
   * @param {number} bound
   */
  below(bound) {
    return Math.floor(this.next() * bound)
  }

  /** @param {number} n */
  oneIn(n) {
    return this.below(n) === 0
  }

  /**
   * @template T
   * @param {readonly T[]} from
   * @returns {T}
   */
  pick(from) {
    return /** @type {T} */ (from[this.below(from.length)])
  }

  /**
   * A key, as often as its weight says.
   *
   * @template {string} K
   * @param {Record<K, number>} weights
   * @returns {K}
   */
  weighted(weights) {
    const entries = /** @type {[K, number][]} */ (Object.entries(weights))
    let left = this.next() * entries.reduce((sum, [, weight]) => sum + weight, 0)
    return (entries.find(([, weight]) => (left -= weight) < 0) ?? entries[0])[0]
  }
}
