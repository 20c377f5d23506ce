// Programs around a `Pool`, each a complete program.

import { setTimeout as sleep } from 'node:timers/promises'
import { defineTasks, isWorker, Pool, runFinalizers } from 'millrace'
import { workersOf } from '../helpers/processes.mjs'
import { holdings, say } from './observe.mjs'

const tasks = defineTasks(import.meta.url, {
  pid: () => process.pid,

  /** @type {<T>(ms: number, value?: T) => Promise<T | undefined>} */
  sleep: (ms, value) => sleep(ms, value),

  forever: () => new Promise(() => {}),
})

/** The warnings of this process, as they come. */
const warnings = /** @type {{ name: string, code: string, message: string }[]} */ ([])
process.on('warning', (warning) => {
  const { name, message } = warning
  warnings.push({ name, code: /** @type {any} */ (warning).code, message })
})

/** @type {Record<string, (input: any) => unknown>} */
const scenarios = {
  'a failing start': async () => {
    // Node opens descriptors at their first use.
    await sleep(20)
    const before = holdings()
    /** @type {any} */
    let error
    try {
      new Pool(4)
    } catch (thrown) {
      error = thrown
    }
    await sleep(20)
    const after = holdings()
    const again = new Pool(4)
    say({
      name: error.name,
      code: error.cause.code,
      children: after.children,
      descriptors: after.descriptors - before.descriptors,
      again: workersOf().length,
    })
    await again.terminate()
  },

  'an idle pool': async () => {
    const pool = new Pool(2)
    say({ sum: await pool.apply((/** @type {number} */ a, /** @type {number} */ b) => a + b, [1, 2]) })
  },

  'a pool that was never used': () => {
    new Pool(2)
    say({})
  },

  'jobs that nobody waits for': () => {
    const pool = new Pool(2)
    pool.applyAsync(tasks.sleep, [200, 'slept'], { callback: (value) => say({ value, warnings }) })
  },

  'a temporary': async () => {
    const results = []
    for await (const value of new Pool(2).imap(tasks.pid, Array.from({ length: 50 }))) results.push(value)
    say({ results: results.length })
  },

  'process.exit() with jobs': async () => {
    const pool = new Pool(2)
    const errors = /** @type {string[]} */ ([])
    const results = [1, 2, 3].map(() =>
      pool.applyAsync(tasks.forever, [], { errorCallback: (error) => errors.push(error.code) }),
    )
    const iterator = pool.imap(tasks.forever, [1, 2, 3, 4, 5, 6, 7, 8])
    await sleep(50)
    process.on('exit', () => {
      // This listener comes after the pool's own, which settles everything.
      say({ ready: results.every((result) => result.ready()), errors, warnings, children: workersOf().length })
    })
    void iterator
    process.exit(0)
  },

  'terminate() when the process ends': async () => {
    const pool = new Pool(1)
    const results = [1, 2, 3].map(() => pool.applyAsync(tasks.forever))
    await sleep(50)
    process.on('exit', () => {
      void pool.terminate()
      pool.close()
      say({ ready: results.every((result) => result.ready()), children: workersOf().length })
    })
    process.exit(0)
  },

  'a pass of finalizers': async () => {
    const pool = new Pool(1)
    const results = [pool.applyAsync(tasks.forever), pool.mapAsync(tasks.forever, [1, 2, 3])]
    const iterator = pool.imap(tasks.sleep, [1, 2, 3, 4, 5, 6, 7, 8])
    await sleep(50)
    runFinalizers(16)
    const untouched = String(pool)
    runFinalizers(15)
    const codes = await Promise.all([...results, iterator.next()].map((result) => result.then(String, (e) => e.code)))
    await pool.join()
    say({ untouched, pool: String(pool), codes, children: workersOf().length, warnings })
  },

  'process.exit() with an idle pool': async () => {
    const pool = new Pool(1)
    await pool.apply(tasks.pid)
    process.on('exit', () => say({ warnings, pool: String(pool) }))
    process.exit(0)
  },

  'an unref’d pool with jobs': () => {
    const pool = new Pool(1).unref()
    pool.applyAsync(tasks.forever)
    process.on('exit', () => say({ warnings }))
  },

  'a disposed pool with jobs': async () => {
    const results = await (async () => {
      const pool = new Pool(2)
      try {
        return [pool.applyAsync(tasks.forever), pool.applyAsync(tasks.forever)]
      } finally {
        await pool[Symbol.asyncDispose]()
      }
    })()
    const codes = await Promise.all(results.map((result) => result.get().catch((error) => error.code)))
    await sleep(5)
    say({ codes, warnings, children: workersOf().length })
  },
}

if (!isWorker) {
  const { scenario, ...input } = JSON.parse(process.argv[2] ?? '{}')
  await scenarios[scenario]?.(input)
}
