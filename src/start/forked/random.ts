// Randomness in forked processes. A fork has the random generators of its parent in their present states, and so have
// its siblings. Each needs states of its own, whatever modules have drawn or kept before.
//
// randomBytes() and getRandomValues() need nothing: OpenSSL itself notices that it runs in another process.

import { builtin } from '../../util/builtins.js'

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
    const bytes = keepCrypto().randomBytes(12)
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
  // Under --frozen-intrinsics this changes nothing, and nothing is forked: see `fork-safety.ts`.
  Reflect.defineProperty(Math, 'random', { value: random, writable: true, enumerable: false, configurable: true })
  return () => (isSeeded = false)
}

/** Node's functions, as they are now. */
function takeCrypto() {
  const { randomBytes, randomInt, randomUUID, webcrypto } = builtin('node:crypto')
  const { getRandomValues, randomUUID: webUUID } = webcrypto
  return { randomBytes, randomInt, randomUUID, webcrypto, getRandomValues, webUUID }
}

let kept: ReturnType<typeof takeCrypto> | undefined

/**
 * Node's functions, as they were at the first call: before forks need them, and before a module of the program's can
 * put something else in their place. Programs that fork nothing do not load 'node:crypto' for this package, which would
 * take milliseconds.
 */
export function keepCrypto(): ReturnType<typeof takeCrypto> {
  return (kept ??= takeCrypto())
}

/**
 * The sources of random numbers, by the names that users know, each as a function that draws some 48 bits.
 *
 * Up to Node 24 an asynchronous hook tells when Node draws numbers in advance; later versions do not tell. So nothing
 * here rests on how Node keeps them: a trial compares what forks draw.
 */
const SOURCES: Record<string, (crypto: ReturnType<typeof keepCrypto>) => unknown> = {
  'randomInt() of node:crypto': ({ randomInt }) => randomInt(LARGEST_RANGE),
  'randomUUID() of node:crypto': ({ randomUUID }) => randomUUID(),
  'randomBytes() of node:crypto': ({ randomBytes }) => randomBytes(8).toString('hex'),
  'crypto.randomUUID()': ({ webcrypto, webUUID }) => webUUID.call(webcrypto),
  'crypto.getRandomValues()': ({ webcrypto, getRandomValues }) =>
    getRandomValues.call(webcrypto, new Uint32Array(2)).join(),
}

const LARGEST_RANGE = 2 ** 48 - 1

/**
 * How many numbers of each kind a fork throws away: at least as many as Node 20 to 26 draw in advance, 1024 of
 * `randomInt()` and 128 of `randomUUID()`. If these do not do, a trial finds how many do.
 */
const FIRST_DRAIN = { ints: 1024, ids: 128 } as const

/** Beyond as many, no attempt is made. */
const LARGEST_FACTOR = 64

/** The random numbers that Node has drawn in advance, which all forks of a process would have in common. */
export class RandomCaches {
  #factor = 1

  /** In a fork: throws away the numbers that its siblings have, too. */
  drain(): void {
    const { randomInt, randomUUID } = keepCrypto()
    for (let left = FIRST_DRAIN.ints * this.#factor; left > 0; left--) randomInt(LARGEST_RANGE)
    for (let left = FIRST_DRAIN.ids * this.#factor; left > 0; left--) randomUUID()
  }

  /** Has V8 compile what forks do first: a fork has the code of its parent, and no thread that compiles more. */
  warmUp(): void {
    for (let rounds = 4; rounds > 0; rounds--) this.drain()
  }

  /** Has forks throw away more. False: they throw away as many as can be asked of them. */
  drainMore(): boolean {
    this.#factor *= 8
    return this.#factor <= LARGEST_FACTOR
  }
}

/** One number of each source, to be compared with those of a sibling. */
export function drawFromEach(): Record<string, string> {
  return Object.fromEntries(Object.entries(SOURCES).map(([name, draw]) => [name, String(draw(keepCrypto()))]))
}
