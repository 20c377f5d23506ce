import test from 'ava'
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'
import { CancelledError, InvalidStateError, TimeoutError } from '../src/errors.js'
import { Future, type FutureOutcome, type FutureState } from '../src/future.js'
import { collectWarnings, listenersOf, timersOf } from './helpers/futures.js'

function running<T>(): Future<T> {
  const future = new Future<T>()
  future.setRunningOrNotifyCancel()
  return future
}

function finished<T>(value: T): Future<T> {
  const future = new Future<T>()
  future.setResult(value)
  return future
}

function failed(error: unknown): Future<never> {
  const future = new Future<never>()
  future.setException(error)
  return future
}

function cancelled(): Future<never> {
  const future = new Future<never>()
  future.cancel()
  return future
}

const rejection = async (promise: PromiseLike<unknown>): Promise<{ reason: unknown }> =>
  promise.then(
    () => {
      throw new Error('it was fulfilled')
    },
    (reason: unknown) => ({ reason }),
  )

// ---- States and predicates -------------------------------------------------------------------------------------------------

const boom = new Error('boom')
const states: [string, () => Future<unknown>, FutureState, FutureOutcome, [boolean, boolean, boolean], boolean][] = [
  ['pending', () => new Future(), 'pending', undefined, [false, false, false], true],
  ['running', () => running(), 'running', undefined, [false, false, true], false],
  ['cancelled', cancelled, 'cancelled', 'cancelled', [true, true, false], true],
  ['finished with a value', () => finished(1), 'finished', 'value', [true, false, false], false],
  ['finished with an error', () => failed(boom), 'finished', 'error', [true, false, false], false],
]

for (const [name, make, state, outcome, predicates, cancels] of states) {
  test(`a future that is ${name} says so, and cancel() returns ${cancels}`, (t) => {
    const future = make()
    t.is(future.state, state)
    t.is(future.outcome, outcome)
    t.deepEqual([future.done(), future.cancelled(), future.running()], predicates)
    t.is(future.cancel(), cancels)
    t.is(future.cancel(), cancels)
    t.is(future.state, cancels ? 'cancelled' : state)
  })
}

test('a future is no promise, but can be awaited', async (t) => {
  const future = finished('value')
  t.false((future as unknown) instanceof Promise)
  t.is(await future, 'value')
  t.is(Object.prototype.toString.call(future), '[object Future]')
})

test('result() waits in every unfinished state, and gives the same object each time', async (t) => {
  for (const future of [new Future<object>(), running<object>()]) {
    const early = future.result()
    const value = {}
    future.setResult(value)
    t.is(await early, value)
    t.is(await future.result(), value)
    t.is(await future, value)
    t.is(future.resultSync(), value)
    t.is(await future.exception(), undefined)
  }
})

test('result() throws the same error object each time', async (t) => {
  const future = new Future<never>()
  const early = rejection(future.result())
  const earlyException = future.exception()
  future.setException(boom)
  t.is((await early).reason, boom)
  t.is(await earlyException, boom)
  t.is((await rejection(future.result())).reason, boom)
  t.is((await rejection(future)).reason, boom)
  t.is(await future.exception(), boom)
  t.is(
    t.throws(() => future.resultSync()),
    boom,
  )
})

test('result() and exception() of a cancelled future reject with the same CancelledError', async (t) => {
  const future = new Future<never>()
  const early = rejection(future.result())
  const earlyException = rejection(future.exception())
  future.cancel()
  const { reason } = await early
  t.true(reason instanceof CancelledError)
  t.is((await earlyException).reason, reason)
  t.is((await rejection(future.result())).reason, reason)
  t.is((await rejection(future.exception())).reason, reason)
  t.is(
    t.throws(() => future.resultSync()),
    reason as Error,
  )
})

test('a CancelledError with the reason of a signal is the one that is thrown', async (t) => {
  const future = new Future<never>()
  const error = new CancelledError('aborted', { cause: 'enough' })
  t.true(future.settleCancelled(error))
  t.is((await rejection(future)).reason, error)
})

// ---- Transitions -----------------------------------------------------------------------------------------------------------

test('setRunningOrNotifyCancel: pending becomes running', (t) => {
  const future = new Future()
  t.true(future.setRunningOrNotifyCancel())
  t.is(future.state, 'running')
})

