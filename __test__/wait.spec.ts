// `wait` and `asCompleted` over futures of any executor.

import test from 'ava'
import { setTimeout as sleep } from 'node:timers/promises'
import { asCompleted, type CompletionIterator } from '../src/futures/as-completed.js'
import { TimeoutError } from '../src/errors/index.js'
import { Future } from '../src/futures/future.js'
import { type ReturnWhen, wait } from '../src/futures/wait.js'
import { collectUntil, listenersOf, timersOf } from './helpers/futures.js'

function make(count: number): Future<number>[] {
  return Array.from({ length: count }, () => new Future<number>())
}

async function collect(iterator: CompletionIterator<Future<number>>): Promise<Future<number>[]> {
  const futures: Future<number>[] = []
  for await (const future of iterator) futures.push(future)
  return futures
}

const boom = new Error('boom')

// ---- wait -----------------------------------------------------------------------------------------------------------

test('wait: any iterable will do, duplicates count once, and each future is in exactly one set', async (t) => {
  const [a, b, c] = make(3)
  a!.setResult(1)
  b!.setException(boom)
  function* futures(): Generator<Future<number>> {
    yield* [a!, b!, a!, c!, c!]
  }
  const { done, notDone } = await wait(futures(), { timeout: 0 })
  t.deepEqual([...done], [a, b])
  t.deepEqual([...notDone], [c])
})

test('wait: ALL_COMPLETED is the default, and waits for values, errors and cancellations', async (t) => {
  const futures = make(3)
  let resolved = false
  const waiting = wait(futures).then((result) => {
    resolved = true
    return result
  })
  futures[1]!.setException(boom)
  futures[0]!.cancel()
  await sleep(5)
  t.false(resolved)
  futures[2]!.setResult(1)
  const { done, notDone } = await waiting
  t.deepEqual([...done], futures)
  t.is(notDone.size, 0)
})

test('wait: FIRST_COMPLETED resolves at once if a future is done, with all that are', async (t) => {
  const futures = make(4)
  futures[1]!.setResult(1)
  futures[3]!.cancel()
  const { done, notDone } = await wait(futures, { returnWhen: 'FIRST_COMPLETED' })
  t.deepEqual([...done], [futures[1], futures[3]])
  t.deepEqual([...notDone], [futures[0], futures[2]])
  t.is(listenersOf(futures[0]!), 0)
})

test('wait: FIRST_COMPLETED resolves when the first is done, also by cancellation', async (t) => {
  for (const settle of [(f: Future<number>) => f.setResult(1), (f: Future<number>) => f.cancel()]) {
    const futures = make(3)
    const waiting = wait(futures, { returnWhen: 'FIRST_COMPLETED' })
    settle(futures[1]!)
    const { done, notDone } = await waiting
    t.deepEqual([...done], [futures[1]])
    t.deepEqual([...notDone], [futures[0], futures[2]])
  }
})

test('wait: FIRST_EXCEPTION resolves at the first error, falsy ones included', async (t) => {
  for (const error of [boom, undefined, null, 0]) {
    const futures = make(3)
    const waiting = wait(futures, { returnWhen: 'FIRST_EXCEPTION' })
    futures[0]!.setResult(1)
    futures[2]!.setException(error)
    const { done, notDone } = await waiting
    t.deepEqual([...done], [futures[0], futures[2]])
    t.deepEqual([...notDone], [futures[1]])
    t.deepEqual(await wait(futures, { returnWhen: 'FIRST_EXCEPTION' }), { done, notDone })
  }
})

test('wait: FIRST_EXCEPTION counts a cancelled future as done, not as an error', async (t) => {
  const futures = make(3)
  futures[0]!.cancel()
  let resolved = false
  const waiting = wait(futures, { returnWhen: 'FIRST_EXCEPTION' }).then((result) => {
    resolved = true
    return result
  })
  futures[1]!.cancel()
  await sleep(5)
  t.false(resolved)
  futures[2]!.setResult(1)
  t.is((await waiting).done.size, 3)
})

test('wait: returnWhen is checked always, by name', async (t) => {
  const done = new Future<number>()
  done.setResult(1)
  for (const futures of [[], [done], make(1)]) {
    await t.throwsAsync(wait(futures, { returnWhen: 'SOMETIME' as ReturnWhen }), {
      instanceOf: TypeError,
      code: 'ERR_INVALID_ARG_VALUE',
      message: /"options\.returnWhen".*'ALL_COMPLETED', 'FIRST_COMPLETED', 'FIRST_EXCEPTION'/,
    })
    await t.throwsAsync(wait(futures, { returnWhen: 1 as never }), { code: 'ERR_INVALID_ARG_TYPE' })
    await t.throwsAsync(wait(futures, { timeout: '1' as never }), { code: 'ERR_INVALID_ARG_TYPE' })
    await t.throwsAsync(wait(futures, { timeout: Number.NaN }), { code: 'ERR_OUT_OF_RANGE' })
    await t.throwsAsync(wait(futures, 'ALL_COMPLETED' as never), { code: 'ERR_INVALID_ARG_TYPE' })
  }
})

