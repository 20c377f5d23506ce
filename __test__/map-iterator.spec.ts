// map() of any executor: when items are read and calls made, the order of results, and failures.

import test from 'ava'
import fc from 'fast-check'
import { setImmediate as turn } from 'node:timers/promises'
import { CancelledError, ShutdownError } from '../src/errors/index.js'
import type { MapOptions } from '../src/map/options.js'
import { LocalChunks } from './helpers/executors.js'
import { boom, DONE, double, numbers, map, collect, outcomes, Counted, AsyncCounted } from './helpers/maps.js'

// ---- Eagerness ------------------------------------------------------------------------------------------------------

test('with a buffersize of Infinity everything is read and submitted before map returns', (t) => {
  const source = new LocalChunks(double)
  const input = new Counted(10)
  map(source, input, { chunksize: 4, buffersize: Infinity })
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

test('what the input throws comes behind the results of the items before it, and again and again', async (t) => {
  for (const options of [
    {},
    { chunksize: 3 },
    { buffersize: 9 },
    { chunksize: 2, buffersize: 9 },
    { chunksize: 'auto' },
    { buffersize: Infinity },
    { chunksize: 'auto', buffersize: Infinity },
  ]) {
    const source = new LocalChunks(double)
    const input = new Counted(5)
    input.failure = boom
    const iterator = map(source, input, options as MapOptions)
    t.deepEqual(await outcomes(iterator), [0, 2, 4, 6, 8, { error: boom }])
    await t.throwsAsync(iterator.next(), { is: boom })
    t.is(input.closed, 1)
    await iterator.return()
    t.deepEqual(await iterator.next(), DONE)
  }
})

test('an input that gives no iterator is an error of the call', (t) => {
  const source = new LocalChunks(double)
  const thrower = {
    [Symbol.iterator]: () => {
      throw boom
    },
  }
  t.is(
    t.throws(() => map(source, thrower as Iterable<number>)),
    boom,
  )
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

// ---- Chunks and order -----------------------------------------------------------------------------------------------

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

// ---- Failures -------------------------------------------------------------------------------------------------------

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

test('a chunk that somebody else cancelled ends the map: in order nothing follows, else what is there', async (t) => {
  for (const options of [{}, { ordered: false }, { settle: true }]) {
    const source = new LocalChunks(double)
    source.manual = true
    const iterator: AsyncIterator<unknown> = map(source, numbers(3), options)
    source.futures[1]!.cancel()
    source.finish(0)
    source.finish(2)
    const seen = await outcomes(iterator)
    const values = [0, 2].map((index) =>
      'settle' in options ? { status: 'fulfilled', index, value: 2 * index } : 2 * index,
    )
    t.deepEqual(seen.slice(0, -1), 'ordered' in options ? values : values.slice(0, 1))
    const { error } = seen.at(-1) as { error: unknown }
    t.true(error instanceof CancelledError)
    t.is(await t.throwsAsync(iterator.next()), error as CancelledError)
  }
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
