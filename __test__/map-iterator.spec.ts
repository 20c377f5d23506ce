import test from 'ava'
import fc from 'fast-check'
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import { CancelledError, QueueFullError, ShutdownError, TimeoutError } from '../src/errors.js'
import { MapIterator, type MapOptions } from '../src/map-iterator.js'
import { LocalChunks } from './helpers/executors.js'
import { collectUntil, listenersOf, timersOf } from './helpers/futures.js'

const boom = new Error('boom')
const DONE = { done: true, value: undefined }

const double = (n: number): number => n * 2

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}

function map<T, R>(
  source: LocalChunks<T, R>,
  items: Iterable<T> | AsyncIterable<T>,
  options: MapOptions = {},
): MapIterator<R> {
  return MapIterator.start(source, items, options)
}

async function collect<T>(iterable: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of iterable) items.push(item)
  return items
}

/** Every outcome until the end, errors included. */
async function outcomes(iterator: AsyncIterator<unknown>): Promise<unknown[]> {
  const all: unknown[] = []
  for (;;) {
    try {
      const { done, value } = await iterator.next()
      if (done) return all
      all.push(value)
    } catch (error) {
      all.push({ error })
    }
  }
}

/** An input that counts what is read of it and whether it was closed. */
class Counted {
  read = 0
  closed = 0
  readonly count: number
  failure: unknown = undefined

  constructor(count = Infinity) {
    this.count = count
  }

  *[Symbol.iterator](): Generator<number> {
    try {
      while (this.read < this.count) yield this.read++
      if (this.failure !== undefined) throw this.failure
    } finally {
      this.closed++
    }
  }
}

class AsyncCounted {
  read = 0
  closed = 0
  readonly count: number
  failure: unknown = undefined

