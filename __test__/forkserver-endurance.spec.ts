// Forked workers in numbers and at length: a thousand forks, a hundred thousand calls, code that gets hot, heaps that
// get large.

import { type ProcessPoolOptions, WorkerDiedError } from 'millrace'
import { tasks } from './fixtures/basic.mjs'
import { endurance } from './fixtures/endurance.mjs'
import { test } from './helpers/leaks.js'
import { failureOf, makePool, record } from './helpers/pool.js'
import { within } from './helpers/waiting.js'

const options: ProcessPoolOptions = {
  startMethod: 'forkserver',
  preload: [new URL('./fixtures/endurance.mjs', import.meta.url)],
}

/** The number of values that occur twice. */
function repeated(values: BigUint64Array): number {
  const sorted = values.toSorted()
  return sorted.filter((value, index) => index > 0 && value === sorted[index - 1]).length
}

if (process.platform === 'linux') {
  test('a thousand workers that are forked for a call each', async (t) => {
    t.timeout(600_000)
    const pool = makePool(t, { ...options, maxTasksPerChild: 1 })
    const exits = record(pool, 'workerExit')
    const pids = new Set<number>()
    for (let round = 0; round < 20; round++) {
      const calls = Array.from({ length: 50 }, () => pool.submit(tasks.pid))
      for (const pid of await within('fifty calls', Promise.all(calls), () => pool.dumpState())) pids.add(pid)
    }
    await pool.shutdown()
    // The system may have used a process id twice.
    t.true(pids.size > 900, `${pids.size} pids`)
    t.true(exits.length >= 1000)
    t.true(exits.every(({ reason, exitCode }) => exitCode === 0 && ['recycled', 'shutdown'].includes(reason)))
  })

  test('two forked workers live through a hundred thousand calls', async (t) => {
    const pool = makePool(t, { ...options, maxWorkers: 2 })
    const starts = record(pool, 'workerStart')
    for (let round = 0; round < 100; round++) {
      const calls = Array.from({ length: 1000 }, (_, index) => pool.submit(tasks.add, round, index))
      const results = await within('a thousand calls', Promise.all(calls), () => pool.dumpState())
      t.true(results.every((sum, index) => sum === round + index))
    }
    t.true(starts.length <= 2)
    t.is(pool.stats().completed, 100_000)
  })

  test('fifty siblings draw ten thousand values from each source of randomness, and none twice', async (t) => {
    t.timeout(600_000)
    const [siblings, count] = [50, 10_000]
    const pool = makePool(t, { ...options, maxTasksPerChild: 1 })
    const calls = Array.from({ length: siblings }, () => pool.submit(endurance.draw, count))
    const drawn = await within('all draws', Promise.all(calls), () => pool.dumpState())
    t.is(pool.stats().completed, siblings)
    for (const source of Object.keys(drawn[0]!)) {
      const values = new BigUint64Array(siblings * count)
      drawn.forEach((own, sibling) => values.set(own[source]!, sibling * count))
      // Among 500,000 values of 53 bits, two are equal once in 72,000 runs. Among values of 48 bits, as randomInt()
      // gives, two are equal once in 2,250 runs, and two pairs once in ten million. Siblings with a common state have
      // thousands of common values.
      const accidents = source === 'randomInt' ? 1 : 0
      t.true(repeated(values) <= accidents, `${source}: ${repeated(values)} values twice`)
    }
  })

  test('code gets as hot in a forked worker as in a spawned one, and stays so', async (t) => {
    for (const startMethod of ['spawn', 'forkserver'] as const) {
      const pool = makePool(t, { ...options, startMethod, maxWorkers: 1 })
      t.false(await pool.submit(endurance.isHot))
      t.true((await within('optimized code', pool.submit(endurance.heatUp))) > 0)
      t.true(await pool.submit(endurance.isHot))
    }
  })

  test('a forked worker has the heap limit of a spawned one, works close to it, and dies beyond it alone', async (t) => {
    const limited = { ...options, execArgv: ['--max-old-space-size=150'], maxWorkers: 1, stdio: 'ignore' } as const
    const spawned = makePool(t, { ...limited, startMethod: 'spawn' })
    const pool = makePool(t, { ...limited, onWorkerDeath: 'isolate' })
    t.is(await pool.submit(endurance.heapLimit), await spawned.submit(endurance.heapLimit))
    t.true((await within('a gigabyte of objects', pool.submit(endurance.churn, 70))) > 70 * 2 ** 20)
    const exits = record(pool, 'workerExit')
    const error = (await failureOf(pool.submit(endurance.hoard))) as WorkerDiedError
    t.true(error instanceof WorkerDiedError, String(error))
    t.true((await pool.submit(endurance.churn, 1)) > 0)
    t.is(exits.length, 1)
    t.true(exits[0]!.signal === 'SIGABRT' || exits[0]!.signal === 'SIGTRAP', String(exits[0]!.signal))
  })
}
