// map() of any executor: how far it reads ahead of its consumer.

import test from 'ava'
import fc from 'fast-check'
import { setImmediate as turn } from 'node:timers/promises'
import type { MapIterator } from '../src/map/iterator.js'
import { LocalChunks } from './helpers/executors.js'
import { boom, DONE, double, numbers, map, collect, outcomes, Counted, AsyncCounted, turns } from './helpers/maps.js'

// ---- Read-ahead -----------------------------------------------------------------------------------------------------

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

test('by default four chunks are read ahead for each worker, and at least 64 items for each', async (t) => {
  for (const [maxWorkers, chunksize, expected] of [
    [2, 1, 128],
    [3, 5, 190],
    [2, 100, 800],
  ] as const) {
    for (const input of [new Counted(), new AsyncCounted()]) {
      const source = new LocalChunks(double, maxWorkers)
      const iterator = map(source, input, { chunksize })
      await turns(60)
      t.is(input.read, expected)
      t.is((await iterator.next()).value, 0)
      await iterator.return()
      t.is(input.closed, 1)
    }
  }
})

test('at 64 MiB of encoded items reading stops, unless the buffersize is Infinity', async (t) => {
  for (const [buffersize, expected] of [
    [undefined, 64],
    [100, 64],
    [Infinity, 128],
  ] as const) {
    const source = new LocalChunks(double)
    source.itemBytes = 1 << 20
    const input = new Counted(128)
    const iterator = map(source, input, { buffersize })
    await turns(10)
    t.is(source.chunks.length, expected)
    t.is((await iterator.next()).value, 0)
    await turns()
    t.is(source.chunks.length, buffersize === Infinity ? 128 : expected + 1)
    await iterator.return()
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

test('what the input throws later comes after the results of the items before it, again and again', async (t) => {
  for (const input of [new Counted(5), new AsyncCounted(5)]) {
    for (const ordered of [true, false]) {
      input.read = 0
      input.failure = boom
      const source = new LocalChunks(double)
      const iterator = map(source, input, { buffersize: 2, ordered })
      t.deepEqual(await outcomes(iterator), [0, 2, 4, 6, 8, { error: boom }])
      await t.throwsAsync(iterator.next(), { is: boom })
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
