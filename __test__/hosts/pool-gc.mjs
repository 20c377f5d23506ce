// Pools that nobody holds any more. Needs --expose-gc.

import { setTimeout as sleep } from 'node:timers/promises'
import { defineTasks, isWorker, Pool } from 'millrace'
import { backTo, collectUntil } from './collect.mjs'
import { workersOf } from '../helpers/processes.mjs'
import { holdings, say } from './observe.mjs'

const tasks = defineTasks(import.meta.url, {
  pid: () => process.pid,

  /** @type {<T>(ms: number, value?: T) => Promise<T | undefined>} */
  sleep: (ms, value) => sleep(ms, value),

  /** @type {(n: number) => Promise<number>} */
  slowly: async (n) => {
    await sleep(5)
    return n
  },
})

/** The warnings about dropped pools. */
const unclosed = /** @type {string[]} */ ([])
process.on('warning', (warning) => {
  const { name, code } = /** @type {Error & { code?: string }} */ (warning)
  if (code !== undefined) unclosed.push(code, name)
})

/** Tells whether a pool still exists, without holding it. */
class Watched {
  /** @param {Pool} pool */
  constructor(pool) {
    this.ref = new WeakRef(pool)
  }

  get collected() {
    return this.ref.deref() === undefined
  }
}

/** Many turns of the loop, with collections, while a pool must not be collected. */
async function collectForAWhile() {
  for (let round = 0; round < 40; round++) {
    await sleep(2)
    globalThis.gc?.()
  }
}

async function warmUp() {
  const pool = new Pool(1)
  await pool.apply(tasks.pid)
  await pool.terminate()
  // The first printed warning opens a descriptor.
  process.emitWarning('warming up')
  await sleep(20)
}

/** @type {Record<string, () => Promise<void>>} */
const scenarios = {
  'idle and running': async () => {
    const before = holdings()
    const watched = await (async () => {
      const pool = new Pool(2)
      await pool.apply(tasks.pid)
      return new Watched(pool)
    })()
    await collectUntil(() => watched.collected)
    await collectUntil(backTo(before))
    say({ unclosed })
  },

  'never used': async () => {
    const before = holdings()
    let pools = Array.from({ length: 5 }, () => new Pool(1))
    // A fork server makes the workers after the constructors have returned.
    while (workersOf().length < pools.length) await sleep(2)
    const during = workersOf().length
    pools = []
    await collectUntil(backTo(before))
    say({ during, unclosed: unclosed.length })
  },

  'closed and not joined': async () => {
    const before = holdings()
    const results = (() => {
      const pool = new Pool(2)
      const result = pool.mapAsync(tasks.slowly, [1, 2, 3])
      pool.close()
      return result
    })()
    await collectUntil(backTo(before))
    say({ values: await results, unclosed })
  },

  terminated: async () => {
    const before = holdings()
    const watched = await (async () => {
      const pool = new Pool(2)
      void pool.applyAsync(tasks.sleep, [100_000])
      await pool.terminate()
      return new Watched(pool)
    })()
    await collectUntil(() => watched.collected)
    await collectUntil(backTo(before))
    say({ unclosed })
  },

  'a result keeps its pool until it is ready': async () => {
    const before = holdings()
    const { watched, result } = (() => {
      const pool = new Pool(1)
      return { watched: new Watched(pool), result: pool.applyAsync(tasks.sleep, [500, 'slept']) }
    })()
    await collectForAWhile()
    const [wasReady, keptWhile] = [result.ready(), !watched.collected]
    const value = await result
    await collectUntil(() => watched.collected)
    await collectUntil(backTo(before))
    // The result is still held, and tells its value.
    say({ kept: wasReady || keptWhile, value, again: await result.get(), unclosed })
  },

  'a callback is called though nobody holds anything': async () => {
    const before = holdings()
    const seen = /** @type {unknown[]} */ ([])
    ;(() => {
      const pool = new Pool(1)
      pool.applyAsync(tasks.sleep, [100, 'slept'], { callback: (value) => seen.push(value) })
      pool.mapAsync(tasks.slowly, [1, 2, 3], { callback: (values) => seen.push(values) })
    })()
    await collectUntil(() => seen.length === 2)
    await collectUntil(backTo(before))
    say({ seen })
  },

  'an iterator on a temporary': async () => {
    const before = holdings()
    const results = []
    const iterator = new Pool(2).imap(tasks.slowly, Array.from({ length: 60 }).keys())
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
      globalThis.gc?.()
      results.push(next.value)
      if (results.length % 10 === 0) await collectForAWhile()
    }
    await collectUntil(backTo(before))
    // The iterator is still held.
    say({ results: results.length, over: (await iterator.next()).done, unclosed: unclosed[0] })
  },

  'an iterator keeps its pool until the last result is there': async () => {
    const before = holdings()
    const { watched, iterator } = (() => {
      const pool = new Pool(1)
      return { watched: new Watched(pool), iterator: pool.imap(tasks.slowly, [1, 2, 3, 4], { buffersize: 1 }) }
    })()
    await iterator.next()
    await iterator.next()
    await collectForAWhile()
    const keptWhile = !watched.collected
    await iterator.next()
    await iterator.next()
    await collectUntil(() => watched.collected)
    await collectUntil(backTo(before))
    say({ keptWhile, over: (await iterator.next()).done })
  },

  'an iterator that nobody takes from, dropped': async () => {
    const before = holdings()
    let closed = false
    ;(() => {
      const endless = function* () {
        try {
          for (let n = 0; ; n++) yield n
        } finally {
          closed = true
        }
      }
      const pool = new Pool(1)
      pool.imap(tasks.slowly, endless())
      pool.close()
    })()
    await collectUntil(backTo(before))
    say({ closed })
  },

  'an iterator that was left': async () => {
    const before = holdings()
    const iterator = new Pool(1).imap(tasks.slowly, Array.from({ length: 1000 }).keys())
    for await (const value of iterator) if (value === 3) break
    await collectUntil(backTo(before))
    say({ over: (await iterator.next()).done })
  },

  'a listener that holds it': async () => {
    const before = holdings()
    const watched = await (async () => {
      const pool = new Pool(1)
      pool.on('workerExit', () => pool.stats())
      await pool.apply(tasks.pid)
      return new Watched(pool)
    })()
    await collectUntil(() => watched.collected)
    await collectUntil(backTo(before))
    say({})
  },

  'its memory': async () => {
    /** @param {(pool: Pool) => unknown} end */
    const one = async (end) => {
      const pool = new Pool(1)
      await pool.map(tasks.slowly, [1, 2])
      await end(pool)
      return new Watched(pool)
    }
    const ends = [
      (/** @type {Pool} */ pool) => pool.terminate(),
      (/** @type {Pool} */ pool) => (pool.close(), pool.join()),
      (/** @type {Pool} */ pool) => pool.apply(tasks.sleep, [1]).then(() => {}),
      (/** @type {Pool} */ pool) => pool.applyAsync(() => process.exit(1)).wait(),
    ]
    const watched = await Promise.all(ends.map(one))
    await collectUntil(() => watched.every(({ collected }) => collected))
    await collectUntil(() => workersOf().length === 0)
    say({})
  },
}

if (!isWorker) {
  const { scenario } = JSON.parse(process.argv[2] ?? '{}')
  await warmUp()
  await scenarios[scenario]?.()
}