  constructor(count = Infinity) {
    this.count = count
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<number> {
    try {
      while (this.read < this.count) yield this.read++
      if (this.failure !== undefined) throw this.failure
    } finally {
      this.closed++
    }
  }
}

async function turns(count = 10): Promise<void> {
  for (let index = 0; index < count; index++) await turn()
}

// ---- Eagerness -------------------------------------------------------------------------------------------------------------

test('without a buffersize everything is read and submitted before map returns', (t) => {
  const source = new LocalChunks(double)
  const input = new Counted(10)
  map(source, input, { chunksize: 4 })
  t.is(input.read, 10)
  t.deepEqual(source.chunks, [
    [0, 1, 2, 3],
    [4, 5, 6, 7],
    [8, 9],
  ])
})

test('an array that changes after the call does not change the map', async (t) => {
  const source = new LocalChunks(double)
  const items = [1, 2, 3]
  const iterator = map(source, items, { chunksize: 'auto' })
  items.length = 0
  t.deepEqual(await collect(iterator), [2, 4, 6])
})

test('what the input throws surfaces at the call, and what was submitted is cancelled', (t) => {
  for (const options of [
    {},
    { chunksize: 3 },
    { buffersize: 9 },
    { chunksize: 2, buffersize: 9 },
    { chunksize: 'auto' },
  ]) {
    const source = new LocalChunks(double)
    const input = new Counted(5)
    input.failure = boom
    t.is(
      t.throws(() => map(source, input, options as MapOptions)),
      boom,
    )
    t.true(source.futures.every((future) => future.cancelled()))
    t.is(input.closed, 1)
  }
})

test('what the first submission throws surfaces at the call, and the input is closed', (t) => {
  for (const options of [{}, { buffersize: 2 }] as const) {
    const source = new LocalChunks(double)
    const input = new Counted(10)
    const shutdown = new ShutdownError('no more')
    source.refusals = [shutdown]
    t.is(
      t.throws(() => map(source, input, options)),
      shutdown,
    )
    t.is(input.closed, 1)
  }
})

test('an empty input submits nothing and ends at once', async (t) => {
  async function* nothing(): AsyncGenerator<number> {}
  for (const items of [[], new Set<number>(), new Counted(0), nothing(), '']) {
    const source = new LocalChunks<unknown, number>(() => 1)
    source.refusals = [new ShutdownError('no more')]
    const iterator = map(source, items as Iterable<number>)
    t.deepEqual(await iterator.next(), DONE)
    t.deepEqual(await iterator.next(), DONE)
    t.is(source.refusals.length, 1)
  }
})

test('sparse arrays, strings, sets and array subclasses are read as they iterate', async (t) => {
  class Backwards extends Array<number> {
    override *[Symbol.iterator](): ArrayIterator<number> {
      for (let index = this.length - 1; index >= 0; index--) yield this[index]!
      return undefined
    }
  }
  const echo = new LocalChunks((item: unknown) => item)
  // eslint-disable-next-line no-sparse-arrays
  t.deepEqual(await collect(map(echo, [1, , 3])), [1, undefined, 3])
  t.deepEqual(await collect(map(echo, 'añ😀')), ['a', 'ñ', '😀'])
  t.deepEqual(await collect(map(echo, new Set([3, 1]))), [3, 1])
  t.deepEqual(await collect(map(echo, Backwards.from([1, 2, 3]))), [3, 2, 1])
})

// ---- Chunks and order ------------------------------------------------------------------------------------------------------

test('results come in the order of the input, whatever order chunks are done in', async (t) => {
  const source = new LocalChunks(double)
  source.manual = true
  const iterator = map(source, numbers(7), { chunksize: 2 })
  for (const index of [3, 1, 0, 2]) source.finish(index)
  t.deepEqual(await collect(iterator), [0, 2, 4, 6, 8, 10, 12])
})

test('with ordered: false results come as chunks are done', async (t) => {
  const source = new LocalChunks(double)
  source.manual = true
  const iterator = map(source, numbers(7), { chunksize: 2, ordered: false })
  const first = iterator.next()
  for (const index of [3, 1, 0, 2]) source.finish(index)
  t.is((await first).value, 12)
  t.deepEqual(await collect(iterator), [4, 6, 0, 2, 8, 10])
  t.deepEqual(await iterator.next(), DONE)
})

test('concurrent calls of next() are answered in order', async (t) => {
  for (const ordered of [true, false]) {
    const source = new LocalChunks((n: number) => {
      if (n === 2) throw boom
      return n
    })
    source.manual = true
    const iterator = map(source, numbers(4), { chunksize: 2, ordered })
    const settled: number[] = []
    const answers = numbers(6).map((index) => {
      const answer = iterator.next()
      answer.then(
        () => settled.push(index),
        () => settled.push(index),
      )
      return answer
    })
    source.finish(0)
    await turn()
    const late = iterator.next()
    source.finish(1)
    t.deepEqual(
      (await Promise.allSettled(answers)).map((answer) =>
        answer.status === 'fulfilled' ? answer.value : { error: answer.reason as unknown },
      ),
      [{ done: false, value: 0 }, { done: false, value: 1 }, { error: boom }, { done: false, value: 3 }, DONE, DONE],
    )
    t.deepEqual(await late, DONE)
    t.deepEqual(settled, numbers(6))
  }
})

test('ten thousand concurrent calls of next() are answered in order', async (t) => {
  const source = new LocalChunks(double)
  const iterator = map(source, numbers(10_000), { chunksize: 7 })
  const results = await Promise.all(numbers(10_000).map(() => iterator.next()))
  t.true(results.every((result, index) => result.value === 2 * index))
})

test('any chunksize and order give the same results', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        count: fc.integer({ min: 0, max: 60 }),
        chunksize: fc.oneof(fc.integer({ min: 1, max: 70 }), fc.constant('auto' as const)),
        buffersize: fc.option(fc.integer({ min: 1, max: 70 }), { nil: undefined }),
        ordered: fc.boolean(),
        asynchronous: fc.boolean(),
      }),
      async ({ count, chunksize, buffersize, ordered, asynchronous }) => {
        const source = new LocalChunks((n: number) => {
          if (n % 5 === 3) throw n
          return n
        })
        const input = asynchronous ? new AsyncCounted(count) : new Counted(count)
        const seen = await outcomes(map(source, input, { chunksize, buffersize, ordered }))
        const expected = numbers(count).map((n) => (n % 5 === 3 ? { error: n } : n))
        if (ordered) t.deepEqual(seen, expected)
        else
          t.deepEqual(
            new Set(seen.map((item) => JSON.stringify(item))),
            new Set(expected.map((item) => JSON.stringify(item))),
          )
        t.is(seen.length, count)
      },
    ),
    { numRuns: 60 },
  )
})

