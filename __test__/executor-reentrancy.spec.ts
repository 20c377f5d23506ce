// resultSync(), and calls of every method in callbacks: no call waits for itself, and none is lost.

import {
  BrokenProcessPool,
  CancelledError,
  type Future,
  TimeoutError,
  WorkerDiedError,
  WorkerTerminatedError,
} from 'millrace'
import { exits } from './fixtures/exits.mjs'
import { tasks } from './fixtures/basic.mjs'
import { test } from './helpers/leaks.js'
import { claimed, failureOf, Gate, Log, makePool, startBoth } from './helpers/pool.js'
import { until, untilSync, within } from './helpers/waiting.js'

test('resultSync() returns the value, with no turn of the event loop', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  let turned = false
  setImmediate(() => (turned = true))
  t.is(pool.submit(tasks.add, 1, 2).resultSync(), 3)
  t.deepEqual(pool.submit(tasks.sleep, 20, { a: [1] }).resultSync({ timeout: 60_000 }), { a: [1] })
  t.false(turned)
  t.is(await pool.submit(tasks.add, 3, 4), 7)
})

test("resultSync() throws the call's error, the same object as result() does", async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const future = pool.submit(tasks.fail, 'no')
  const error = t.throws(() => future.resultSync(), { message: 'no' })
  t.is(await future.exception(), error)
  const dead = pool.submit(exits.reallyExit, 3)
  t.throws(() => dead.resultSync(), { instanceOf: BrokenProcessPool })
})

test('resultSync() throws a TimeoutError when its time is over, and the call goes on', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const gate = new Gate(t)
  const future = pool.submit(tasks.hold, gate.path, 'later')
  for (const timeout of [30, 0, -1]) {
    t.throws(() => future.resultSync({ timeout }), { instanceOf: TimeoutError, code: 'ERR_MILLRACE_TIMEOUT' })
  }
  gate.open()
  t.is(future.resultSync(), 'later')
  for (const wrong of ['1', true, null]) {
    t.throws(() => future.resultSync({ timeout: wrong as never }), {
      instanceOf: TypeError,
      message: /options\.timeout/,
    })
  }
})

test('resultSync() starts workers, replaces them, and enforces time limits while it blocks', async (t) => {
  const pool = makePool(t, { maxWorkers: 1, maxTasksPerChild: 1, onWorkerDeath: 'isolate' })
  const log = new Log(t)
  const pids = [1, 2, 3].map(() => pool.submit(tasks.pid).resultSync())
  t.is(new Set(pids).size, 3)
  t.throws(() => pool.run(exits.spin, [log.path], { timeout: 50 }).resultSync(), { code: 'ERR_MILLRACE_TASK_TIMEOUT' })
  t.throws(() => pool.submit(exits.killSelf, 'SIGKILL').resultSync(), { code: 'ERR_MILLRACE_WORKER_DIED' })
  t.throws(() => pool.submit(exits.exit, 3).resultSync(), { code: 'ERR_MILLRACE_TASK_EXIT' })
  t.is(pool.submit(tasks.add, 1, 2).resultSync(), 3)
})

test('callbacks of other futures run while resultSync() blocks', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const order: string[] = []
  const first = pool.submit(tasks.add, 1, 1).addDoneCallback(() => order.push('first'))
  const second = pool.submit(tasks.sleep, 10, 0).addDoneCallback(() => order.push('second'))
  second.resultSync()
  order.push('after')
  t.true(first.done())
  t.deepEqual(order, ['first', 'second', 'after'])
})

test('resultSync() in a callback gets a result of the same batch, and one of a new call', async (t) => {
  const pool = makePool(t, { maxWorkers: 2 })
  await startBoth(t, pool)
  const log = new Log(t)
  const futures = ['one', 'two'].map((line) => pool.submit(tasks.append, log.path, line))
  const order: string[] = []
  // The callback that comes first waits for the other future.
  futures.forEach((future, index) => {
    future.addDoneCallback(() => {
      order.push('begin')
      futures[1 - index]!.resultSync()
      order.push(`a new one is ${pool.submit(tasks.double, 21).resultSync()}`, 'end')
    })
  })
  // This thread looks at no result before both calls are done: they come in one batch.
  untilSync('both to be done', () => log.lines.length === 2)
  await Promise.all(futures)
  t.deepEqual(order, ['begin', 'begin', 'a new one is 42', 'end', 'a new one is 42', 'end'])
})

test('resultSync() nested in callbacks many levels deep', async (t) => {
  const pool = makePool(t, { maxWorkers: 2 })
  const depth = 50
  const descend = (n: number): number => {
    if (n === 0) return 0
    let below = -1
    const future = pool.submit(tasks.identity, n).addDoneCallback(() => (below = descend(n - 1)))
    future.resultSync()
    return below + 1
  }
  t.is(descend(depth), depth)
})

test('submit() in callbacks: a chain of calls goes on by itself', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const seen: number[] = []
  await within(
    'the chain',
    new Promise<void>((resolve) => {
      const next = (n: number): void => {
        pool.submit(tasks.identity, n).addDoneCallback((future) => {
          seen.push(future.resultSync())
          if (n < 300) next(n + 1)
          else resolve()
        })
      }
      next(0)
    }),
  )
  t.is(seen.length, 301)
})

