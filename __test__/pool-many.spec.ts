// Many workers, many pools, and pools in workers.

import { freemem } from 'node:os'
import test from 'ava'
import { importTasks } from 'millrace'
import { pools } from './fixtures/pools.mjs'
import { failureOf, finish, startPool } from './helpers/pools.js'
import { isAlive, workersOf } from './helpers/processes.mjs'
import { until, within } from './helpers/waiting.js'

const WORKERS = 200
/** The memory of a Node process that does next to nothing, with some room. */
const BYTES_PER_WORKER = 40 << 20

test.serial(`${WORKERS} workers sum the squares of a thousand numbers`, async (t) => {
  t.timeout(1_800_000)
  if (freemem() < WORKERS * BYTES_PER_WORKER) {
    t.log(
      `SKIPPED: ${WORKERS} workers need ${(WORKERS * BYTES_PER_WORKER) >> 20} MiB of free memory, there are ${freemem() >> 20}`,
    )
    t.pass()
    return
  }
  const before = workersOf().length
  // The machine starts the workers as fast as it can, which may take minutes.
  const pool = startPool(t, WORKERS, { startTimeout: Infinity, env: { ...process.env, UV_THREADPOOL_SIZE: '1' } })
  // A fork server makes them after the constructor has returned.
  await until('all are there', () => pool.stats().workers.length === WORKERS)
  const numbers = Array.from({ length: 1000 }, (_, n) => n)
  const squares = await pool.map(pools.square, numbers, 1)
  t.is(
    squares.reduce((sum, square) => sum + square, 0),
    332_833_500,
  )
  let idle = 0
  const all = async (): Promise<void> => {
    while ((idle = pool.stats().idle) < WORKERS) await new Promise((resolve) => setTimeout(resolve, 100))
  }
  await all()
  t.is(idle, WORKERS)
  await pool.terminate()
  t.is(workersOf().length, before)
})

test.serial('ten pools at once, closed in another order than they were made', async (t) => {
  const all = Array.from({ length: 10 }, () => startPool(t, 2))
  const maps = all.map((pool, n) =>
    pool.map(
      pools.square,
      Array.from({ length: 100 }, (_, index) => index + n),
    ),
  )
  for (const [n, values] of (await within('all maps', Promise.all(maps))).entries()) {
    t.deepEqual(
      values,
      values.map((_, index) => (index + n) ** 2),
    )
  }
  for (const pool of [...all].reverse()) pool.close()
  await within('all ends', Promise.all(all.map((pool) => pool.join())))
})

test('a pool inside a worker', async (t) => {
  const pool = startPool(t, 2)
  const squares = Array.from({ length: 20 }, (_, n) => n * n)
  t.deepEqual(await Promise.all([pool.apply(pools.squares, [20]), pool.apply(pools.squares, [20])]), [squares, squares])
  await finish(pool)
})

test('pools inside pools, ten levels deep and no deeper', async (t) => {
  const pool = startPool(t, 1)
  const pids = await pool.apply(pools.descend, [3])
  t.is(new Set(pids).size, 4)
  const error = await failureOf(pool.applyAsync(pools.descend, [12]))
  t.is(error.code, 'ERR_MILLRACE_NESTING')
  await finish(pool)
})

test('what a terminated worker has in pools of its own goes with it', async (t) => {
  const pool = startPool(t, 1)
  const inner = await pool.apply(pools.forget)
  t.true(isAlive(inner))
  await pool.terminate()
  await until('it is gone', () => !isAlive(inner))
})

test('a module of tasks that starts a pool when it is loaded is refused in workers, with advice', async (t) => {
  const pool = startPool(t, 1)
  const { task } = importTasks<{ task: () => string }>(new URL('./fixtures/pool-at-load.mjs', import.meta.url))
  const error = await failureOf(pool.applyAsync(task))
  t.is(error.code, 'ERR_MILLRACE_TASK_LOAD')
  t.regex(error.cause.message, /starts a Pool while a worker loads it.*isWorker/s)
  await finish(pool)
})
