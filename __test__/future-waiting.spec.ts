// Waiting for a future: timeouts, and the future as a promise.

import test from 'ava'
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import { TimeoutError } from '../src/errors/index.js'
import { Future } from '../src/futures/future.js'
import { cancelled, failed, finished, listenersOf, rejection, running, timersOf } from './helpers/futures.js'

const boom = new Error('boom')

// ---- Timeouts -------------------------------------------------------------------------------------------------------

test('a timeout of 0 or less looks once', async (t) => {
  for (const timeout of [0, -1, Number.NEGATIVE_INFINITY]) {
    await t.throwsAsync(new Future().result({ timeout }), { instanceOf: TimeoutError })
    await t.throwsAsync(running().exception({ timeout }), { instanceOf: TimeoutError })
    t.throws(() => new Future().resultSync({ timeout }), { instanceOf: TimeoutError })
    t.is(await finished(1).result({ timeout }), 1)
    t.is(await failed(boom).exception({ timeout }), boom)
    t.is(finished(1).resultSync({ timeout }), 1)
  }
})

test('a wait that runs out leaves the future alone, and one may wait again', async (t) => {
  const future = new Future<number>()
  await t.throwsAsync(future.result({ timeout: 5 }), {
    instanceOf: TimeoutError,
    message: /^<Future #\d+ state=pending> was not done within 5 ms$/,
  })
  await t.throwsAsync(future.exception({ timeout: 5 }), { instanceOf: TimeoutError })
  t.is(future.state, 'pending')
  t.is(listenersOf(future), 0)
  const again = future.result({ timeout: 60_000 })
  future.setResult(3)
  t.is(await again, 3)
})

test.serial('settling clears the timers of those who wait', async (t) => {
  const before = timersOf()
  const futures = [new Future<number>(), new Future<number>(), new Future<number>()] as const
  const waits = futures.map((future) => [future.result({ timeout: 100_000 }), future.exception({ timeout: 2 ** 40 })])
  t.is(timersOf(), before + 6)
  futures[0].setResult(1)
  futures[1].setException(boom)
  futures[2].cancel()
  t.is(timersOf(), before)
  await Promise.allSettled(waits.flat())
})

test('timeouts longer than a timer can run, and Infinity, do not expire at once', async (t) => {
  const future = new Future<number>()
  const waits = [2 ** 31, 2 ** 40, Infinity, undefined].map((timeout) => future.result({ timeout }))
  await sleep(20)
  future.setResult(1)
  t.deepEqual(await Promise.all(waits), [1, 1, 1, 1])
})

test('bad timeouts are refused by name: rejected by methods that return promises', async (t) => {
  for (const future of [new Future(), finished(1)]) {
    for (const timeout of ['5', null, true, {}, 5n]) {
      const expected = { instanceOf: TypeError, code: 'ERR_INVALID_ARG_TYPE', message: /"options\.timeout"/ } as const
      await t.throwsAsync(future.result({ timeout } as never), expected)
      await t.throwsAsync(future.exception({ timeout } as never), expected)
      t.throws(() => future.resultSync({ timeout } as never), expected)
    }
    const outOfRange = { instanceOf: RangeError, code: 'ERR_OUT_OF_RANGE', message: /"options\.timeout"/ } as const
    await t.throwsAsync(future.result({ timeout: Number.NaN }), outOfRange)
    t.throws(() => future.resultSync({ timeout: Number.NaN }), outOfRange)
    await t.throwsAsync(future.result(5 as never), { code: 'ERR_INVALID_ARG_TYPE', message: /"options"/ })
    await t.throwsAsync(future.result(null as never), { code: 'ERR_INVALID_ARG_TYPE', message: /"options"/ })
  }
})

test('bad options of cancel are refused by name', (t) => {
  for (const kill of [1, 'yes', null]) {
    t.throws(() => new Future().cancel({ kill } as never), { code: 'ERR_INVALID_ARG_TYPE', message: /"options\.kill"/ })
  }
  t.throws(() => new Future().cancel(true as never), { code: 'ERR_INVALID_ARG_TYPE', message: /"options"/ })
  t.true(new Future().cancel({ kill: true }))
  t.true(new Future().cancel({}))
})

// ---- Promises -------------------------------------------------------------------------------------------------------

test('then, catch and finally are those of a promise', async (t) => {
  for (const settleFirst of [true, false]) {
    const good = new Future<number>()
    const bad = new Future<number>()
    const settle = (): void => {
      good.setResult(2)
      bad.setException(boom)
    }
    if (settleFirst) settle()
    const calls: string[] = []
    const promises = [
      good.then((value) => value * 2),
      good.then(),
      good.catch(() => -1),
      good.finally(() => calls.push('good')),
      bad.then(
        () => -1,
        (error: Error) => error.message,
      ),
      bad.catch((error: Error) => error.message),
    ]
    for (const promise of promises) t.true(promise instanceof Promise)
    const last = rejection(bad.finally(() => calls.push('bad')))
    if (!settleFirst) settle()
    t.deepEqual(await Promise.all<unknown>(promises), [4, 2, 2, 2, 'boom', 'boom'])
    t.is((await last).reason, boom)
    t.deepEqual(calls.toSorted(), ['bad', 'good'])
  }
})

test('futures work where promises do', async (t) => {
  t.deepEqual(await Promise.all([finished(1), 2, finished(3)]), [1, 2, 3])
  t.is(await Promise.race([new Future<number>(), finished(2)]), 2)
  t.is(await Promise.resolve(finished(4)), 4)
})

test('a result that is a promise is awaited, as by any promise', async (t) => {
  t.is(await (finished(Promise.resolve(3)) as Future<unknown>), 3)
})

test.serial('dropping a failed future, or what looks at it, causes no unhandledRejection', async (t) => {
  const unhandled: unknown[] = []
  const listener = (reason: unknown): void => void unhandled.push(reason)
  process.prependListener('unhandledRejection', listener)
  try {
    failed(boom)
    cancelled()
    const future = new Future<number>()
    future.addDoneCallback(() => {})
    void future.exception()
    void future.exception({ timeout: 60_000 })
    future.setException(boom)
    void future.exception()
    const dropped = new Future<number>()
    void dropped.exception()
    dropped.cancel()
    void dropped.exception()
    void new Future().exception({ timeout: 1 })
    void new Future().exception({ timeout: 0 })
    await sleep(20)
    await turn()
  } finally {
    process.off('unhandledRejection', listener)
  }
  t.deepEqual(unhandled, [])
})
