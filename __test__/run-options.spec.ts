// run(): signal, timeout, grace, label, and wrong options.

import { EventEmitter } from 'node:events'
import { CancelledError, type RunOptions, TaskTimeoutError, TimeoutError } from 'millrace'
import { exits } from './fixtures/exits.mjs'
import { tasks } from './fixtures/basic.mjs'
import { test } from './helpers/leaks.js'
import { isAlive } from './helpers/processes.mjs'
import { claimed, failureOf, Gate, Log, makePool, record } from './helpers/pool.js'
import { moment, until, within } from './helpers/waiting.js'

const twice = new ArrayBuffer(1)
const detached = new ArrayBuffer(1)
structuredClone(detached, { transfer: [detached] })

const wrong: [options: unknown, name: string, code: string][] = [
  [null, 'options', 'ERR_INVALID_ARG_TYPE'],
  [7, 'options', 'ERR_INVALID_ARG_TYPE'],
  [{ signal: {} }, 'options.signal', 'ERR_INVALID_ARG_TYPE'],
  [{ signal: null }, 'options.signal', 'ERR_INVALID_ARG_TYPE'],
  [{ timeout: '5' }, 'options.timeout', 'ERR_INVALID_ARG_TYPE'],
  [{ timeout: true }, 'options.timeout', 'ERR_INVALID_ARG_TYPE'],
  [{ timeout: null }, 'options.timeout', 'ERR_INVALID_ARG_TYPE'],
  [{ timeout: 0 }, 'options.timeout', 'ERR_OUT_OF_RANGE'],
  [{ timeout: -1 }, 'options.timeout', 'ERR_OUT_OF_RANGE'],
  [{ timeout: NaN }, 'options.timeout', 'ERR_OUT_OF_RANGE'],
  [{ grace: '5' }, 'options.grace', 'ERR_INVALID_ARG_TYPE'],
  [{ grace: -1 }, 'options.grace', 'ERR_OUT_OF_RANGE'],
  [{ grace: NaN }, 'options.grace', 'ERR_OUT_OF_RANGE'],
  [{ retries: 1.5 }, 'options.retries', 'ERR_OUT_OF_RANGE'],
  [{ retries: -1 }, 'options.retries', 'ERR_OUT_OF_RANGE'],
  [{ retries: '1' }, 'options.retries', 'ERR_INVALID_ARG_TYPE'],
  [{ retries: Infinity }, 'options.retries', 'ERR_OUT_OF_RANGE'],
  [{ retries: 2 ** 32 }, 'options.retries', 'ERR_OUT_OF_RANGE'],
  [{ transfer: {} }, 'options.transfer', 'ERR_INVALID_ARG_TYPE'],
  [{ transfer: [new Uint8Array(1)] }, 'options.transfer[0]', 'ERR_INVALID_ARG_TYPE'],
  [{ transfer: [new SharedArrayBuffer(1)] }, 'options.transfer[0]', 'ERR_INVALID_ARG_TYPE'],
  [{ transfer: [twice, twice] }, 'options.transfer[1]', 'ERR_INVALID_ARG_VALUE'],
  [{ transfer: [detached] }, 'options.transfer[0]', 'ERR_INVALID_ARG_VALUE'],
  [{ label: 7 }, 'options.label', 'ERR_INVALID_ARG_TYPE'],
  [{ label: null }, 'options.label', 'ERR_INVALID_ARG_TYPE'],
]

test('wrong options are refused at the call by name, and nothing of the call is kept', (t) => {
  const pool = makePool(t)
  for (const [options, name, code] of wrong) {
    const error = t.throws(() => pool.run(tasks.add, [1, 2], options as RunOptions), { any: true } as never) as unknown
    t.true(error instanceof (code === 'ERR_OUT_OF_RANGE' ? RangeError : TypeError), `${name}: ${String(error)}`)
    t.is((error as NodeJS.ErrnoException).code, code)
    t.true((error as Error).message.includes(`"${name}"`), (error as Error).message)
  }
  t.deepEqual([pool.stats().queued, pool.stats().failed, pool.stats().workers.length], [0, 0, 0])
})