test('submit() from a callback of a call that is cancelled', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const gate = new Gate(t)
  await claimed(pool.submit(tasks.hold, gate.path, 0))
  const waiting = Array.from({ length: 20 }, (_, index) => pool.submit(tasks.identity, index))
  const replacements: Future<number>[] = []
  for (const future of waiting) future.addDoneCallback(() => replacements.push(pool.submit(tasks.identity, 1)))
  for (const future of waiting) t.true(future.cancel())
  t.is(replacements.length, 20)
  gate.open()
  t.deepEqual(new Set(await Promise.all(replacements)), new Set([1]))
})

test('cancel() of other calls in a callback, those of the same batch included', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  for (let index = 0; index < 20; index++) await pool.submit(tasks.add, index, 1)
  const log = new Log(t)
  const futures = Array.from({ length: 100 }, (_, index) => pool.submit(tasks.append, log.path, index))
  const cancelled: number[] = []
  futures[0]!.addDoneCallback(() => {
    futures.forEach((future, index) => {
      if (future.cancel()) cancelled.push(index)
    })
  })
  await Promise.allSettled(futures.map((future) => future.result()))
  const ran = log.lines.map(Number)
  t.deepEqual(
    [...ran, ...cancelled].sort((a, b) => a - b),
    futures.map((_, index) => index),
  )
})

test('cancel({ kill }) of a running call in a callback', async (t) => {
  const pool = makePool(t, { maxWorkers: 2 })
  const log = new Log(t)
  const spinning = pool.submit(exits.spin, log.path)
  await until('it to run', () => log.lines.length === 1)
  let killed: boolean | undefined
  await pool.submit(tasks.add, 1, 2).addDoneCallback(() => (killed = spinning.cancel({ kill: true })))
  t.true(killed)
  await t.throwsAsync(spinning.result(), { instanceOf: CancelledError })
  t.is(await pool.submit(tasks.add, 3, 4), 7)
})

test('submit() in a callback of a future that failed because the pool broke throws, and does not hang', async (t) => {
  const pool = makePool(t, { onWorkerDeath: 'break', maxWorkers: 1 })
  const dying = pool.submit(exits.reallyExit, 1)
  const waiting = pool.submit(tasks.add, 1, 2)
  const thrown: unknown[] = []
  for (const future of [dying, waiting]) {
    future.addDoneCallback(() => {
      try {
        pool.submit(tasks.add, 1, 2)
      } catch (error) {
        thrown.push(error)
      }
      try {
        waiting.resultSync()
      } catch (error) {
        thrown.push(error)
      }
    })
  }
  await Promise.all([failureOf(dying), failureOf(waiting)])
  t.is(thrown.length, 4)
  t.true(thrown.every((error) => error instanceof BrokenProcessPool))
})

test('resultSync() in a callback of a call that shutdown() cancels: the others are cancelled, too', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const gate = new Gate(t)
  await claimed(pool.submit(tasks.hold, gate.path, 0))
  const waiting = Array.from({ length: 5 }, (_, index) => pool.submit(tasks.identity, index))
  let caught: unknown
  waiting[0]!.addDoneCallback(() => {
    try {
      waiting[4]!.resultSync()
    } catch (error) {
      caught = error
    }
  })
  void pool.shutdown({ cancelFutures: true })
  t.true(caught instanceof CancelledError, String(caught))
  gate.open()
})

test('resultSync() of another call in a callback while the pool is killed', async (t) => {
  const pool = makePool(t, { maxWorkers: 2 })
  const log = new Log(t)
  const running = [pool.submit(exits.spin, log.path), pool.submit(exits.spin, log.path)]
  await until('both to run', () => log.lines.length === 2)
  const waiting = pool.submit(tasks.add, 1, 2)
  const thrown: unknown[] = []
  const [first, second] = running as [Future<void>, Future<void>]
  first.addDoneCallback(() => {
    for (const future of [second, waiting]) {
      try {
        future.resultSync({ timeout: 30_000 })
      } catch (error) {
        thrown.push(error)
      }
    }
  })
  await within('killWorkers()', pool.killWorkers(), () => pool.dumpState())
  await until('the callback', () => thrown.length === 2)
  t.true(thrown[0] instanceof WorkerTerminatedError, String(thrown[0]))
  t.true(thrown[1] instanceof CancelledError, String(thrown[1]))
})

test('two pools: each may be waited for in the callbacks of the other', async (t) => {
  const one = makePool(t, { maxWorkers: 1 })
  const two = makePool(t, { maxWorkers: 1 })
  const seen: number[] = []
  const future = one.submit(tasks.identity, 1).addDoneCallback(() => {
    two
      .submit(tasks.identity, 2)
      .addDoneCallback(() => seen.push(one.submit(tasks.identity, 3).resultSync()))
      .resultSync()
    seen.push(4)
  })
  future.resultSync()
  t.deepEqual(seen, [3, 4])
})

test('a call from a workerExit listener does not take the place of the call that the worker took with it', async (t) => {
  const pool = makePool(t, { maxWorkers: 1, onWorkerDeath: 'isolate' })
  const fromListener: Future<number>[] = []
  pool.on('workerExit', ({ reason }) => {
    if (reason === 'died') fromListener.push(pool.submit((a: number, b: number) => a + b, 1, fromListener.length))
  })
  for (let round = 0; round < 3; round++) {
    const error = await pool.submit(() => process.kill(process.pid, 'SIGKILL')).exception()
    t.true(error instanceof WorkerDiedError, String(error))
  }
  t.deepEqual(await Promise.all(fromListener), [1, 2, 3])
})
