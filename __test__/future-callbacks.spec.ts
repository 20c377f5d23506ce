// The callbacks of a future, called when the future is done.

import test from 'ava'
import { setImmediate as turn } from 'node:timers/promises'
import { inspect } from 'node:util'
import { InvalidStateError } from '../src/errors/index.js'
import { Future } from '../src/futures/future.js'
import { cancelled, collectWarnings, failed, finished } from './helpers/futures.js'

const boom = new Error('boom')

test('callbacks get the future only, in the order of registration, once each', (t) => {
  const future = new Future<number>()
  const calls: unknown[] = []
  const add = (id: number): unknown => future.addDoneCallback((...args: unknown[]) => calls.push([id, ...args]))
  t.is(add(1), future)
  add(2)
  add(3)
  future.setResult(1)
  t.throws(() => future.setResult(2))
  t.deepEqual(calls, [
    [1, future],
    [2, future],
    [3, future],
  ])
})

test('a callback that is registered twice is called twice', (t) => {
  const future = new Future<number>()
  let calls = 0
  const callback = (): void => void calls++
  future.addDoneCallback(callback).addDoneCallback(callback).setResult(1)
  t.is(calls, 2)
})

test('a callback on a done future is called at once', (t) => {
  for (const future of [finished(1), failed(boom), cancelled()]) {
    let called: unknown
    future.addDoneCallback((f: unknown) => {
      called = f
    })
    t.is(called, future)
  }
})

test('cancel() calls the callbacks before it returns', (t) => {
  const future = new Future()
  const calls: string[] = []
  future.addDoneCallback((f) => calls.push(f.state))
  t.true(future.cancel())
  t.deepEqual(calls, ['cancelled'])
})

test('a callback that is added from a callback is called at once, nested', (t) => {
  const future = new Future<number>()
  const calls: string[] = []
  future.addDoneCallback(() => {
    calls.push('first')
    future.addDoneCallback(() => calls.push('nested'))
  })
  future.addDoneCallback(() => calls.push('second'))
  future.setResult(1)
  t.deepEqual(calls, ['first', 'nested', 'second'])
})

test('callbacks run before the promise reactions of the same settling, whenever they were registered', async (t) => {
  const future = new Future<number>()
  const order: string[] = []
  const reactions = [future.then(() => order.push('then')), future.result().then(() => order.push('result'))]
  future.addDoneCallback(() => order.push('callback'))
  future.setResult(1)
  order.push('settled')
  await Promise.all(reactions)
  t.deepEqual(order, ['callback', 'settled', 'then', 'result'])
})

test('a callback sees the outcome, also synchronously', (t) => {
  const future = new Future<number>()
  let seen: unknown
  future.addDoneCallback((f) => {
    seen = [f.state, f.resultSync()]
  })
  future.setResult(5)
  t.deepEqual(seen, ['finished', 5])
})

test('a callback may settle and cancel other futures, and try it with its own', (t) => {
  const future = new Future<number>()
  const other = new Future<number>()
  const order: string[] = []
  other.addDoneCallback(() => order.push('other'))
  future.addDoneCallback((f) => {
    t.false(f.cancel())
    t.throws(() => f.setResult(2), { instanceOf: InvalidStateError })
    other.cancel()
    order.push('first')
  })
  future.addDoneCallback(() => order.push('second'))
  future.setResult(1)
  t.deepEqual(order, ['other', 'first', 'second'])
})

test.serial('what a callback throws is a warning, and later callbacks run', async (t) => {
  const hostile = {
    get [Symbol.toStringTag](): string {
      throw new Error('no tag')
    },
    [inspect.custom](): string {
      throw new Error('cannot be shown')
    },
  }
  for (const thrown of [boom, undefined, null, 'text', hostile]) {
    const calls: number[] = []
    const warnings = await collectWarnings(() => {
      const future = new Future<number>()
      future.addDoneCallback(() => {
        throw thrown
      })
      future.addDoneCallback(() => calls.push(2))
      future.setResult(1)
      future.addDoneCallback(() => {
        throw thrown
      })
    })
    t.deepEqual(calls, [2])
    t.is(warnings.length, 2)
    t.is(warnings[0]!.name, 'MillraceWarning')
    t.is(warnings[0]!.cause, thrown)
    t.regex(warnings[0]!.message, /^exception calling callback for <Future #\d+ state=finished returned number>$/)
  }
})

test.serial('a callback that returns a rejected promise is a warning, never an unhandledRejection', async (t) => {
  const warnings = await collectWarnings(() => {
    const future = new Future<number>()
    future.addDoneCallback(async () => {
      await turn()
      throw boom
    })
    future.setResult(1)
    future.addDoneCallback(() => Promise.reject(boom) as never)
  })
  t.is(warnings.length, 2)
  t.is(warnings[0]!.cause, boom)
  t.is(warnings[1]!.cause, boom)
})

test.serial('a failed future that a callback returns is no error', async (t) => {
  t.deepEqual(await collectWarnings(() => finished(1).addDoneCallback(() => failed(boom) as never)), [])
})

test('a callback has to be a function', (t) => {
  for (const value of [undefined, null, {}, 'f']) {
    t.throws(() => new Future().addDoneCallback(value as never), {
      instanceOf: TypeError,
      code: 'ERR_INVALID_ARG_TYPE',
      message: /"fn"/,
    })
  }
})