// ---- Failures --------------------------------------------------------------------------------------------------------------

test('an item that fails rejects its next(), and the items after it follow, for any chunksize', async (t) => {
  for (const chunksize of [1, 2, 3, 10, 'auto'] as const) {
    const source = new LocalChunks((n: number) => {
      if (n === 1 || n === 4) throw new RangeError(`no ${n}`)
      return n
    })
    const iterator = map(source, numbers(6), { chunksize })
    t.deepEqual(await outcomes(iterator), [
      0,
      { error: new RangeError('no 1') },
      2,
      3,
      { error: new RangeError('no 4') },
      5,
    ])
    t.deepEqual(await iterator.next(), DONE)
    t.deepEqual(await iterator.next(), DONE)
  }
})

test('falsy errors of items are failures', async (t) => {
  const thrown = [undefined, null, 0, '']
  const source = new LocalChunks((value: unknown) => {
    throw value
  })
  t.deepEqual(
    await outcomes(map(source, thrown, { chunksize: 3 })),
    thrown.map((error) => ({ error })),
  )
})

test('a chunk that fails as a whole fails each of its items', async (t) => {
  const source = new LocalChunks(double)
  source.manual = true
  const iterator = map(source, numbers(5), { chunksize: 2 })
  source.finish(0)
  source.futures[1]!.setException(boom)
  source.finish(2)
  t.deepEqual(await outcomes(iterator), [0, 2, { error: boom }, { error: boom }, 8])
})

test('a chunk that somebody else cancelled rejects with CancelledError, and the others follow', async (t) => {
  const source = new LocalChunks(double)
  source.manual = true
  const iterator = map(source, numbers(3))
  source.futures[0]!.cancel()
  source.finish(1)
  source.finish(2)
  await t.throwsAsync(iterator.next(), { instanceOf: CancelledError })
  t.deepEqual(await collect(iterator), [2, 4])
})

test('for await stops at the first failure and cancels the rest', async (t) => {
  for (const [ordered, waits] of [
    [true, true],
    [true, false],
    [false, true],
    [false, false],
  ]) {
    const source = new LocalChunks((n: number) => {
      if (n === 1) throw boom
      return n
    })
    source.manual = true
    const input = new Counted()
    const iterator = map(source, input, { ordered, buffersize: 4 })
    const seen: number[] = []
    const loop = async (): Promise<void> => {
      for await (const value of iterator) seen.push(value)
    }
    const looping = waits ? loop() : undefined
    await turn()
    source.finish(0)
    source.finish(1)
    await t.throwsAsync(looping ?? loop(), { is: boom })
    t.deepEqual(seen, [0])
    t.true(source.futures[2]!.cancelled())
    t.true(source.futures[3]!.cancelled())
    t.is(input.closed, 1)
    t.deepEqual(await iterator.next(), DONE)
  }
})

test('the iterators that loops use share one sequence of results', async (t) => {
  const iterator = map(new LocalChunks(double), numbers(6))
  t.is((await iterator.next()).value, 0)
  const loop = iterator[Symbol.asyncIterator]()
  t.is(loop[Symbol.asyncIterator](), loop)
  t.is((await loop.next()).value, 2)
  t.is((await iterator.next()).value, 4)
  t.is((await loop.next()).value, 6)
  t.deepEqual(await loop.return!(), DONE)
  t.deepEqual(await iterator.next(), DONE)
  t.deepEqual(await loop.next(), DONE)
  await t.throwsAsync(loop.throw!(boom), { is: boom })
})

