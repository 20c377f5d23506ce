// Shutdown with all combinations of its options. Better than in Python: cancelling sticks and is synchronous, every
// waiting shutdown waits, and a shutdown can be limited and enforced.

import {
  BrokenProcessPool,
  CancelledError,
  type Future,
  ShutdownError,
  type ShutdownOptions,
  TimeoutError,
  WorkerTerminatedError,
} from 'millrace'
import { exits } from './fixtures/exits.mjs'
import { tasks } from './fixtures/basic.mjs'
import { test } from './helpers/leaks.js'
import { childrenOf, isAlive, workersOf } from './helpers/processes.mjs'
import { claimed, failureOf, Gate, Log, makePool, record } from './helpers/pool.js'
import { moment, until, within } from './helpers/waiting.js'

test('shutdown() runs everything that there is, then the workers are gone', async (t) => {
  const pool = makePool(t, { maxWorkers: 2 })
  const exited = record(pool, 'workerExit')
  const futures = Array.from({ length: 50 }, (_, index) => pool.submit(tasks.sleep, index % 5, index))
  await within('shutdown()', pool.shutdown(), () => pool.dumpState())
  t.deepEqual(childrenOf(), [])
  t.true(futures.every((future) => future.done()))
  t.deepEqual(
    await Promise.all(futures),
    futures.map((_, index) => index),
  )
  t.deepEqual(
    exited.map(({ reason, exitCode, signal }) => [reason, exitCode, signal]),
    [
      ['shutdown', 0, null],
      ['shutdown', 0, null],
    ],
  )
})

test('shutdown({ wait: false }) returns at once, and everything runs all the same', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const gate = new Gate(t)
  const futures = [
    pool.submit(tasks.hold, gate.path, 0),
    pool.submit(tasks.identity, 1),
    pool.submit(tasks.identity, 2),
  ]
  await claimed(futures[0]!)
  await within('shutdown({ wait: false })', pool.shutdown({ wait: false }))
  t.false(futures[0]!.done())
  t.is(workersOf().length, 1)
  gate.open()
  t.deepEqual(await Promise.all(futures), [0, 1, 2])
  await until('the worker to leave', () => childrenOf().length === 0)
})

test('shutdown({ cancelFutures }) cancels, before it returns, all that no worker has claimed', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const gate = new Gate(t)
  const log = new Log(t)
  const held = pool.submit(tasks.hold, gate.path, 'held')
  await claimed(held)
  const waiting = Array.from({ length: 20 }, (_, index) => pool.submit(tasks.append, log.path, index))
  const order: number[] = []
  waiting.forEach((future, index) => future.addDoneCallback(() => order.push(index)))
  const stopped = pool.shutdown({ cancelFutures: true })
  t.true(waiting.every((future) => future.cancelled()))
  t.deepEqual(
    order,
    waiting.map((_, index) => index),
  )
  t.false(held.done())
  gate.open()
  await stopped
  t.is(await held, 'held')
  t.deepEqual(log.lines, [])
  for (const future of waiting) await t.throwsAsync(future.result(), { instanceOf: CancelledError })
  t.is(pool.stats().cancelled, 20)
})

test('cancelling is not forgotten by a later shutdown() without it', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const gate = new Gate(t)
  const log = new Log(t)
  await claimed(pool.submit(tasks.hold, gate.path, 0))
  const waiting = Array.from({ length: 8 }, (_, index) => pool.submit(tasks.append, log.path, index))
  await pool.shutdown({ wait: false, cancelFutures: true })
  t.true(waiting.every((future) => future.cancelled()))
  gate.open()
  await pool.shutdown({ wait: true, cancelFutures: false })
  t.deepEqual(log.lines, [])
})

test('a later shutdown({ cancelFutures }) cancels what an earlier one left to run', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const gate = new Gate(t)
  await claimed(pool.submit(tasks.hold, gate.path, 0))
  const waiting = pool.submit(tasks.identity, 1)
  const first = pool.shutdown()
  t.false(waiting.done())
  const second = pool.shutdown({ cancelFutures: true })
  t.true(waiting.cancelled())
  gate.open()
  await Promise.all([first, second])
})

test('every waiting shutdown waits until the workers are gone, also after one that did not', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const gate = new Gate(t)
  const held = pool.submit(tasks.hold, gate.path, 0)
  await claimed(held)
  await pool.shutdown({ wait: false })
  let resolved = 0
  const waits = [pool.shutdown(), pool.shutdown(), pool[Symbol.asyncDispose]()].map((promise) =>
    promise.then(() => {
      resolved++
      t.deepEqual(childrenOf(), [])
    }),
  )
  await moment()
  t.is(resolved, 0)
  gate.open()
  await within('all of them', Promise.all(waits))
  t.is(resolved, 3)
  await within('one that comes later', pool.shutdown())
})