test('wait and asCompleted: members that are no futures are refused, by index', async (t) => {
  const expected = { instanceOf: TypeError, code: 'ERR_INVALID_ARG_TYPE' } as const
  for (const member of [undefined, 1, Promise.resolve(1), { then: () => {} }]) {
    const futures = [new Future(), member as Future<unknown>]
    await t.throwsAsync(wait(futures), { ...expected, message: /futures\[1\]/ })
    t.throws(() => asCompleted(futures), { ...expected, message: /futures\[1\]/ })
    t.is(listenersOf(futures[0]!), 0)
  }
  for (const futures of [undefined, null, 1, 'futures', new Future()]) {
    await t.throwsAsync(wait(futures as never), { ...expected, message: /"futures"/ })
    t.throws(() => asCompleted(futures as never), { ...expected, message: /"futures"/ })
  }
})

test('wait: without futures it resolves to two empty sets', async (t) => {
  for (const returnWhen of ['ALL_COMPLETED', 'FIRST_COMPLETED', 'FIRST_EXCEPTION'] as const) {
    t.deepEqual(await wait([], { returnWhen }), { done: new Set(), notDone: new Set() })
  }
})

test('wait: a timeout resolves to what is done by then; 0 and less look once', async (t) => {
  const futures = make(2)
  futures[0]!.setResult(1)
  for (const timeout of [5, 0, -1]) {
    const { done, notDone } = await wait(futures, { timeout })
    t.deepEqual([[...done], [...notDone]], [[futures[0]], [futures[1]]])
  }
  t.is(listenersOf(futures[1]!), 0)
})

test('wait and asCompleted: a future that was cancelled and never notified is done', async (t) => {
  const futures = make(2)
  const waiting = wait(futures)
  const yielding = collect(asCompleted(futures))
  for (const future of futures) t.true(future.cancel())
  t.is((await waiting).done.size, 2)
  t.deepEqual(await yielding, futures)
  t.is((await wait(futures)).done.size, 2)
  t.deepEqual(await collect(asCompleted(futures)), futures)
})

test.serial('wait: nothing stays behind, neither waiters nor timers', async (t) => {
  const timers = timersOf()
  const longLived = new Future<number>()
  for (let round = 0; round < 20; round++) {
    const short = new Future<number>()
    const waiting = wait([longLived, short], { returnWhen: 'FIRST_COMPLETED', timeout: 100_000 })
    t.is(listenersOf(longLived), 1)
    short.setResult(1)
    await waiting
    t.is(listenersOf(longLived), 0)
    await wait([longLived], { timeout: 1 })
    t.is(listenersOf(longLived), 0)
  }
  t.is(timersOf(), timers)
})

test('wait: is over before the callbacks of the future that ends it run their reactions', async (t) => {
  const future = new Future<number>()
  const waiting = wait([future])
  let callbackRan = false
  future.addDoneCallback(() => {
    callbackRan = true
  })
  future.setResult(1)
  t.true(callbackRan)
  t.is((await waiting).done.size, 1)
})

// ---- asCompleted ----------------------------------------------------------------------------------------------------

test('asCompleted: those that are done come first, then the others as they are done, each once', async (t) => {
  const [a, b, c, d] = make(4)
  c!.setResult(1)
  const iterator = asCompleted([a!, b!, c!, c!, d!, a!])
  const seen: Future<number>[] = [(await iterator.next()).value!]
  d!.setException(boom)
  seen.push((await iterator.next()).value!)
  const next = iterator.next()
  b!.cancel()
  seen.push((await next).value!)
  a!.setResult(1)
  seen.push((await iterator.next()).value!)
  t.deepEqual(seen, [c, d, b, a])
  t.deepEqual(await iterator.next(), { done: true, value: undefined })
  t.deepEqual(await iterator.next(), { done: true, value: undefined })
})

test('asCompleted: yields nothing for no futures', async (t) => {
  t.deepEqual(await collect(asCompleted([])), [])
  t.deepEqual(await collect(asCompleted(new Set<Future<number>>(), { timeout: 0 })), [])
})

test('asCompleted: concurrent calls of next() are answered in order', async (t) => {
  const futures = make(3)
  const iterator = asCompleted(futures)
  const answers = [iterator.next(), iterator.next(), iterator.next(), iterator.next()]
  for (const index of [2, 0, 1]) futures[index]!.setResult(index)
  t.deepEqual(
    (await Promise.all(answers)).map((result) => result.value),
    [futures[2], futures[0], futures[1], undefined],
  )
})

