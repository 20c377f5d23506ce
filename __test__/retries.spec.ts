// run({ retries }): which calls are repeated, which are not, and what is known of them afterwards.

import {
  BrokenProcessPool,
  CancelledError,
  SerializationError,
  TaskExitError,
  TaskTimeoutError,
  WorkerDiedError,
} from 'millrace'
import { attempts } from './fixtures/attempts.mjs'
import { tasks } from './fixtures/basic.mjs'
import { claimed, failureOf, Gate, Log, makePool, record } from './helpers/pool.js'
import { test } from './helpers/leaks.js'
import { until } from './helpers/waiting.js'

const isolate = { onWorkerDeath: 'isolate', maxWorkers: 1 } as const

test('a call whose worker dies is made again, with the same arguments and the same task number', async (t) => {
  const pool = makePool(t, isolate)
  const replaced = record(pool, 'workerReplace')
  for (const value of [7, { text: 'x'.repeat(600), list: [1, 2] }, new Uint8Array(300_000).fill(3)]) {
    const log = new Log(t)
    t.deepEqual(await pool.run(attempts.dieAtFirst, [log.path, 2, value], { retries: 2 }), value)
    t.is(log.lines.length, 3)
    t.is(new Set(log.lines.map((line) => line.split(' ')[0])).size, 3, 'three workers')
    t.is(new Set(log.lines.map((line) => line.split(' ')[1])).size, 1, 'one task')
  }
  t.deepEqual([pool.stats().completed, pool.stats().failed], [3, 0])
  t.true(replaced.length >= 5)
})

test('the arguments are those of the call, whatever becomes of them afterwards', async (t) => {
  const pool = makePool(t, isolate)
  const log = new Log(t)
  const bytes = new Uint8Array(200_000).fill(1)
  const future = pool.run(attempts.dieAtFirst, [log.path, 1, bytes], { retries: 1 })
  bytes.fill(2)
  t.deepEqual(await future, new Uint8Array(200_000).fill(1))
})

test('the death of the last attempt is the error of the call, and says how many there were', async (t) => {
  const pool = makePool(t, isolate)
  const log = new Log(t)
  const error = await failureOf(pool.run(attempts.dieAtFirst, [log.path, 9, 0], { retries: 2, label: 'row 7' }))
  if (!(error instanceof WorkerDiedError)) return t.fail(String(error))
  t.is(log.lines.length, 3)
  t.is(String(error.pid), log.lines[2]!.split(' ')[0])
  t.is(error.signal, 'SIGKILL')
  for (const part of ['the last of 3 attempts', '[row 7]']) t.true(error.message.includes(part), error.message)
  t.false(error.message.includes('not repeated'))
  t.is(await pool.submit(tasks.add, 1, 2), 3)
})

test('without retries a call is made once, and its error says so', async (t) => {
  const pool = makePool(t, isolate)
  const log = new Log(t)
  const error = (await failureOf(pool.run(attempts.dieAtFirst, [log.path, 9, 0]))) as Error
  t.true(error.message.includes('was not repeated'), error.message)
  t.is(log.lines.length, 1)
})

test('a call that runs too long is made again, whatever a death means', async (t) => {
  for (const onWorkerDeath of ['break', 'isolate'] as const) {
    const pool = makePool(t, { onWorkerDeath, maxWorkers: 1 })
    await pool.submit(attempts.dieAtFirst, new Log(t).path, 0, 0)
    const log = new Log(t)
    const options = { timeout: 200, retries: 1 }
    t.is(await pool.run(attempts.hangAtFirst, [log.path, 1, 'done'], options), 'done')
    t.is(log.lines.length, 2)
    const error = await failureOf(pool.run(attempts.hangAtFirst, [new Log(t).path, 9, 0], options))
    if (!(error instanceof TaskTimeoutError)) return t.fail(String(error))
    t.is(error.timeout, 200)
    t.true(error.message.includes('the last of 2 attempts'), error.message)
  }
})

test('what a task throws, and process.exit() in it, are outcomes', async (t) => {
  const pool = makePool(t, isolate)
  const log = new Log(t)
  t.true((await failureOf(pool.run(attempts.fail, [log.path], { retries: 5 }))) instanceof RangeError)
  t.is(log.lines.length, 1)
  t.true((await failureOf(pool.run(attempts.exit, [log.path], { retries: 5 }))) instanceof TaskExitError)
  t.is(log.lines.length, 2)
})

test('arguments that cannot travel fail the call at once', async (t) => {
  const pool = makePool(t, isolate)
  const log = new Log(t)
  const future = pool.run(attempts.dieAtFirst, [log.path, 9, () => {}], { retries: 5 })
  t.is(future.outcome, 'error')
  t.true((await failureOf(future)) instanceof SerializationError)
  t.deepEqual(log.lines, [])
})

test('under the policy "break" a death breaks the pool all the same', async (t) => {
  const pool = makePool(t, { onWorkerDeath: 'break', maxWorkers: 1 })
  const log = new Log(t)
  t.true(
    (await failureOf(pool.run(attempts.dieAtFirst, [log.path, 1, 0], { retries: 5 }))) instanceof BrokenProcessPool,
  )
  t.is(log.lines.length, 1)
})

test('shutdown() waits for all attempts', async (t) => {
  const pool = makePool(t, isolate)
  const log = new Log(t)
  const future = pool.run(attempts.dieAtFirst, [log.path, 2, 'done'], { retries: 2 })
  await pool.shutdown()
  t.is(future.outcome, 'value')
  t.is(log.lines.length, 3)
})

test('a call between two attempts is pending, and can be cancelled', async (t) => {
  const pool = makePool(t, isolate)
  const log = new Log(t)
  const gate = new Gate(t)
  await pool.submit(tasks.add, 1, 2)
  const poison = pool.run(attempts.dieAtFirst, [log.path, 9, 0], { retries: 9 })
  const behind = pool.submit(tasks.hold, gate.path, 'behind')
  // The repeated call waits behind the other one, which only the gate ends.
  await claimed(behind)
  t.is(poison.state, 'pending')
  t.true(poison.cancel())
  gate.open()
  t.is(await behind, 'behind')
  t.is(log.lines.length, 1)
  t.deepEqual([pool.stats().queued, pool.stats().cancelled], [0, 1])
})

test('a signal ends a call whose attempt was just stopped for its time', async (t) => {
  const pool = makePool(t, isolate)
  const log = new Log(t)
  const abort = new AbortController()
  const options = { retries: 9, timeout: 100, grace: 600_000, signal: abort.signal }
  const future = pool.run(attempts.hangAtFirst, [log.path, 9, 0], options)
  await until('the attempt', () => log.lines.length === 1)
  await new Promise((resolve) => setTimeout(resolve, 250))
  t.is(future.state, 'running', 'in its grace')
  abort.abort(new Error('enough'))
  t.is(future.outcome, 'cancelled')
  await t.throwsAsync(future.result(), { instanceOf: CancelledError })
  t.true(pool.run(tasks.add, [1, 2]).cancel())
  await pool.shutdown({ kill: true })
  t.is(log.lines.length, 1)
})