// ---- Timeouts --------------------------------------------------------------------------------------------------------------

test('the timeout counts from the call; next() rejects, the rest is cancelled, and the iterator has ended', async (t) => {
  const source = new LocalChunks(double)
  source.manual = true
  const input = new Counted()
  const iterator = map(source, input, { timeout: 20, buffersize: 3 })
  source.finish(0)
  t.is((await iterator.next()).value, 0)
  const late = iterator.next()
  const later = iterator.next()
  await t.throwsAsync(late, { instanceOf: TimeoutError, message: /20 ms/ })
  t.deepEqual(await later, DONE)
  t.deepEqual(await iterator.next(), DONE)
  t.deepEqual(
    source.futures.slice(1).map((future) => future.cancelled()),
    source.futures.slice(1).map(() => true),
  )
  for (const future of source.futures) t.is(listenersOf(future), 0)
  t.is(input.closed, 1)
})

test('the timeout is not checked for items that are done', async (t) => {
  const source = new LocalChunks(double)
  source.manual = true
  const iterator = map(source, numbers(4), { timeout: 5, chunksize: 3 })
  source.finish(0)
  await sleep(20)
  t.deepEqual([(await iterator.next()).value, (await iterator.next()).value, (await iterator.next()).value], [0, 2, 4])
  await t.throwsAsync(iterator.next(), { instanceOf: TimeoutError })
  t.deepEqual(await iterator.next(), DONE)
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

// ---- Closing ---------------------------------------------------------------------------------------------------------------

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

// ---- Read-ahead ------------------------------------------------------------------------------------------------------------

test('with a buffersize so many items are read at the call, and one more for each that was taken', async (t) => {
  const source = new LocalChunks(double)
  const input = new Counted()
  const iterator = map(source, input, { buffersize: 3 })
  t.is(input.read, 3)
  await turns()
  t.is(input.read, 3)
  await iterator.next()
  t.is(input.read, 3)
  await turns()
  t.is(input.read, 4)
  for (let taken = 2; taken < 8; taken++) {
    await iterator.next()
    t.is(input.read, taken + 2)
  }
  await iterator.return()
})

test('never more than buffersize items are ahead of the consumer', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        buffersize: fc.integer({ min: 1, max: 12 }),
        chunksize: fc.oneof(fc.integer({ min: 1, max: 15 }), fc.constant('auto' as const)),
        ordered: fc.boolean(),
        asynchronous: fc.boolean(),
        pauses: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 5 }),
      }),
      async ({ buffersize, chunksize, ordered, asynchronous, pauses }) => {
        const count = 40
        let read = 0
        let taken = 0
        let ahead = 0
        function next(): number {
          ahead = Math.max(ahead, ++read - taken)
          return read
        }
        function* items(): Generator<number> {
          while (read < count) yield next()
        }
        async function* asyncItems(): AsyncGenerator<number> {
          while (read < count) yield next()
        }
        const source = new LocalChunks((n: number) => {
          if (n % 7 === 0) throw boom
          return n
        })
        const iterator = map(source, asynchronous ? asyncItems() : items(), { buffersize, chunksize, ordered })
        for (;;) {
          const result = await iterator.next().catch(() => ({ done: false }))
          if (result.done) break
          taken++
          await turns(pauses[taken % pauses.length])
        }
        t.is(taken, count)
        t.true(ahead <= buffersize, `${ahead} of ${buffersize}`)
        t.true(source.chunks.every((chunk) => chunk.length <= buffersize))
      },
    ),
    { numRuns: 60 },
  )
})

test('an endless synchronous input works with a buffersize', async (t) => {
  const source = new LocalChunks(double)
  const input = new Counted()
  let taken = 0
  for await (const value of map(source, input, { buffersize: 5, chunksize: 2 })) {
    t.is(value, 2 * taken++)
    if (taken === 50) break
  }
  t.is(input.closed, 1)
})

