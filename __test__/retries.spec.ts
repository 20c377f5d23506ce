// run({ retries }): which calls are repeated, which are not, and what is known of them afterwards.

import { AsyncLocalStorage } from 'node:async_hooks'
import { spawnSync } from 'node:child_process'
import { getEventListeners } from 'node:events'
import type { ExecutionContext } from 'ava'
import {
  BrokenProcessPool,
  CancelledError,
  type Future,
  InvalidStateError,
  QueueFullError,
  type ProcessPoolExecutor,
  type RunOptions,
  SerializationError,
  SharedBuffer,
  ShutdownError,
  TaskExitError,
  TaskTimeoutError,
  TimeoutError,
  WorkerDiedError,
} from 'millrace'
import { attempts } from './fixtures/attempts.mjs'
import { tasks } from './fixtures/basic.mjs'
import { claimed, failureOf, Gate, Log, makePool, record, startBoth } from './helpers/pool.js'
import { test } from './helpers/leaks.js'
import { moment, until } from './helpers/waiting.js'

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

// ---- Retries with pauses, and with reasons of the caller's ----------------------------------------------------------

const always = (): boolean => true
/** Longer than any test: ended by what the test does. */
const LONG = 10 * 60_000

/** A call that is in a long pause, after its first attempt has thrown. */
async function paused(
  t: ExecutionContext,
  pool: ProcessPoolExecutor,
  options: RunOptions = {},
): Promise<{ future: Future<string>; log: Log }> {
  const log = new Log(t)
  const retries = { limit: 3, delay: LONG, when: always }
  const future = pool.run(attempts.throwAtFirst, [log.path, 1, 'done'], { retries, ...options })
  await until('the pause', () => log.lines.length === 1 && pool.stats().queued === 1)
  return { future, log }
}

test('a limit alone is a number: deaths and time-outs count, and nothing else does', async (t) => {
  const pool = makePool(t, isolate)
  const log = new Log(t)
  t.is(await pool.run(attempts.dieAtFirst, [log.path, 2, 'done'], { retries: { limit: 2 } }), 'done')
  t.is(log.lines.length, 3)
  const failing = new Log(t)
  t.true((await failureOf(pool.run(attempts.fail, [failing.path], { retries: { limit: 2 } }))) instanceof RangeError)
  t.is(failing.lines.length, 1)
})

test('after a pause the call is made again, with the same arguments, number and label', async (t) => {
  const pool = makePool(t, isolate)
  for (const value of [7, { text: 'x'.repeat(600), list: [1, 2] }, new Uint8Array(300_000).fill(3)]) {
    const log = new Log(t)
    const options = { retries: { limit: 2, delay: 30 }, label: 'row 7' }
    const began = performance.now()
    t.deepEqual(await pool.run(attempts.dieAtFirst, [log.path, 2, value], options), value)
    t.true(performance.now() - began >= 60)
    t.is(log.lines.length, 3)
    t.is(new Set(log.lines.map((line) => line.split(' ')[1])).size, 1, 'one task')
    t.deepEqual(await pool.run(attempts.tellCall, [new Log(t).path, 1], options), { label: 'row 7', attempt: 2 })
  }
  t.deepEqual([pool.stats().completed, pool.stats().failed, pool.stats().queued], [6, 0, 0])
  const next = pool.submit(attempts.tellCall, new Log(t).path, 0)
  t.true(String(next).includes('#7'), 'further attempts take no numbers')
  await next
})

test('the arguments are those of the call in later attempts as well', async (t) => {
  const pool = makePool(t, isolate)
  const retries = { limit: 1, delay: 10, when: always }
  const changing = { text: 'before', list: [1] }
  const bytes = new Uint8Array(200_000).fill(1)
  const [first, second] = [new Log(t), new Log(t)]
  const one = pool.run(attempts.throwAtFirst, [first.path, 1, changing], { retries })
  const two = pool.run(attempts.throwAtFirst, [second.path, 1, bytes], { retries })
  changing.text = 'after'
  changing.list.push(2)
  bytes.fill(2)
  t.deepEqual(await one, { text: 'before', list: [1] })
  t.deepEqual(await two, new Uint8Array(200_000).fill(1))
})