test('shutting a pool down that was never used is trivial, and may be repeated', async (t) => {
  const pool = makePool(t)
  await within('shutdown()', pool.shutdown())
  await within('the second', pool.shutdown({ wait: true, cancelFutures: true, kill: true, timeout: 0 }))
  const other = makePool(t)
  await within('shutdown({ kill })', other.shutdown({ kill: true }))
  const third = makePool(t)
  await within('terminateWorkers()', third.terminateWorkers())
  await within('killWorkers()', third.killWorkers())
  t.deepEqual(childrenOf(), [])
})

test('after shutdown() nothing is accepted, map() over nothing is still empty, and old futures keep working', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const future = pool.submit(tasks.add, 1, 2)
  await pool.shutdown()
  const expected = {
    instanceOf: ShutdownError,
    code: 'ERR_MILLRACE_SHUTDOWN',
    message: 'cannot schedule new futures after shutdown',
  }
  t.throws(() => pool.submit(tasks.add, 1, 2), expected)
  t.throws(() => pool.run(tasks.add, [1, 2]), expected)
  t.throws(() => pool.map(tasks.double, [1]), expected)
  t.throws(() => pool.starmap(tasks.add, [[1, 2]]), expected)
  await t.throwsAsync(pool.ready(), { instanceOf: ShutdownError })
  t.deepEqual(await pool.map(tasks.double, []).next(), { done: true, value: undefined })
  t.is(await future, 3)
  t.is(future.resultSync(), 3)
})

test('submit() is refused as soon as shutdown() was called, while calls still run', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const gate = new Gate(t)
  const held = pool.submit(tasks.hold, gate.path, 0)
  await claimed(held)
  const stopped = pool.shutdown()
  t.throws(() => pool.submit(tasks.add, 1, 2), { instanceOf: ShutdownError })
  gate.open()
  await stopped
})

test('shutdown({ timeout }) rejects with a TimeoutError and goes on draining', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const gate = new Gate(t)
  const futures = [pool.submit(tasks.hold, gate.path, 0), pool.submit(tasks.identity, 1)]
  await claimed(futures[0]!)
  for (const timeout of [30, 0]) {
    await t.throwsAsync(pool.shutdown({ timeout }), { instanceOf: TimeoutError, code: 'ERR_MILLRACE_TIMEOUT' })
  }
  t.false(futures[0]!.done())
  t.is(workersOf().length, 1)
  gate.open()
  t.deepEqual(await Promise.all(futures), [0, 1])
  await pool.shutdown({ timeout: 60_000 })
  t.deepEqual(childrenOf(), [])
})

test('shutdown({ timeout, kill }) kills when the time is over, and resolves', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const gate = new Gate(t)
  const held = pool.submit(tasks.hold, gate.path, 0)
  await claimed(held)
  const waiting = pool.submit(tasks.identity, 1)
  const [pid] = workersOf().map((child) => child.pid)
  await within('shutdown()', pool.shutdown({ timeout: 30, kill: true }))
  const error = (await failureOf(held)) as WorkerTerminatedError
  t.true(error instanceof WorkerTerminatedError)
  t.is(error.code, 'ERR_MILLRACE_WORKER_TERMINATED')
  t.is(error.pid, pid!)
  t.true(error.message.includes(`${pid}`) && error.message.includes("'hold'"), error.message)
  t.true(waiting.cancelled())
  t.false(isAlive(pid!))
})

test('shutdown({ timeout, kill }) kills nothing when everything ends in time', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const exited = record(pool, 'workerExit')
  const future = pool.submit(tasks.add, 1, 2)
  await pool.shutdown({ timeout: 60_000, kill: true })
  t.is(await future, 3)
  t.deepEqual(
    exited.map(({ reason }) => reason),
    ['shutdown'],
  )
})

test('shutdown({ kill }) ends everything at once: running calls fail, waiting ones are cancelled', async (t) => {
  const pool = makePool(t, { maxWorkers: 2 })
  const exited = record(pool, 'workerExit')
  const broken = record(pool, 'broken')
  const log = new Log(t)
  const running = [pool.submit(exits.spin, log.path), pool.submit(exits.ignoreTerm, log.path)]
  await until('both to run', () => log.lines.length === 2)
  const waiting = Array.from({ length: 10 }, () => pool.submit(tasks.append, log.path, 'never'))
  await within('shutdown({ kill })', pool.shutdown({ kill: true }), () => pool.dumpState())
  t.deepEqual(childrenOf(), [])
  for (const future of running) t.true((await failureOf(future)) instanceof WorkerTerminatedError)
  t.true(waiting.every((future) => future.cancelled()))
  t.is(log.lines.length, 2)
  t.true(exited.every(({ reason, signal }) => reason === 'killed' && signal === 'SIGKILL'))
  t.deepEqual(broken, [])
  t.throws(() => pool.submit(tasks.add, 1, 2), { instanceOf: ShutdownError })
})

test('shutdown({ kill, wait: false }) kills too', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const log = new Log(t)
  const running = pool.submit(exits.spin, log.path)
  await until('it to run', () => log.lines.length === 1)
  await pool.shutdown({ kill: true, wait: false })
  t.true((await failureOf(running)) instanceof WorkerTerminatedError)
  await until('the worker to be gone', () => childrenOf().length === 0)
})