test('asynchronous input is read 2 × maxWorkers chunks ahead by default', async (t) => {
  for (const [maxWorkers, chunksize, expected] of [
    [2, undefined, 4],
    [3, 5, 30],
  ] as const) {
    const source = new LocalChunks(double, maxWorkers)
    const input = new AsyncCounted()
    const iterator = map(source, input, { chunksize })
    await turns(60)
    t.is(input.read, expected)
    t.is((await iterator.next()).value, 0)
    await iterator.return()
    t.is(input.closed, 1)
  }
})

test('asynchronous input: next() of the input is called again only when it has answered', async (t) => {
  let open = 0
  let most = 0
  let index = 0
  const input = {
    [Symbol.asyncIterator]: () => ({
      next: async (): Promise<IteratorResult<number>> => {
        most = Math.max(most, ++open)
        await turn()
        open--
        return index < 20 ? { done: false, value: index++ } : { done: true, value: undefined }
      },
    }),
  }
  t.deepEqual(await collect(map(new LocalChunks(double), input, { chunksize: 3 })), numbers(20).map(double))
  t.is(most, 1)
})

test('asynchronous input that waits for its own results gets them, also with large chunks', async (t) => {
  const results: number[] = []
  async function* feedback(): AsyncGenerator<number> {
    for (let index = 0; index < 4; index++) {
      yield index
      while (results.length <= index) await turn()
    }
  }
  for await (const value of map(new LocalChunks(double), feedback(), { chunksize: 10 })) results.push(value)
  t.deepEqual(results, [0, 2, 4, 6])
})

test('what the input throws later comes after the results of the items before it, once', async (t) => {
  for (const input of [new Counted(5), new AsyncCounted(5)]) {
    for (const ordered of [true, false]) {
      input.read = 0
      input.failure = boom
      const source = new LocalChunks(double)
      const iterator = map(source, input, { buffersize: 2, ordered })
      t.deepEqual(await outcomes(iterator), [0, 2, 4, 6, 8, { error: boom }])
      t.deepEqual(await iterator.next(), DONE)
    }
  }
})

test('items before an error of the input are submitted although their chunk is not full', async (t) => {
  const input = new AsyncCounted(5)
  input.failure = boom
  const source = new LocalChunks(double)
  t.deepEqual(await outcomes(map(source, input, { chunksize: 3 })), [0, 2, 4, 6, 8, { error: boom }])
  t.deepEqual(source.chunks, [
    [0, 1, 2],
    [3, 4],
  ])
})

test('an asynchronous input whose next() throws, or answers with no object, is an error of the input', async (t) => {
  const throwing = {
    [Symbol.asyncIterator]: () => ({
      next: () => {
        throw boom
      },
    }),
  }
  t.deepEqual(await outcomes(map(new LocalChunks(double), throwing as never)), [{ error: boom }])
  const odd = { [Symbol.asyncIterator]: () => ({ next: async () => 5 }) }
  await t.throwsAsync(map(new LocalChunks(double), odd as never).next(), {
    instanceOf: TypeError,
    message: /not an object/,
  })
})

test('an input that calls the iterator it feeds does not confuse it', async (t) => {
  const source = new LocalChunks(double)
  const feeds: { iterator?: MapIterator<number> } = {}
  const nested: Promise<unknown>[] = []
  function* items(): Generator<number> {
    for (let index = 0; index < 6; index++) {
      if (index === 4) nested.push(feeds.iterator!.next())
      yield index
    }
  }
  const iterator = map(source, items(), { buffersize: 2 })
  feeds.iterator = iterator
  const seen = (await outcomes(iterator)).concat(
    (await Promise.all(nested)).map((result) => (result as IteratorResult<number>).value),
  ) as number[]
  t.deepEqual(
    seen.toSorted((a, b) => a - b),
    [0, 2, 4, 6, 8, 10],
  )
})