test('what is transferred is gone here, and arrives in each attempt', async (t) => {
  const pool = makePool(t, isolate)
  await pool.submit(tasks.pid)
  const retries = { limit: 2, delay: 5, when: always }
  const plain = new Uint8Array(200_000).fill(4)
  const future = pool.run(attempts.throwAtFirst, [new Log(t).path, 2, plain], { retries, transfer: [plain.buffer] })
  t.is(plain.byteLength, 0)
  t.deepEqual(await future, new Uint8Array(200_000).fill(4))
  const shared = SharedBuffer.allocate(200_000, pool)
  new Uint8Array(shared).fill(5)
  const options = { retries, transfer: [shared] }
  const moved = pool.run(attempts.throwAtFirst, [new Log(t).path, 2, shared as ArrayBuffer], options)
  t.true(shared.moved)
  t.deepEqual(new Uint8Array(await moved), new Uint8Array(200_000).fill(5))
})

test('when decides on what the task throws, on exits and on deaths, with the number of the attempt', async (t) => {
  const pool = makePool(t, isolate)
  const asked: [string, number][] = []
  const when = (error: unknown, attempt: number): boolean => {
    asked.push([(error as Error).name, attempt])
    return !(error instanceof RangeError)
  }
  const retries = { limit: 2, when }
  t.is(await pool.run(attempts.throwAtFirst, [new Log(t).path, 2, 'done'], { retries }), 'done')
  const refused = new Log(t)
  t.true((await failureOf(pool.run(attempts.fail, [refused.path], { retries }))) instanceof RangeError)
  t.is(refused.lines.length, 1)
  const exits = new Log(t)
  t.true((await failureOf(pool.run(attempts.exit, [exits.path], { retries }))) instanceof TaskExitError)
  t.is(exits.lines.length, 3)
  const deaths = new Log(t)
  t.true((await failureOf(pool.run(attempts.dieAtFirst, [deaths.path, 9, 0], { retries }))) instanceof WorkerDiedError)
  t.is(deaths.lines.length, 3)
  t.deepEqual(asked, [
    ['Error', 1],
    ['Error', 2],
    ['RangeError', 1],
    ['TaskExitError', 1],
    ['TaskExitError', 2],
    ['WorkerDiedError', 1],
    ['WorkerDiedError', 2],
  ])
  const { completed, failed, cancelled, queued, running } = pool.stats()
  t.deepEqual(
    { completed, failed, cancelled, queued, running },
    { completed: 1, failed: 3, cancelled: 0, queued: 0, running: 0 },
  )
})

test('when is called in the async context of the call', async (t) => {
  const pool = makePool(t, isolate)
  const storage = new AsyncLocalStorage<string>()
  const seen: unknown[] = []
  const retries = { limit: 1, when: () => seen.push(storage.getStore()) > 0 }
  await storage.run('mine', () => pool.run(attempts.throwAtFirst, [new Log(t).path, 1, 0], { retries }).result())
  t.deepEqual(seen, ['mine'])
})

test('what when throws is the error of the call, with the failure as its cause', async (t) => {
  const pool = makePool(t, isolate)
  const mistake = new TypeError('a mistake')
  const retries = {
    limit: 3,
    when: (): boolean => {
      throw mistake
    },
  }
  const log = new Log(t)
  t.is(await failureOf(pool.run(attempts.fail, [log.path], { retries })), mistake)
  t.true(mistake.cause instanceof RangeError)
  t.is(log.lines.length, 1)
  t.is(await pool.submit(tasks.add, 1, 2), 3)
})

test('the error of an attempt says which of how many it was', async (t) => {
  const pool = makePool(t, isolate)
  const messages: string[] = []
  const when = (error: unknown): boolean => messages.push((error as Error).message) > 0
  const options = { retries: { limit: 2, when }, label: 'row 7' }
  const last = (await failureOf(pool.run(attempts.dieAtFirst, [new Log(t).path, 9, 0], options))) as Error
  messages.push(last.message)
  for (const [index, message] of messages.entries()) {
    t.true(message.includes(`It was attempt ${index + 1} of at most 3`), message)
    t.true(message.includes('[row 7]'), message)
    t.false(message.includes('not repeated'), message)
  }
  const retries = { limit: 1, delay: 1 }
  const late = (await failureOf(
    pool.run(attempts.hangAtFirst, [new Log(t).path, 9, 0], { retries, timeout: 100 }),
  )) as Error
  t.true(late instanceof TaskTimeoutError)
  t.true(late.message.includes('It was attempt 2 of at most 2'), late.message)
  t.false(late.message.includes('is being stopped'), late.message)
})