test('options that mean the default change nothing', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const options: RunOptions[] = [
    {},
    { signal: undefined, timeout: undefined, grace: undefined, retries: undefined, label: undefined },
    { timeout: Infinity, grace: 0, retries: 0 },
    { retries: 2 ** 32 - 1 },
    { timeout: 1e300, grace: 1e300 },
    { timeout: 60_000, signal: new AbortController().signal, label: '' },
  ]
  for (const one of options) t.is(await pool.run(tasks.add, [1, 2], one), 3)
})

// ---- timeout --------------------------------------------------------------------------------------------------------

test('a call that runs longer than its timeout fails with TaskTimeoutError, and its worker is replaced', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const exited = record(pool, 'workerExit')
  const log = new Log(t)
  // The time in which a worker loads the task's module counts, and may be long on a busy machine.
  await pool.submit(exits.setExitCode, 0)
  const future = pool.run(exits.spin, [log.path], { timeout: 300, label: 'slow' })
  const error = (await failureOf(future)) as TaskTimeoutError
  t.true(error instanceof TaskTimeoutError && error instanceof TimeoutError, String(error))
  t.is(error.code, 'ERR_MILLRACE_TASK_TIMEOUT')
  t.is(error.timeout, 300)
  t.is(String(error.pid), log.lines[0]!)
  for (const part of ["'spin' [slow]", '300 ms', `${error.pid}`]) t.true(error.message.includes(part), error.message)
  t.not(await pool.submit(tasks.pid), error.pid)
  t.false(isAlive(error.pid))
  t.deepEqual([exited[0]!.reason, exited[0]!.signal], ['killed', 'SIGTERM'])
})

test('the clock starts when a worker claims the call, not when it is submitted', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const gate = new Gate(t)
  const held = pool.submit(tasks.hold, gate.path, 0)
  await claimed(held)
  // Longer than the worker's start, shorter than the wait.
  const timed = pool.run(tasks.add, [1, 2], { timeout: 400 })
  await moment(600)
  t.is(timed.state, 'pending')
  gate.open()
  t.is(await timed, 3)
})

test('the start of the worker does not count', async (t) => {
  const initializer = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 700))
  const pool = makePool(t, { maxWorkers: 1, initializer })
  t.is(await pool.run((a: number, b: number) => a + b, [1, 2], { timeout: 500 }), 3)
})

test('a call that ends in time is left alone, and so is the next one on its worker', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  await pool.submit(tasks.pid)
  const pid = await pool.run(tasks.pid, [], { timeout: 400 })
  t.is(await pool.submit(tasks.sleep, 600, pid), pid)
  t.is(await pool.submit(tasks.pid), pid)
})

test('a timeout fails only its call: those that are queued behind it run on another worker', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const log = new Log(t)
  await Promise.all(Array.from({ length: 300 }, (_, index) => pool.submit(tasks.add, index, 1)))
  const timed = pool.run(tasks.sleep, [60_000, 0], { timeout: 50 })
  const rest = Array.from({ length: 20 }, (_, index) => pool.submit(tasks.append, log.path, index))
  t.true((await failureOf(timed)) instanceof TaskTimeoutError)
  await within('the rest', Promise.all(rest), () => pool.dumpState())
  t.deepEqual(
    log.lines,
    rest.map((_, index) => String(index)),
  )
})

test('many calls with timeouts: exactly those that are too slow fail', async (t) => {
  const pool = makePool(t, { maxWorkers: 2 })
  const futures = Array.from({ length: 24 }, (_, index) => {
    const slow = index % 6 === 0
    return pool.run(tasks.sleep, [slow ? 60_000 : 1, index], { timeout: slow ? 30 : 30_000 })
  })
  const outcomes = await within('all', Promise.all(futures.map((future) => future.exception())), () => pool.dumpState())
  t.deepEqual(
    outcomes.map((outcome) => outcome instanceof TaskTimeoutError),
    futures.map((_, index) => index % 6 === 0),
  )
})

// ---- grace ----------------------------------------------------------------------------------------------------------

