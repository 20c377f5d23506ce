// Very many calls at once: submit() never blocks, and every call is answered.

import type { ProcessPoolExecutor } from 'millrace'
import { tasks } from './fixtures/basic.mjs'
import { test } from './helpers/leaks.js'
import { makePool } from './helpers/pool.js'
import { within } from './helpers/waiting.js'

const CALLS = 100_000

/** Submits all calls in one synchronous loop. Milliseconds: of the longest submit(), and of all. */
function submitAll(submit: (index: number) => void): { longest: number; all: number } {
  const start = performance.now()
  let longest = 0
  for (let index = 0, before = start; index < CALLS; index++) {
    submit(index)
    const now = performance.now()
    longest = Math.max(longest, now - before)
    before = now
  }
  return { longest, all: performance.now() - start }
}

const states: Record<string, (pool: ProcessPoolExecutor) => unknown> = {
  'no worker was ever started': () => undefined,
  'both workers are ready': (pool) => Promise.all([pool.submit(tasks.block, 50, 0), pool.submit(tasks.block, 50, 0)]),
}

for (const [state, prepare] of Object.entries(states)) {
  test(`100,000 calls, submitted in one synchronous loop when ${state}, all settle`, async (t) => {
    const pool = makePool(t)
    await prepare(pool)
    const start = performance.now()
    let right = 0
    let settled = 0
    const all = new Promise<void>((resolve) => {
      const times = submitAll((index) => {
        pool.submit(tasks.identity, index).addDoneCallback((future) => {
          if (future.outcome === 'value' && future.resultSync() === index) right++
          if (++settled === CALLS) resolve()
        })
      })
      t.log(`submit(): longest ${times.longest.toFixed(1)} ms, all ${times.all.toFixed(0)} ms`)
      // The promise is a few tens of milliseconds; this is a watchdog.
      t.true(times.longest < 1000)
      t.is(settled, 0)
    })
    await within('100,000 calls', all, () => pool.dumpState())
    t.log(`settled after ${(performance.now() - start).toFixed(0)} ms`)
    t.is(right, CALLS)
    const { queued, running, failed, cancelled, workers } = pool.stats()
    t.deepEqual([queued, running, failed, cancelled, workers.length], [0, 0, 0, 0, 2])
  })
}

test('100,000 calls that fail, are cancelled, or return, each as it should', async (t) => {
  const pool = makePool(t)
  const maybe = (index: number): number => {
    if (index % 10 === 1) throw index
    return index
  }
  let wrong = 0
  const cancelled = new Set<number>()
  const futures = Array.from({ length: CALLS }, (_, index) => pool.submit(maybe, index))
  for (let index = CALLS - 1; index > 0; index -= 10) if (futures[index]?.cancel()) cancelled.add(index)
  t.true(cancelled.size > 0)
  await within('100,000 calls', Promise.all(futures.map((future) => future.exception().catch(() => {}))), () =>
    pool.dumpState(),
  )
  for (const [index, future] of futures.entries()) {
    const expected = cancelled.has(index) ? 'cancelled' : index % 10 === 1 ? 'error' : 'value'
    if (future.outcome !== expected) wrong++
    else if (expected === 'value' && future.resultSync() !== index) wrong++
    else if (expected === 'error' && (await future.exception()) !== index) wrong++
  }
  t.is(wrong, 0)
  const { completed, failed, cancelled: taken } = pool.stats()
  t.deepEqual([completed + failed + taken, taken], [CALLS, cancelled.size])
})