test('an attempt that was stopped for its time is over before the next one starts', async (t) => {
  const pool = makePool(t, { onWorkerDeath: 'isolate' })
  await startBoth(t, pool)
  const log = new Log(t)
  const options = { retries: { limit: 1, delay: 1 }, timeout: 100, grace: LONG }
  t.is(await pool.run(attempts.leaveAtFirst, [log.path, 1], options), 2)
  t.deepEqual(
    log.lines.map((line) => (line === 'end' ? line : 'start')),
    ['start', 'end', 'start', 'end'],
  )
  const hanging = new Log(t)
  t.is(await pool.run(attempts.hangAtFirst, [hanging.path, 1, 'done'], { ...options, grace: 0 }), 'done')
  t.is(hanging.lines.length, 2)
})

test('a pause holds no worker', async (t) => {
  const pool = makePool(t, isolate)
  const { future } = await paused(t, pool)
  t.is(await pool.submit(tasks.add, 1, 2), 3)
  t.is(future.state, 'pending')
  t.is(pool.stats().running, 0)
  t.true(pool.dumpState().includes('throwAtFirst'), pool.dumpState())
})

test('a call in a pause can be cancelled', async (t) => {
  const pool = makePool(t, isolate)
  const { future, log } = await paused(t, pool)
  await t.throwsAsync(future.result({ timeout: 20 }), { instanceOf: TimeoutError })
  t.true(future.cancel())
  t.is(future.state, 'cancelled')
  t.deepEqual([pool.stats().queued, pool.stats().cancelled], [0, 1])
  const other = await paused(t, pool)
  t.true(other.future.cancel({ kill: true }))
  await pool.shutdown()
  t.deepEqual([log.lines.length, other.log.lines.length], [1, 1])
})

test('a signal ends a pause', async (t) => {
  const pool = makePool(t, isolate)
  const abort = new AbortController()
  const { future } = await paused(t, pool, { signal: abort.signal })
  const reason = new Error('enough')
  abort.abort(reason)
  t.is(future.outcome, 'cancelled')
  t.like(await t.throwsAsync(future.result(), { instanceOf: CancelledError }), { cause: reason })
  t.is(getEventListeners(abort.signal, 'abort').length, 0)
})

test('a signal ends a call that is stopped for its time, in its grace', async (t) => {
  const pool = makePool(t, isolate)
  const log = new Log(t)
  const abort = new AbortController()
  const options = { retries: { limit: 9, delay: 1 }, timeout: 100, grace: LONG, signal: abort.signal }
  const future = pool.run(attempts.hangAtFirst, [log.path, 9, 9], options)
  await until('the attempt', () => log.lines.length === 1)
  await new Promise((resolve) => setTimeout(resolve, 250))
  t.is(future.state, 'running', 'in its grace')
  abort.abort(new Error('enough'))
  t.is(future.outcome, 'cancelled')
  await pool.shutdown({ kill: true })
  t.is(log.lines.length, 1)
})

test('when may cancel its own call, or the pool', async (t) => {
  const pool = makePool(t, isolate)
  let cancelled: boolean | undefined
  const retries = { limit: 3, when: () => (cancelled = future.cancel()) }
  const future: Future<unknown> = pool.run(attempts.fail, [new Log(t).path], { retries })
  await t.throwsAsync(future.result(), { instanceOf: CancelledError })
  t.true(cancelled)
  let waited: unknown
  const waiting = {
    limit: 3,
    when: () => {
      waited = t.throws(() => other.resultSync(), { any: true } as never)
      return false
    },
  }
  const other: Future<unknown> = pool.run(attempts.fail, [new Log(t).path], { retries: waiting })
  t.true((await failureOf(other)) instanceof RangeError)
  t.true(waited instanceof InvalidStateError, String(waited))
  const killing = {
    limit: 3,
    when: () => {
      void pool.killWorkers()
      return true
    },
  }
  const last = pool.run(attempts.fail, [new Log(t).path], { retries: killing })
  await t.throwsAsync(last.result(), { instanceOf: CancelledError })
  await pool.shutdown()
})

