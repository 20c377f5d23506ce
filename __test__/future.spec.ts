// States and transitions of a future, its printed form, and the methods for executors.

import test from 'ava'
import { inspect } from 'node:util'
import { CancelledError, InvalidStateError, TimeoutError } from '../src/errors/index.js'
import { Future, type FutureOutcome, type FutureState } from '../src/futures/future.js'
import { cancelled, failed, finished, listenersOf, rejection, running } from './helpers/futures.js'

// ---- States and predicates ------------------------------------------------------------------------------------------

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

// ---- Transitions ----------------------------------------------------------------------------------------------------

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

// ---- Representation -------------------------------------------------------------------------------------------------

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

// ---- What executors build on ----------------------------------------------------------------------------------------

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