test('setRunningOrNotifyCancel: false for a cancelled future, each time', (t) => {
  const future = cancelled()
  t.false(future.setRunningOrNotifyCancel())
  t.false(future.setRunningOrNotifyCancel())
  t.is(future.state, 'cancelled')
})

test('setRunningOrNotifyCancel: an InvalidStateError for a running or finished future', (t) => {
  for (const [future, message] of [
    [running(), /^RUNNING: <Future #\d+ state=running>$/],
    [finished(1), /^FINISHED: <Future #\d+ state=finished returned number>$/],
    [failed(boom), /^FINISHED: <Future #\d+ state=finished raised Error>$/],
  ] as const) {
    t.throws(() => future.setRunningOrNotifyCancel(), { instanceOf: InvalidStateError, message })
  }
})

test('setResult and setException are legal straight from pending', async (t) => {
  t.is(await finished(4), 4)
  t.is(await failed(boom).exception(), boom)
})

for (const [name, make, prefix] of [
  ['cancelled', cancelled, /^CANCELLED: <Future #\d+ state=cancelled>$/],
  ['finished', () => finished(1), /^FINISHED: <Future #\d+ state=finished returned number>$/],
  ['failed', () => failed(boom), /^FINISHED: <Future #\d+ state=finished raised Error>$/],
] as const) {
  test(`settling a ${name} future is an InvalidStateError and changes nothing`, async (t) => {
    const future = make() as Future<unknown>
    const before = [future.state, future.outcome]
    t.throws(() => future.setResult(2), { instanceOf: InvalidStateError, message: prefix })
    t.throws(() => future.setException(new Error('other')), { instanceOf: InvalidStateError, message: prefix })
    t.false(future.settleValue(2))
    t.false(future.settleError(2))
    t.false(future.settleCancelled())
    t.deepEqual([future.state, future.outcome], before)
    if (future.outcome === 'value') t.is(await future, 1)
    if (future.outcome === 'error') t.is(await future.exception(), boom)
  })
}

test('setException(undefined) is a failure', async (t) => {
  const future = failed(undefined)
  t.is(future.outcome, 'error')
  t.deepEqual(await rejection(future), { reason: undefined })
  t.is(await future.exception(), undefined)
})

test('falsy errors are failures, never results', async (t) => {
  for (const value of [undefined, null, 0, '', false, Number.NaN, 0n]) {
    const future = failed(value)
    t.is(future.outcome, 'error')
    t.deepEqual(await rejection(future.result()), { reason: value })
    let thrown: { value: unknown } | undefined
    try {
      future.resultSync()
    } catch (error) {
      thrown = { value: error }
    }
    t.deepEqual(thrown, { value })
  }
})

test('falsy results are results', async (t) => {
  for (const value of [undefined, null, 0, '', false]) {
    const future = finished(value)
    t.is(future.outcome, 'value')
    t.is(await future, value)
    t.is(future.resultSync(), value)
    t.is(await future.exception(), undefined)
  }
})

test('an error as a value is a result', async (t) => {
  t.is(await finished(boom), boom)
  t.is(await finished(boom).exception(), undefined)
})

// ---- Callbacks -------------------------------------------------------------------------------------------------------------

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

// ---- Timeouts --------------------------------------------------------------------------------------------------------------

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

// ---- Representation --------------------------------------------------------------------------------------------------------

test('the representation names the state, and the type of the outcome', (t) => {
  class Row {}
  class RowError extends Error {}
  const named = Object.assign(new Error('x'), { name: 'PgError' })
  for (const [future, words] of [
    [new Future(), 'pending'],
    [running(), 'running'],
    [cancelled(), 'cancelled'],
    [finished(1), 'finished returned number'],
    [finished(undefined), 'finished returned undefined'],
    [finished(null), 'finished returned null'],
    [finished([]), 'finished returned Array'],
    [finished({}), 'finished returned Object'],
    [finished(Object.create(null)), 'finished returned object'],
    [finished(() => {}), 'finished returned function'],
    [finished(new Row()), 'finished returned Row'],
    [failed(new TypeError('x')), 'finished raised TypeError'],
    [failed(new RowError('x')), 'finished raised RowError'],
    [failed(named), 'finished raised PgError'],
    [failed('text'), 'finished raised string'],
    [failed(undefined), 'finished raised undefined'],
  ] as const) {
    const pattern = new RegExp(`^<Future #\\d+ state=${words}>$`)
    t.regex(String(future), pattern)
    t.is(inspect(future), String(future))
    t.is(inspect({ future }), `{ future: ${String(future)} }`)
  }
})

test('a future keeps its number, and no two share one', (t) => {
  const [a, b] = [new Future<number>(), new Future<number>()]
  const number = (future: Future<unknown>): string => /#\d+/.exec(String(future))![0]
  const first = number(a)
  t.not(first, number(b))
  a.setResult(1)
  t.is(number(a), first)
})

test('the representation runs no code of the result', (t) => {
  const fail = (): never => {
    throw new Error('user code ran')
  }
  const getters = Object.defineProperties(
    {},
    { constructor: { get: fail }, name: { get: fail }, then: { value: undefined } },
  )
  const traps = new Proxy(
    {},
    { get: fail, getPrototypeOf: fail, getOwnPropertyDescriptor: fail, ownKeys: fail, has: fail },
  )
  const inherited = Object.create(traps)
  const oddConstructor = { constructor: Object.defineProperty(() => {}, 'name', { get: fail }) }
  const errorWithGetter = Object.defineProperty(new Error('x'), 'name', { get: fail })
  for (const value of [getters, traps, inherited, oddConstructor]) {
    t.regex(inspect(finished(value)), /returned object>$/)
    t.regex(inspect(failed(value)), /raised object>$/)
  }
  t.regex(inspect(failed(errorWithGetter)), /raised Error>$/)
})

// ---- Promises --------------------------------------------------------------------------------------------------------------

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

// ---- What executors build on -----------------------------------------------------------------------------------------------

test('a subclass may know by itself whether a call runs', (t) => {
  class Probed extends Future<number> {
    claimed = false
    protected override probeRunning(): boolean {
      return this.claimed
    }
  }
  const future = new Probed()
  t.is(future.state, 'pending')
  future.claimed = true
  t.is(future.state, 'running')
  t.true(future.running())
  t.false(future.cancel())
  t.throws(() => future.setRunningOrNotifyCancel(), { instanceOf: InvalidStateError })
  future.setResult(1)
  t.false(future.running())
})

test('a subclass decides what cancelling takes, and may settle the future itself', (t) => {
  const asked: boolean[] = []
  class Refusing extends Future<number> {
    protected override requestCancel(kill: boolean): boolean {
      asked.push(kill)
      return kill
    }
  }
  const future = new Refusing()
  t.false(future.cancel())
  t.true(future.cancel({ kill: true }))
  t.true(future.cancel())
  t.deepEqual(asked, [false, true])

  class Late extends Future<number> {
    protected override requestCancel(): boolean {
      this.setResult(1)
      return true
    }
  }
  const late = new Late()
  t.false(late.cancel())
  t.is(late.outcome, 'value')
})

test('resultSync lets the executor work until the deadline', (t) => {
  const deadlines: (number | undefined)[] = []
  class Driven extends Future<number> {
    settles = true
    protected override blockUntilDone(deadline: number | undefined): void {
      deadlines.push(deadline)
      if (this.settles) this.setResult(7)
    }
  }
  t.is(new Driven().resultSync(), 7)
  const late = new Driven()
  late.settles = false
  const before = performance.now()
  t.throws(() => late.resultSync({ timeout: 1000 }), { instanceOf: TimeoutError, message: /within 1000 ms/ })
  t.is(deadlines[0], undefined)
  t.true(deadlines[1]! >= before + 1000)
})

test('resultSync of a future without an executor that can be driven is an InvalidStateError', (t) => {
  t.throws(() => new Future().resultSync(), { instanceOf: InvalidStateError, message: /synchronously/ })
  t.throws(() => new Future().resultSync({ timeout: 100 }), { instanceOf: InvalidStateError })
})

test('waiters are told before callbacks, in the order in which they came, and at once by a done future', (t) => {
  const future = new Future<number>()
  const order: string[] = []
  future.addDoneCallback(() => order.push('callback'))
  future.addWaiter({ futureDone: () => order.push('first') })
  const removed = { futureDone: () => order.push('removed') }
  future.addWaiter(removed)
  future.addWaiter({ futureDone: () => order.push('second') })
  future.removeWaiter(removed)
  future.setResult(1)
  t.deepEqual(order, ['first', 'second', 'callback'])
  future.addWaiter({ futureDone: () => order.push('late') })
  t.deepEqual(order, ['first', 'second', 'callback', 'late'])
  t.is(listenersOf(future), 0)
})