test('resultSync() waits through pauses, also those of other calls', async (t) => {
  const pool = makePool(t, isolate)
  const retries = { limit: 3, delay: 20, when: always }
  const [log, behind] = [new Log(t), new Log(t)]
  const other = pool.run(attempts.throwAtFirst, [behind.path, 1, 'other'], {
    retries: { limit: 1, delay: 1, when: always },
  })
  t.is(pool.run(attempts.throwAtFirst, [log.path, 3, 'done'], { retries }).resultSync(), 'done')
  t.is(log.lines.length, 4)
  t.is(behind.lines.length, 2)
  t.is(await other, 'other')
  const { future } = await paused(t, pool)
  t.throws(() => future.resultSync({ timeout: 20 }), { instanceOf: TimeoutError })
})

test('shutdown() waits for calls in a pause, and for all their attempts', async (t) => {
  const pool = makePool(t, isolate)
  const log = new Log(t)
  const retries = { limit: 3, delay: 100, when: always }
  const future = pool.run(attempts.throwAtFirst, [log.path, 3, 'done'], { retries })
  await until('the pause', () => log.lines.length === 1 && pool.stats().queued === 1)
  const shutdown = pool.shutdown()
  t.throws(() => pool.submit(tasks.pid), { instanceOf: ShutdownError })
  await shutdown
  t.is(future.outcome, 'value')
  t.is(log.lines.length, 4)
})

test('shutdown({ cancelFutures }) and killWorkers() cancel what is in a pause', async (t) => {
  for (const end of [
    (pool: ProcessPoolExecutor) => pool.shutdown({ cancelFutures: true }),
    (pool: ProcessPoolExecutor) => pool.shutdown({ kill: true }),
    (pool: ProcessPoolExecutor) => pool.killWorkers(),
    (pool: ProcessPoolExecutor) => pool.terminateWorkers(),
  ]) {
    const pool = makePool(t, isolate)
    const { future, log } = await paused(t, pool)
    await end(pool)
    t.is(future.outcome, 'cancelled')
    t.is(log.lines.length, 1)
    t.deepEqual([pool.stats().cancelled, pool.stats().failed], [1, 0])
  }
})

test('a pool that breaks fails the calls that are in a pause', async (t) => {
  const pool = makePool(t, { onWorkerDeath: 'break', maxWorkers: 1 })
  const { future } = await paused(t, pool)
  const dying = pool.submit(attempts.dieAtFirst, new Log(t).path, 1, 0)
  t.true((await failureOf(dying)) instanceof BrokenProcessPool)
  t.true((await failureOf(future)) instanceof BrokenProcessPool)
})

test('a later attempt has room also in a full queue', async (t) => {
  const pool = makePool(t, { ...isolate, maxQueue: 0 })
  const log = new Log(t)
  const gate = new Gate(t)
  const retries = { limit: 1, delay: 50, when: always }
  const future = pool.run(attempts.throwAtFirst, [log.path, 1, 'done'], { retries })
  await until('the pause', () => log.lines.length === 1 && pool.stats().queued === 1)
  const held = pool.submit(tasks.hold, gate.path, 'held')
  await claimed(held)
  t.throws(() => pool.submit(tasks.pid), { instanceOf: QueueFullError })
  await moment(150)
  t.is(future.state, 'pending')
  gate.open()
  t.deepEqual(await Promise.all([held, future]), ['held', 'done'])
})

test('an executor that is unref’d does not hold its program in a pause', async (t) => {
  const program = `
    import { ProcessPoolExecutor } from 'millrace'
    const pool = new ProcessPoolExecutor({ maxWorkers: 1, execArgv: [] })
    const when = () => { console.log('failed'); pool.unref(); return true }
    pool.run(() => { throw new Error('no') }, [], { retries: { limit: 1, delay: ${LONG}, when } })
  `
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    cwd: new URL('..', import.meta.url),
  })
  t.deepEqual([status, stdout, stderr], [0, 'failed\n', ''])
})

test('a pause holds the program of an executor that is not unref’d', async (t) => {
  const program = `
    import { ProcessPoolExecutor } from 'millrace'
    const pool = new ProcessPoolExecutor({ maxWorkers: 1, execArgv: [] })
    let attempts = 0
    const retries = { limit: 1, delay: 300, when: () => ++attempts > 0 }
    const future = pool.run(() => { throw new Error('no') }, [], { retries })
    future.exception().then(({ message }) => console.log(message, attempts))
  `
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    cwd: new URL('..', import.meta.url),
  })
  t.deepEqual([status, stdout, stderr], [0, 'no 1\n', ''])
})