test('an input that closes the iterator it feeds ends it', async (t) => {
  const source = new LocalChunks(double)
  const feeds: { iterator?: MapIterator<number> } = {}
  const closed: Promise<unknown>[] = []
  const input = {
    [Symbol.iterator]: () => ({
      next: () => {
        if (feeds.iterator !== undefined) closed.push(feeds.iterator.return())
        return { done: false, value: 1 }
      },
    }),
  }
  const iterator = map(source, input as Iterable<number>, { buffersize: 2 })
  feeds.iterator = iterator
  await iterator.next()
  await iterator.next()
  await Promise.all(closed)
  t.true(closed.length > 0)
  t.deepEqual(await iterator.next(), DONE)
  t.is(source.chunks.length, 2)
})

// ---- A full queue ----------------------------------------------------------------------------------------------------------

test('when the queue is full, map waits for room and then goes on, in order', async (t) => {
  const source = new LocalChunks(double)
  const full = new QueueFullError('full', { maxQueue: 1 })
  const input = new Counted(6)
  source.refusals = [full, full, full]
  const iterator = map(source, input, { chunksize: 2 })
  t.is(input.read, 6)
  t.is(source.chunks.length, 0)
  t.deepEqual(await collect(iterator), [0, 2, 4, 6, 8, 10])
  t.is(source.readyCalls, 3)
})

test('when the queue is full, an input that throws later still throws at the call', (t) => {
  const source = new LocalChunks(double)
  source.refusals = [new QueueFullError('full', { maxQueue: 1 })]
  const input = new Counted(6)
  input.failure = boom
  t.is(
    t.throws(() => map(source, input)),
    boom,
  )
  t.is(input.closed, 1)
})

test('a queue that says it is ready and takes nothing does not stop the event loop', async (t) => {
  const source = new LocalChunks(double)
  const full = new QueueFullError('full', { maxQueue: 1 })
  source.refusals = Array.from({ length: 1_000_000 }, () => full)
  const iterator = map(source, [1, 2])
  await sleep(10)
  t.true(source.readyCalls > 1)
  source.refusals = []
  t.deepEqual(await collect(iterator), [2, 4])
})

test('a bounded queue and asynchronous input', async (t) => {
  const source = new LocalChunks(double)
  const full = new QueueFullError('full', { maxQueue: 1 })
  const input = new AsyncCounted(9)
  source.refusals = [full]
  const iterator = map(source, input, { chunksize: 2 })
  await turns(3)
  source.refusals.push(full, full)
  t.deepEqual(await collect(iterator), numbers(9).map(double))
})

test('a submission that fails later ends the map: results first, then the error, once; the input is closed', async (t) => {
  for (const input of [new Counted(), new AsyncCounted()]) {
    const source = new LocalChunks(double)
    const iterator = map(source, input, { buffersize: 2 })
    await turns()
    const shutdown = new ShutdownError('cannot schedule new futures after shutdown')
    source.refusals = [shutdown]
    t.deepEqual(await outcomes(iterator), [0, 2, { error: shutdown }])
    t.deepEqual(await iterator.next(), DONE)
    t.is(input.closed, 1)
  }
})

test('when waiting for room fails, the map ends with that error after its results', async (t) => {
  for (const ready of [
    () => Promise.reject(boom),
    () => {
      throw boom
    },
  ]) {
    const source = new LocalChunks(double)
    source.ready = ready
    const input = new Counted(4)
    const iterator = map(source, input, { buffersize: 2 })
    source.refusals = [new QueueFullError('full', { maxQueue: 1 })]
    t.deepEqual(await outcomes(iterator), [0, 2, { error: boom }])
    t.is(input.closed, 1)
  }
})

test('return() while the queue is full leaves nothing to be submitted', async (t) => {
  const source = new LocalChunks(double)
  source.refusals = [new QueueFullError('full', { maxQueue: 1 })]
  const iterator = map(source, [1, 2])
  await iterator.return()
  await turns()
  t.is(source.chunks.length, 0)
})

// ---- Automatic chunks ------------------------------------------------------------------------------------------------------

const sizes = (source: LocalChunks<number, number>): number[] => source.chunks.map((chunk) => chunk.length)