test('asCompleted: a timeout rejects with a TimeoutError that counts, and ends the iterator', async (t) => {
  const futures = make(3)
  futures[0]!.setResult(1)
  const iterator = asCompleted(futures, { timeout: 10 })
  t.is((await iterator.next()).value, futures[0])
  const late = iterator.next()
  const later = iterator.next()
  await t.throwsAsync(late, { instanceOf: TimeoutError, message: '2 (of 3) futures unfinished' })
  t.deepEqual(await later, { done: true, value: undefined })
  t.deepEqual(await iterator.next(), { done: true, value: undefined })
  for (const future of futures) t.is(listenersOf(future), 0)
})

test('asCompleted: a timeout of 0 or less yields what is done first', async (t) => {
  for (const timeout of [0, -5]) {
    const futures = make(3)
    futures[2]!.setResult(1)
    futures[0]!.cancel()
    const iterator = asCompleted(futures, { timeout })
    t.is((await iterator.next()).value, futures[0])
    t.is((await iterator.next()).value, futures[2])
    await t.throwsAsync(iterator.next(), { instanceOf: TimeoutError, message: '1 (of 3) futures unfinished' })
    t.true((await iterator.next()).done)
  }
})

test('asCompleted: the timeout counts from the call, and futures that are done after it are still yielded', async (t) => {
  const futures = make(2)
  const iterator = asCompleted(futures, { timeout: 10 })
  await sleep(30)
  futures[1]!.setResult(1)
  t.is((await iterator.next()).value, futures[1])
  await t.throwsAsync(iterator.next(), { instanceOf: TimeoutError })
})

test('asCompleted: no TimeoutError when all are done', async (t) => {
  const futures = make(2)
  const iterator = asCompleted(futures, { timeout: 1 })
  for (const future of futures) future.setResult(1)
  await sleep(10)
  t.deepEqual(await collect(iterator), futures)
})

test('asCompleted: its options are checked at the call', (t) => {
  t.throws(() => asCompleted([], { timeout: '1' as never }), {
    code: 'ERR_INVALID_ARG_TYPE',
    message: /options\.timeout/,
  })
  t.throws(() => asCompleted([], null as never), { code: 'ERR_INVALID_ARG_TYPE', message: /"options"/ })
})

test.serial('asCompleted: leaving early removes the waiter, timer included', async (t) => {
  const timers = timersOf()
  const futures = make(3)
  futures[0]!.setResult(1)
  for await (const future of asCompleted(futures, { timeout: 100_000 })) {
    t.is(future, futures[0])
    t.is(listenersOf(futures[1]!), 1)
    break
  }
  t.is(listenersOf(futures[1]!), 0)

  const iterator = asCompleted(futures, { timeout: 100_000 })
  await iterator.next()
  const waiting = iterator.next()
  t.is(timersOf(), timers + 1)
  await t.throwsAsync(iterator.throw(boom), { is: boom })
  t.deepEqual(await waiting, { done: true, value: undefined })
  t.is(listenersOf(futures[2]!), 0)
  t.is(timersOf(), timers)
})

test.serial('asCompleted: a timer runs only while somebody waits', async (t) => {
  const timers = timersOf()
  const futures = make(2)
  const iterator = asCompleted(futures, { timeout: 100_000 })
  t.is(timersOf(), timers)
  const next = iterator.next()
  t.is(timersOf(), timers + 1)
  futures[0]!.setResult(1)
  await next
  t.is(timersOf(), timers)
  await iterator.return()
})

test('asCompleted: a yielded future is not kept', async (t) => {
  const pending = new Future<number>()
  let reference: WeakRef<Future<unknown>>
  const iterator = (() => {
    const done = new Future<number>()
    done.setResult(1)
    reference = new WeakRef<Future<unknown>>(done)
    return asCompleted([done, pending])
  })()
  await iterator.next()
  await collectUntil(() => reference.deref() === undefined)
  await iterator.return()
  t.is(listenersOf(pending), 0)
})

test('asCompleted: an iterator that was dropped leaves no waiter behind', async (t) => {
  const pending = new Future<number>()
  ;(() => {
    for (let round = 0; round < 5; round++) asCompleted([pending])
  })()
  t.is(listenersOf(pending), 5)
  await collectUntil(() => listenersOf(pending) === 0)
  t.is(listenersOf(pending), 0)
})

test('asCompleted: a next() that is awaited is answered although its iterator was dropped', async (t) => {
  const [first, second] = make(2)
  let answer: unknown
  void asCompleted([first!, second!])
    .next()
    .then((result) => {
      answer = result.value
    })
  const dropped = new WeakRef({})
  await collectUntil(() => dropped.deref() === undefined)
  await sleep(20)
  first!.setResult(1)
  await sleep(1)
  t.is(answer, first)
  await collectUntil(() => listenersOf(second!) === 0)
  t.is(listenersOf(second!), 0)
})