test('with a grace the task sees its signal and may clean up, and its worker stays if it ends in time', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const log = new Log(t)
  const pid = await pool.submit(tasks.pid)
  const timed = pool.run(exits.cleanUp, [log.path, 20], { timeout: 60, grace: 30_000 })
  t.true((await failureOf(timed)) instanceof TaskTimeoutError)
  t.is(await pool.submit(tasks.pid), pid)
  t.deepEqual(log.lines, [`started ${pid}`, 'cleaned up after AbortError'])
  t.is(pool.stats().restarts, 0)
})

test('cancel({ kill }) and an aborted signal respect the grace, too', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const log = new Log(t)
  const pid = await pool.submit(tasks.pid)
  const killed = pool.run(exits.cleanUp, [log.path, 5], { grace: 30_000 })
  await until('it to run', () => log.lines.length === 1)
  t.true(killed.cancel({ kill: true }))
  t.true(killed.cancelled())
  const controller = new AbortController()
  const aborted = pool.run(exits.cleanUp, [log.path, 5], { grace: 30_000, signal: controller.signal })
  await until('the next one to run', () => log.lines.length === 3)
  controller.abort()
  t.true(aborted.cancelled())
  t.is(await pool.submit(tasks.pid), pid)
  t.is(log.lines.length, 4)
})

test('a task that computes sees within its grace that it is to stop, and its worker stays', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const pid = await pool.submit(tasks.pid)
  for (const way of ['throwIfStopped', 'throwIfAborted', 'aborted']) {
    const log = new Log(t)
    const timed = pool.run(exits.compute, [log.path, way], { timeout: 60, grace: 30_000 })
    t.true((await failureOf(timed)) instanceof TaskTimeoutError)
    const killed = pool.run(exits.compute, [log.path, way], { grace: 30_000 })
    await until('it to run', () => log.lines.length === 3)
    t.true(killed.cancel({ kill: true }))
    t.is(await pool.submit(tasks.pid), pid)
    const seen = `AbortError ${way === 'throwIfStopped' ? 0 : 1}`
    t.deepEqual(log.lines, [`started ${pid}`, seen, `started ${pid}`, seen])
  }
  t.is(pool.stats().restarts, 0)
  t.false((await pool.submit(tasks.context))?.aborted, 'the next call is not stopped')
})

test('a task that does not end within its grace is stopped after it', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const exited = record(pool, 'workerExit')
  const log = new Log(t)
  const stopped = pool.run(exits.cleanUp, [log.path, 60_000], { grace: 100 })
  await until('it to run', () => log.lines.length === 1)
  t.true(stopped.cancel({ kill: true }))
  await until('the worker to be gone', () => exited.length === 1)
  t.deepEqual([exited[0]!.reason, exited[0]!.signal], ['killed', 'SIGTERM'])
  t.is(log.lines.length, 1)
  t.is(await pool.submit(tasks.add, 1, 2), 3)
})

// ---- signal ---------------------------------------------------------------------------------------------------------

test('a signal that is aborted already: the future is cancelled with its reason, and nothing is sent', async (t) => {
  const pool = makePool(t)
  const future = pool.run(tasks.add, [1, 2], { signal: AbortSignal.abort('not today') })
  t.true(future.cancelled())
  const error = await t.throwsAsync(future.result(), { instanceOf: CancelledError, code: 'ERR_MILLRACE_CANCELLED' })
  t.is(error?.cause, 'not today')
  t.deepEqual(pool.stats().workers, [])
})

test('a signal that is aborted while the call waits: it never runs, and no worker is hurt', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const gate = new Gate(t)
  const log = new Log(t)
  const held = pool.submit(tasks.hold, gate.path, 'held')
  await claimed(held)
  const controller = new AbortController()
  const future = pool.run(tasks.append, [log.path, 'ran'], { signal: controller.signal })
  const reason = new Error('changed my mind')
  controller.abort(reason)
  t.true(future.cancelled())
  t.is((await t.throwsAsync(future.result(), { instanceOf: CancelledError }))?.cause, reason)
  gate.open()
  t.is(await held, 'held')
  t.deepEqual(log.lines, [])
  t.is(pool.stats().restarts, 0)
})

