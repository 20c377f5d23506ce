// Executors that nobody holds any more. Needs --expose-gc.

import { appendFileSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { defineTasks, isWorker, ProcessPoolExecutor } from 'millrace'
import { backTo, collectUntil } from './collect.mjs'
import { workersOf } from '../helpers/processes.mjs'
import { startMethod } from '../helpers/start-method.mjs'
import { holdings, say } from './observe.mjs'

const tasks = defineTasks(import.meta.url, {
  pid: () => process.pid,

  /** @type {<T>(ms: number, value?: T) => Promise<T | undefined>} */
  sleep: (ms, value) => sleep(ms, value),

  /** @type {(ms: number, path: string, line: number) => Promise<void>} */
  append: async (ms, path, line) => {
    await sleep(ms)
    appendFileSync(path, `${line}\n`)
  },
})

/** @param {import('millrace').ProcessPoolOptions} [options] */
const makePool = (options) => new ProcessPoolExecutor({ maxWorkers: 2, startMethod, ...options })

/** Node starts threads and opens descriptors at their first use: after this function that is done. */
async function warmUp() {
  const pool = makePool()
  await pool.submit(tasks.pid)
  await pool.shutdown()
  await sleep(20)
}

/** @type {Record<string, (input: any) => unknown>} */
const scenarios = {
  'never used': async () => {
    const before = holdings()
    for (let index = 0; index < 100; index++) makePool()
    const during = holdings().descriptors - before.descriptors
    await collectUntil(backTo(before))
    say({ held: during >= 100 })
  },

  'with idle workers': async () => {
    const before = holdings()
    const pools = Array.from({ length: 4 }, () => makePool({ maxWorkers: 1 }))
    const pids = await Promise.all(pools.map((pool) => pool.submit(tasks.pid)))
    const held = workersOf().length === 4
    pools.length = 0
    await collectUntil(backTo(before))
    say({ held, pids: new Set(pids).size })
  },

  'with calls that somebody waits for': async () => {
    const before = holdings()
    const futures = ((pool) => [1, 2, 3, 4, 5].map((n) => pool.submit(tasks.sleep, 100, n)))(makePool())
    const outcome = Promise.all(futures)
    let settled = false
    void outcome.then(() => (settled = true))
    await collectUntil(() => settled)
    const values = await outcome
    await collectUntil(backTo(before))
    say({ values })
  },

  'with calls that nobody waits for': async ({ path }) => {
    const before = holdings()
    ;((pool) => {
      for (let line = 1; line <= 20; line++) pool.submit(tasks.append, 10, path, line)
    })(makePool())
    await collectUntil(() => workersOf().length > 0)
    await collectUntil(backTo(before))
    const lines = readFileSync(path, 'utf8').trim().split('\n').map(Number)
    say({ lines: lines.sort((a, b) => a - b) })
  },

  'with calls that are the only thing alive': ({ path }) => {
    // No timer holds the loop here: the calls do, and the executor is collected in between.
    ;((pool) => {
      for (let line = 1; line <= 10; line++)
        pool.submit(tasks.append, 50, path, line).addDoneCallback(() => globalThis.gc?.())
    })(makePool())
    process.on('exit', () =>
      say({ lines: readFileSync(path, 'utf8').trim().split('\n').length, children: workersOf() }),
    )
  },

  'with a map that goes on': async () => {
    const before = holdings()
    const results = []
    for await (const value of makePool().map(tasks.sleep, [5, 5, 5, 5, 5, 5], { chunksize: 1 })) {
      globalThis.gc?.()
      results.push(value === undefined)
      await sleep(5)
    }
    await collectUntil(backTo(before))
    say({ results })
  },

  'with a listener that holds it, and a future': async () => {
    // Only the executor leads to the listener: the listener is no reason to stay.
    const before = holdings()
    const future = ((pool) => {
      pool.on('workerExit', () => pool.stats())
      return pool.submit(tasks.sleep, 50, 'done')
    })(makePool())
    const value = await future
    await collectUntil(backTo(before))
    say({ value, state: future.state })
  },

  'shut down and dropped': async () => {
    const before = holdings()
    void ((pool) => {
      pool.submit(tasks.sleep, 100, 1)
      return pool.shutdown()
    })(makePool())
    await collectUntil(() => workersOf().length > 0)
    await collectUntil(backTo(before))
    say({})
  },

  'its memory': async () => {
    /** @param {boolean} shutDown */
    const one = async (shutDown) => {
      const pool = makePool({ maxWorkers: 1 })
      await pool.submit(tasks.pid)
      if (shutDown) await pool.shutdown()
      return new WeakRef(pool)
    }
    const pools = await Promise.all([true, false, true, false].map(one))
    await collectUntil(() => pools.every((pool) => pool.deref() === undefined))
    await collectUntil(() => workersOf().length === 0)
    say({})
  },

  'made and shut down': async ({ counts, width }) => {
    /** @type {((pool: ProcessPoolExecutor) => Promise<unknown>)[]} */
    const lives = [
      // Used, then shut down.
      (pool) =>
        pool
          .submit(tasks.pid)
          .result()
          .then(() => pool.shutdown()),
      // Killed while its worker boots.
      (pool) => (
        pool
          .submit(tasks.pid)
          .exception()
          .catch(() => {}),
        pool.killWorkers()
      ),
      // Never used.
      (pool) => pool.shutdown(),
    ]
    const history = []
    let made = 0
    for (const count of counts) {
      const lane = async () => {
        while (made < count) await lives[made++ % lives.length]?.(makePool({ maxWorkers: 1 }))
      }
      await Promise.all(Array.from({ length: width }, lane))
      globalThis.gc?.()
      await sleep(50)
      globalThis.gc?.()
      history.push({ ...holdings(), heap: process.memoryUsage().heapUsed, mappings: mappings() })
    }
    say({ made, history })
  },
}

/** The number of all mappings of this process. */
function mappings() {
  return readFileSync('/proc/self/maps', 'latin1').split('\n').length
}

if (!isWorker) {
  const { scenario, ...input } = JSON.parse(process.argv[2] ?? '{}')
  await warmUp()
  await scenarios[scenario]?.(input)
}
