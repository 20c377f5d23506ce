// Large payloads, and their cost. A test can watch this process's memory from outside meanwhile.

import { setTimeout as sleep } from 'node:timers/promises'
import { defineTasks, isWorker, ProcessPoolExecutor } from 'millrace'
import { memory, say, segments } from './observe.mjs'

const MIB = 1 << 20

const tasks = defineTasks(import.meta.url, {
  pid: () => process.pid,

  /** @type {<T>(value: T) => T} */
  identity: (value) => value,

  /** @type {(bytes: number, fill: number) => Buffer} */
  make: (bytes, fill) => Buffer.alloc(bytes, fill),
})

/**
 * Bytes that differ at any two places that could be confused.
 *
 * @param {number} length
 */
function noise(length) {
  const words = new Uint32Array(length >> 2)
  let x = 0x9e3779b9
  for (let index = 0; index < words.length; index++) {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    words[index] = x
  }
  return Buffer.from(words.buffer)
}

/**
 * The memory that this process, its workers and their lanes take, in bytes.
 *
 * @param {ProcessPoolExecutor} pool
 */
function everything(pool) {
  const workers = pool.stats().workers.map(({ pid }) => memory(pid).own)
  return memory().own + segments() + workers.reduce((sum, own) => sum + own, 0)
}

/**
 * Runs `burst`, whose results are dropped. Returns how long it takes until its memory is given back.
 *
 * @param {ProcessPoolExecutor} pool
 * @param {() => Promise<unknown>} burst
 */
async function giveBack(pool, burst) {
  await Promise.all([1, 2, 3, 4].map(() => pool.submit(tasks.make, MIB, 1)))
  globalThis.gc?.()
  const before = everything(pool)
  say({ before })
  say(await burst())
  const peak = everything(pool)
  const start = performance.now()
  // The warm remainder is 32 MiB in either direction of each lane. The heaps may have grown in addition.
  const bound = before + pool.stats().workers.length * 64 * MIB + 64 * MIB
  let after
  do {
    await sleep(50)
    globalThis.gc?.()
    after = everything(pool)
  } while (after > bound && performance.now() - start < 20_000)
  say({ before, peak, after, bound, milliseconds: performance.now() - start })
  await pool.shutdown()
}

/** @type {Record<string, (input: any) => unknown>} */
const scenarios = {
  /** The same bytes in both directions, several calls at once. All results are kept until the last has come. */
  'there and back': async ({ mib, count }) => {
    const pool = new ProcessPoolExecutor({ maxWorkers: 2 })
    await giveBack(pool, async () => {
      const payload = noise(mib * MIB)
      const results = await Promise.all(Array.from({ length: count }, () => pool.submit(tasks.identity, payload)))
      return { intact: results.filter((result) => payload.equals(result)).length }
    })
  },

  /** Results that come while this thread is blocked. */
  'faster than they are read': async ({ mib, count, blocked }) => {
    const pool = new ProcessPoolExecutor({ maxWorkers: 2 })
    await giveBack(pool, async () => {
      const futures = Array.from({ length: count }, (_, index) => pool.submit(tasks.make, mib * MIB, index))
      const until = performance.now() + blocked
      while (performance.now() < until);
      let intact = 0
      for (const [index, future] of futures.entries()) {
        const result = await future
        if (result.length === mib * MIB && result.every((byte) => byte === index)) intact++
      }
      return { intact }
    })
  },
}

if (!isWorker) {
  const { scenario, ...input } = JSON.parse(process.argv[2] ?? '{}')
  await scenarios[scenario]?.(input)
}
