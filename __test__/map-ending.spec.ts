// map() of any executor: time limits, leaving early, and the objects that an iterator keeps alive.

import test from 'ava'
import { setTimeout as sleep } from 'node:timers/promises'
import { TimeoutError } from '../src/errors/index.js'
import { LocalChunks } from './helpers/executors.js'
import { collectUntil, listenersOf, timersOf } from './helpers/futures.js'
import { boom, DONE, double, numbers, map, outcomes, Counted, AsyncCounted, turns } from './helpers/maps.js'

// ---- Timeouts -------------------------------------------------------------------------------------------------------

test('the timeout counts from the call; next() rejects, each time with the same error, and the rest is cancelled', async (t) => {
  const source = new LocalChunks(double)
  source.manual = true
  const input = new Counted()
  const iterator = map(source, input, { timeout: 20, buffersize: 3 })
  source.finish(0)
  t.is((await iterator.next()).value, 0)
  const late = iterator.next()
  const later = iterator.next()
  const error = await t.throwsAsync(late, { instanceOf: TimeoutError, message: /20 ms/ })
  t.is(await t.throwsAsync(later), error)
  t.is(await t.throwsAsync(iterator.next()), error)
  t.is(await t.throwsAsync(iterator.toArray()), error)
  t.deepEqual(
    source.futures.slice(1).map((future) => future.cancelled()),
    source.futures.slice(1).map(() => true),
  )
  for (const future of source.futures) t.is(listenersOf(future), 0)
  t.is(input.closed, 1)
  await iterator.return()
  t.deepEqual(await iterator.next(), DONE)
})

test('the timeout is not checked for items that are done', async (t) => {
  const source = new LocalChunks(double)
  source.manual = true
  const iterator = map(source, numbers(4), { timeout: 5, chunksize: 3 })
  source.finish(0)
  await sleep(20)
  t.deepEqual([(await iterator.next()).value, (await iterator.next()).value, (await iterator.next()).value], [0, 2, 4])
  const error = await t.throwsAsync(iterator.next(), { instanceOf: TimeoutError })
  t.is(await t.throwsAsync(iterator.next()), error)
})

test('a timeout of 0 or less looks once', async (t) => {
  for (const timeout of [0, -1]) {
    const source = new LocalChunks(double)
    await t.throwsAsync(map(source, [1], { timeout }).next(), { instanceOf: TimeoutError })
    t.deepEqual(await map(source, [], { timeout }).next(), DONE)
  }
})

test('a TimeoutError that a task throws is an ordinary failure', async (t) => {
  const error = new TimeoutError('mine')
  const source = new LocalChunks((n: number) => {
    if (n === 0) throw error
    return n
  })
  t.deepEqual(await outcomes(map(source, numbers(3), { timeout: 60_000 })), [{ error }, 1, 2])
})

test.serial('the timer runs only while somebody waits', async (t) => {
  const before = timersOf()
  const source = new LocalChunks(double)
  source.manual = true
  const iterator = map(source, numbers(2), { timeout: 100_000 })
  t.is(timersOf(), before)
  const next = iterator.next()
  t.is(timersOf(), before + 1)
  source.finish(0)
  await next
  t.is(timersOf(), before)
  const last = iterator.next()
  await iterator.return()
  t.deepEqual(await last, DONE)
  t.is(timersOf(), before)
})

// ---- Closing --------------------------------------------------------------------------------------------------------

test('return() cancels what is left, closes the input, and answers who waits', async (t) => {
  for (const ordered of [true, false]) {
    const source = new LocalChunks(double)
    source.manual = true
    const input = new Counted()
    const iterator = map(source, input, { buffersize: 4, ordered })
    source.futures[1]!.setRunningOrNotifyCancel()
    const waiting = iterator.next()
    t.deepEqual(await iterator.return(), DONE)
    t.deepEqual(await waiting, DONE)
    t.deepEqual(
      source.futures.map((future) => future.state),
      ['cancelled', 'running', 'cancelled', 'cancelled'],
    )
    t.is(listenersOf(source.futures[1]!), 0)
    t.is(input.closed, 1)
    source.futures[1]!.setResult({ values: [1] })
    t.deepEqual(await iterator.next(), DONE)
    t.deepEqual(await iterator.return(), DONE)
    t.is(input.closed, 1)
  }
})