test('a signal that is aborted while the call runs: it is stopped, its worker replaced', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const log = new Log(t)
  const controller = new AbortController()
  const future = pool.run(exits.spin, [log.path], { signal: controller.signal })
  await until('it to run', () => log.lines.length === 1)
  controller.abort()
  t.true(future.cancelled())
  const error = await t.throwsAsync(future.result(), { instanceOf: CancelledError })
  t.is((error!.cause as Error).name, 'AbortError')
  t.not(String(await pool.submit(tasks.pid)), log.lines[0]!)
})

test('a signal that is aborted afterwards changes nothing, and is not kept from being collected', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const controller = new AbortController()
  const future = pool.run(tasks.pid, [], { signal: controller.signal })
  t.is(EventEmitter.getEventListeners(controller.signal, 'abort').length, 1)
  const pid = await future
  t.is(EventEmitter.getEventListeners(controller.signal, 'abort').length, 0)
  controller.abort()
  t.is(future.outcome, 'value')
  t.is(await pool.submit(tasks.pid), pid)
})

test('a signal that is aborted by a getter of an argument cancels the call', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  await pool.submit(tasks.pid)
  const controller = new AbortController()
  const line = {
    get text() {
      controller.abort('on second thoughts')
      return 'ran'
    },
  }
  const future = pool.run(tasks.sleep, [60_000, line], { signal: controller.signal })
  t.true(future.cancelled())
  const error = await t.throwsAsync(future.result(), { instanceOf: CancelledError })
  t.is(error?.cause, 'on second thoughts')
  t.is(EventEmitter.getEventListeners(controller.signal, 'abort').length, 0)
  t.is(await pool.submit(tasks.add, 1, 2), 3)
})

test('many calls share a signal: one listener, no warning, cancelled in the order of their submission', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const warnings: Error[] = []
  const onWarning = (warning: Error): void => void warnings.push(warning)
  process.on('warning', onWarning)
  t.teardown(() => process.off('warning', onWarning))
  const controller = new AbortController()
  const { signal } = controller
  const gate = new Gate(t)
  const first = pool.run(tasks.hold, [gate.path, 'value'], { signal })
  const order: number[] = []
  const futures = Array.from({ length: 50 }, (_, index) =>
    pool.run(tasks.sleep, [60_000, index], { signal }).addDoneCallback(() => order.push(index)),
  )
  t.is(EventEmitter.getEventListeners(signal, 'abort').length, 1)
  gate.open()
  t.is(await first, 'value')
  futures[7]!.cancel()
  t.is(EventEmitter.getEventListeners(signal, 'abort').length, 1)
  controller.abort('enough')
  t.true(futures.every((future) => future.cancelled()))
  t.deepEqual(order, [7, ...Array.from({ length: 50 }, (_, index) => index).filter((index) => index !== 7)])
  t.is(EventEmitter.getEventListeners(signal, 'abort').length, 0)
  await moment()
  t.deepEqual(warnings, [])
})

test('a signal that many calls share is let go of when they are over, and may be used again', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const { signal } = new AbortController()
  for (let round = 0; round < 3; round++) {
    await Promise.all(Array.from({ length: 500 }, () => pool.run(tasks.add, [1, 2], { signal })))
    t.is(EventEmitter.getEventListeners(signal, 'abort').length, 0)
  }
})

test('one signal may stop many calls, and AbortSignal.timeout() works', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const signal = AbortSignal.timeout(100)
  const futures = Array.from({ length: 5 }, () => pool.run(tasks.sleep, [60_000, 0], { signal }))
  const errors = await Promise.all(
    futures.map((future) => t.throwsAsync(future.result(), { instanceOf: CancelledError })),
  )
  t.true(errors.every((error) => (error!.cause as Error).name === 'TimeoutError'))
  t.is(await pool.submit(tasks.add, 1, 2), 3)
})

test('arguments may be left out, with options behind them too', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  t.is(await pool.run(tasks.pid), await pool.run(tasks.pid, undefined, { timeout: 60_000 }))
  t.is(await pool.run((n = 7) => n, undefined, { retries: 1 }), 7)
})