test('from a done-callback, shutdown() of every kind is legal and may be awaited there', async (t) => {
  const kinds: ShutdownOptions[] = [{}, { wait: false }, { cancelFutures: true }, { kill: true }, { timeout: 60_000 }]
  for (const options of kinds) {
    const pool = makePool(t, { maxWorkers: 1 })
    const first = pool.submit(tasks.add, 1, 1)
    const others = Array.from({ length: 5 }, () => pool.submit(tasks.add, 1, 1))
    const awaited = new Promise<void>((resolve, reject) => {
      first.addDoneCallback(async () => {
        try {
          await pool.shutdown(options)
          resolve()
        } catch (error) {
          reject(error as Error)
        }
      })
    })
    await within(`shutdown(${JSON.stringify(options)}) in a callback`, awaited, () => pool.dumpState())
    await within('the rest', pool.shutdown())
    t.true(
      others.every((future) => future.done()),
      JSON.stringify(options),
    )
  }
})

test('from an event listener and from a signal handler of abort it is legal, too', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  let stopped: Promise<void> | undefined
  pool.on('workerStart', () => {
    stopped = pool.shutdown({ cancelFutures: true })
  })
  const future = pool.submit(tasks.add, 1, 1)
  await until('the listener', () => stopped !== undefined)
  await within('shutdown() from the listener', stopped!)
  t.true(future.done())
})

test('shutting a broken pool down does not throw, and waits for its workers', async (t) => {
  const pool = makePool(t, { onWorkerDeath: 'break', maxWorkers: 2 })
  const gate = new Gate(t)
  const held = pool.submit(tasks.hold, gate.path, 0)
  await claimed(held)
  const dead = pool.submit(exits.reallyExit, 1)
  t.true((await failureOf(dead)) instanceof BrokenProcessPool)
  await within('shutdown()', pool.shutdown())
  t.deepEqual(childrenOf(), [])
  await pool.shutdown({ kill: true })
  await pool.killWorkers()
  t.true((await failureOf(held)) instanceof BrokenProcessPool)
  // The first problem counts: the pool is broken, and the later shutdown changes nothing.
  t.throws(() => pool.submit(tasks.add, 1, 2), { instanceOf: BrokenProcessPool })
})

test('a pool that recycles its workers after each call drains all calls in a shutdown', async (t) => {
  const pool = makePool(t, { maxWorkers: 2, maxTasksPerChild: 1 })
  const futures = Array.from({ length: 8 }, () => pool.submit(tasks.pid))
  await within('shutdown()', pool.shutdown(), () => pool.dumpState())
  const seen = await Promise.all(futures)
  t.is(new Set(seen).size, 8)
  t.deepEqual(childrenOf(), [])
})

test('a worker that dies during a shutdown is replaced for the calls that wait ("isolate")', async (t) => {
  const pool = makePool(t, { maxWorkers: 1, onWorkerDeath: 'isolate' })
  const futures: Future<unknown>[] = [pool.submit(exits.reallyExit, 3), pool.submit(tasks.add, 1, 2)]
  const stopped = pool.shutdown()
  await failureOf(futures[0]!)
  t.is(await futures[1], 3)
  await stopped
  t.deepEqual(childrenOf(), [])
})

test('a worker that a task keeps from leaving politely is killed in the end', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const exited = record(pool, 'workerExit')
  // An 'exit' listener that blocks: the worker was asked to leave, and never does.
  await pool.submit(() => {
    process.on('exit', () => {
      for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000)
    })
  })
  await within('shutdown()', pool.shutdown(), () => pool.dumpState())
  t.is(exited.length, 1)
  t.is(exited[0]!.reason, 'shutdown')
  t.not(exited[0]!.signal, null)
})

test('options of shutdown() are checked: the promise rejects with the name of the wrong one', async (t) => {
  const pool = makePool(t)
  const cases: [unknown, string][] = [
    [{ wait: 'no' }, 'options.wait'],
    [{ cancelFutures: 1 }, 'options.cancelFutures'],
    [{ kill: null }, 'options.kill'],
    [{ timeout: '1' }, 'options.timeout'],
    [{ timeout: true }, 'options.timeout'],
    [null, 'options'],
    [7, 'options'],
  ]
  for (const [options, name] of cases) {
    const error = await t.throwsAsync(pool.shutdown(options as never), { instanceOf: TypeError })
    t.true(error?.message.includes(`"${name}"`), error?.message)
    t.is((error as NodeJS.ErrnoException).code, 'ERR_INVALID_ARG_TYPE')
  }
  for (const timeout of [NaN, -1]) {
    const error = await t.throwsAsync(pool.shutdown({ timeout }), { instanceOf: RangeError })
    t.is((error as NodeJS.ErrnoException).code, 'ERR_OUT_OF_RANGE')
  }
  t.is(await pool.submit(tasks.add, 1, 2), 3)
})