test('leaving for await early cancels the rest', async (t) => {
  const source = new LocalChunks(double)
  source.manual = true
  const iterator = map(source, numbers(4))
  source.finish(0)
  source.finish(1)
  for await (const value of iterator) if (value === 2) break
  t.deepEqual(
    source.futures.map((future) => future.outcome),
    ['value', 'value', 'cancelled', 'cancelled'],
  )
})

test('throw() closes and rejects with its argument', async (t) => {
  const source = new LocalChunks(double)
  source.manual = true
  const input = new AsyncCounted()
  const iterator = map(source, input)
  await turns()
  await t.throwsAsync(iterator.throw(boom), { is: boom })
  t.deepEqual(await iterator.next(), DONE)
  t.is(input.closed, 1)
  t.true(source.futures.every((future) => future.cancelled()))
})

test('await using closes', async (t) => {
  const source = new LocalChunks(double)
  source.manual = true
  const iterator = map(source, numbers(2))
  await iterator[Symbol.asyncDispose]()
  t.true(source.futures.every((future) => future.cancelled()))
})

test('return() rejects with what closing the input throws, and has closed nevertheless', async (t) => {
  const sync = {
    [Symbol.iterator]: () => ({
      next: () => ({ done: false, value: 1 }),
      return: () => {
        throw boom
      },
    }),
  }
  const asynchronous = {
    [Symbol.asyncIterator]: () => ({
      next: async () => ({ done: false, value: 1 }),
      return: () => Promise.reject(boom),
    }),
  }
  for (const input of [sync, asynchronous]) {
    const source = new LocalChunks(double)
    const iterator = map(source, input as unknown as Iterable<number>, { buffersize: 2 })
    await turns()
    await t.throwsAsync(iterator.return(), { is: boom })
    t.deepEqual(await iterator.next(), DONE)
  }
})

test('return() does not wait for an asynchronous input that never answers', async (t) => {
  const source = new LocalChunks(double)
  let returned = false
  const input = {
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise<IteratorResult<number>>(() => {}),
      return: () => {
        returned = true
        return new Promise<IteratorResult<number>>(() => {})
      },
    }),
  }
  const iterator = map(source, input)
  const waiting = iterator.next()
  t.deepEqual(await iterator.return(), DONE)
  t.deepEqual(await waiting, DONE)
  t.true(returned)
})

test('an item that arrives after the end is not submitted', async (t) => {
  const source = new LocalChunks(double)
  const deliver: ((result: IteratorResult<number>) => void)[] = []
  const input = {
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise<IteratorResult<number>>((resolve) => deliver.push(resolve)),
    }),
  }
  const iterator = map(source, input)
  await iterator.return()
  deliver[0]!({ done: false, value: 1 })
  await turns()
  t.is(source.chunks.length, 0)
  t.is(deliver.length, 1)
})

// ---- References -----------------------------------------------------------------------------------------------------

test('neither a yielded result nor a yielded error nor its item is kept', async (t) => {
  interface Item {
    index: number
  }
  for (const chunksize of [1, 4, 'auto'] as const) {
    const seen: WeakRef<object>[] = []
    const source = new LocalChunks((item: Item) => {
      // No error: the stack of an error would hold the functions that called this, and those hold the chunk.
      if (item.index % 2 === 1) throw { odd: item.index }
      return { item: item.index }
    })
    // The executor of the test remembers its chunks; a real executor does not.
    source.chunks.push = () => 0
    source.futures.push = () => 0
    const iterator = map(
      source,
      (function* (): Generator<Item> {
        for (let index = 0; index < 8; index++) {
          const item = { index }
          if (index < 2) seen.push(new WeakRef(item))
          yield item
        }
      })(),
      { chunksize },
    )
    seen.push(new WeakRef((await iterator.next()).value!))
    seen.push(
      await iterator.next().then(
        () => new WeakRef({}),
        (error: object) => new WeakRef(error),
      ),
    )
    await collectUntil(() => seen.every((reference) => reference.deref() === undefined))
    t.is(seen.length, 4)
    t.deepEqual((await iterator.next()).value, { item: 2 })
    await iterator.return()
  }
})

test('an iterator that is dropped cancels nothing', async (t) => {
  const source = new LocalChunks(double)
  source.manual = true
  map(source, numbers(3))
  const marker = new WeakRef({})
  await collectUntil(() => marker.deref() === undefined)
  for (const index of numbers(3)) source.finish(index)
  t.true(source.futures.every((future) => future.outcome === 'value'))
})