test('automatic chunks start with one item and grow for short tasks, up to 4096', async (t) => {
  const source = new LocalChunks(double)
  source.elapsed = (items) => items * 1e-4
  t.deepEqual(await collect(map(source, numbers(200_000), { chunksize: 'auto' })), numbers(200_000).map(double))
  t.is(source.chunks[0]!.length, 1)
  t.is(Math.max(...sizes(source)), 4096)
})

test('automatic chunks stay single for long tasks, and shrink when tasks become long', async (t) => {
  const long = new LocalChunks(double)
  long.elapsed = (items) => items * 20
  await collect(map(long, numbers(50), { chunksize: 'auto' }))
  t.true(sizes(long).every((size) => size === 1))

  const changing = new LocalChunks(double)
  let each = 0.01
  changing.elapsed = (items) => items * each
  let taken = 0
  for await (const _ of map(changing, numbers(20_000), { chunksize: 'auto' })) {
    if (++taken === 10_000) each = 1
  }
  t.true(Math.max(...sizes(changing)) > 100)
  t.is(sizes(changing).at(-2), 4)
})

test('automatic chunks aim at a few milliseconds of work', async (t) => {
  const source = new LocalChunks(double)
  source.elapsed = (items) => items * 0.1
  await collect(map(source, numbers(5000), { chunksize: 'auto' }))
  t.is(Math.max(...sizes(source)), 40)
})

test('automatic chunks leave work for all workers: at most ceil(length / (4 × workers))', async (t) => {
  const source = new LocalChunks(double, 4)
  source.elapsed = () => 0
  for (const items of [numbers(1000), new Set(numbers(1000)), new Counted(1000)]) {
    source.chunks.length = 0
    await collect(map(source, items, { chunksize: 'auto' }))
    t.is(Math.max(...sizes(source)), Math.ceil(1000 / 16))
  }
})

test('automatic chunks are submitted as others are done, a few for each worker', async (t) => {
  const source = new LocalChunks(double, 3)
  source.manual = true
  const input = new Counted(100)
  const iterator = map(source, input, { chunksize: 'auto' })
  t.is(input.read, 100)
  t.is(source.chunks.length, 12)
  source.finish(0)
  t.is(source.chunks.length, 13)
  await iterator.return()
})

test('automatic chunks work without times from the executor', async (t) => {
  const source = new LocalChunks(double)
  t.deepEqual(await collect(map(source, numbers(20_000), { chunksize: 'auto' })), numbers(20_000).map(double))
  t.true(source.chunks.length < 20_000)
})

test('automatic chunks never exceed the read-ahead, and share it among the workers', async (t) => {
  for (const input of [new Counted(2000), new AsyncCounted(2000)]) {
    const source = new LocalChunks(double, 2)
    source.elapsed = () => 0
    await collect(map(source, input, { chunksize: 'auto', buffersize: 40 }))
    t.is(Math.max(...sizes(source)), 10)
  }
})

test('automatic chunks of asynchronous input need no buffersize', async (t) => {
  const source = new LocalChunks(double, 2)
  source.elapsed = (items) => items * 1e-3
  t.deepEqual(await collect(map(source, new AsyncCounted(20_000), { chunksize: 'auto' })), numbers(20_000).map(double))
  t.true(Math.max(...sizes(source)) > 100)
})

test('a map of a million items is linear', async (t) => {
  const source = new LocalChunks(double)
  source.elapsed = (items) => items * 1e-4
  let sum = 0
  for await (const value of map(source, numbers(1_000_000), { chunksize: 'auto' })) sum += value
  t.is(sum, 999_999_000_000)
})

// ---- References ------------------------------------------------------------------------------------------------------------

test('neither a yielded result nor a yielded error nor its item is kept', async (t) => {
  interface Item {
    index: number
  }
  for (const chunksize of [1, 4, 'auto'] as const) {
    const seen: WeakRef<object>[] = []
    const source = new LocalChunks((item: Item) => {
      // No error, whose stack would hold the functions that called this, and those the chunk.
      if (item.index % 2 === 1) throw { odd: item.index }
      return { item: item.index }
    })
    // The executor of a test remembers; a real one does not.
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
