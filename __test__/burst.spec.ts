// Very many calls at once: submit() never blocks, and every call is answered.

import { availableParallelism } from 'node:os'

import type { ProcessPoolExecutor } from 'millrace'
import { tasks } from './fixtures/basic.mjs'
import { test } from './helpers/leaks.js'
import { claimed, Gate, makePool } from './helpers/pool.js'
import { within } from './helpers/waiting.js'

const CALLS = 100_000

const cpuTime = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/**
 * Submits all calls in one synchronous loop, and returns times in milliseconds: `longest`, the longest submit();
 * `hungriest`, the most processor time of a submit(); `all`, the time of all together. On a busy machine time passes
 * while this process does not run.
 */
function submitAll(submit: (index: number) => void): { longest: number; hungriest: number; all: number } {
  const start = performance.now()
  let [longest, hungriest] = [0, 0]
  for (let index = 0; index < CALLS; index++) {
    const [before, cpuBefore] = [performance.now(), cpuTime()]
    submit(index)
    longest = Math.max(longest, performance.now() - before)
    hungriest = Math.max(hungriest, cpuTime() - cpuBefore)
  }
  return { longest, hungriest, all: performance.now() - start }
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
    const settling = new Promise<void>((resolve) => {
      const { longest, hungriest, all } = submitAll((index) => {
        pool.submit(tasks.identity, index).addDoneCallback((future) => {
          if (future.outcome === 'value' && future.resultSync() === index) right++
          if (++settled === CALLS) resolve()
        })
      })
      t.log(`submit(): longest ${longest.toFixed(1)} ms, ${hungriest.toFixed(1)} ms of CPU, all ${all.toFixed(0)} ms`)
      // The promise is a few tens of milliseconds. This limit is a watchdog.
      t.true(hungriest < 1000)
      t.is(settled, 0)
    })
    await within('100,000 calls', settling, () => pool.dumpState())
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
  // Both workers are held meanwhile: however slow this process is, there are calls left to cancel.
  const gate = new Gate(t)
  const held = [pool.submit(tasks.hold, gate.path, 0), pool.submit(tasks.hold, gate.path, 1)]
  await claimed(...held)
  const futures = Array.from({ length: CALLS }, (_, index) => pool.submit(maybe, index))
  for (let index = CALLS - 1; index > 0; index -= 10) if (futures[index]?.cancel()) cancelled.add(index)
  gate.open()
  t.is(cancelled.size, CALLS / 10)
  await Promise.all(held)
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
  t.deepEqual([completed + failed + taken, taken], [CALLS + held.length, cancelled.size])
})

test('short calls are run by few of many workers, whatever those ran before', async (t) => {
  // Not every worker has a processor: there one that works is better than two that are woken.
  const workers = availableParallelism() + 8
  const pool = makePool(t, { maxWorkers: workers })
  const some = (): number => {
    const start = process.hrtime.bigint()
    while (process.hrtime.bigint() - start < 30_000n);
    return process.pid
  }
  const long = (): number => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)
    return process.pid
  }
  const there = new Set<number>()
  while (there.size < workers) {
    const calls = Array.from({ length: workers }, () => pool.submit(long))
    for (const pid of await Promise.all(calls)) there.add(pid)
  }
  // From now on the calls are known to be short. Each worker's last ones were long, but for that of the worker here.
  for (let call = 0; call < 100; call++) await pool.submit(some)
  // A machine that holds workers up makes others take their places: not in each of several attempts.
  let least = workers
  for (let attempt = 0; attempt < 20 && least === workers; attempt++) {
    await Promise.all(Array.from({ length: workers }, () => pool.submit(long)))
    const used = await Promise.all(Array.from({ length: 4 * workers }, () => pool.submit(some)))
    least = Math.min(least, new Set(used).size)
  }
  t.log(`${least} of ${workers} workers`)
  t.true(least < workers)
})
