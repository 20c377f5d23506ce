// `batches()` of `millrace/streams`.

import test from 'ava'
import fc from 'fast-check'
import { setTimeout as sleep } from 'node:timers/promises'

import { batches, lines } from '../src/streams/index.js'

async function all<T>(iterable: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of iterable) items.push(item)
  return items
}

async function* asynchronous<T>(items: Iterable<T>) {
  for (const item of items) {
    await undefined
    yield item
  }
}

/** Batches by a loop over all items. */
function plain(items: string[], { items: most = Infinity, bytes = Infinity }): string[][] {
  const made: string[][] = []
  let size = 0
  for (const item of items) {
    const length = Buffer.byteLength(item)
    const last = made.at(-1)
    if (last === undefined || last.length >= most || size + length > bytes || size >= bytes) {
      made.push([item])
      size = length
    } else {
      last.push(item)
      size += length
    }
  }
  return made
}

test('no limit is exceeded, nothing is lost, and a larger item comes alone', async (t) => {
  const limit = fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined })
  await fc.assert(
    fc.asyncProperty(fc.array(fc.string({ unit: 'grapheme' })), limit, limit, async (items, most, bytes) => {
      fc.pre(most !== undefined || bytes !== undefined)
      const expected = plain(items, { items: most ?? Infinity, bytes: bytes ?? Infinity })
      t.deepEqual(await all(batches(items, { items: most, bytes })), expected)
      t.deepEqual(await all(batches(asynchronous(items), { items: most, bytes, ms: 1e6 })), expected)
      t.deepEqual(await all(batches(asynchronous(items), { items: most, bytes, size: Buffer.byteLength })), expected)
    }),
    { numRuns: 300 },
  )
})

test('batches of lines are those of their array', async (t) => {
  const texts = Array.from({ length: 10_000 }, (_, index) => String(index))
  const made = await all(batches(lines([texts.join('\n')]), { items: 300 }))
  t.deepEqual(made.flat(), texts)
  t.true(made.slice(0, -1).every(({ length }) => length === 300))
})

test('a batch comes when its time is over, and waits for its first item', async (t) => {
  let release: ((value: number) => void) | undefined
  async function* slow() {
    yield 1
    yield 2
    yield await new Promise<number>((resolve) => (release = resolve))
    yield 4
  }
  const iterator = batches(slow(), { ms: 300, items: 10 })
  t.deepEqual((await iterator.next()).value, [1, 2])
  const next = iterator.next()
  t.is(await Promise.race([next, sleep(600, 'waiting')]), 'waiting')
  release!(3)
  t.deepEqual((await next).value, [3, 4])
  t.true((await iterator.next()).done)
})

test('time ends a batch of an input that never waits', async (t) => {
  function* endless() {
    for (;;) yield 1
  }
  for await (const batch of batches(endless(), { ms: 5 })) {
    t.true(batch.length > 0)
    break
  }
})

test('what was read comes before the error of the input', async (t) => {
  const boom = new Error('boom')
  function* failing() {
    yield* ['a', 'b', 'c']
    throw boom
  }
  for (const input of [failing(), asynchronous(failing())]) {
    const iterator = batches(input, { items: 2 })
    t.deepEqual((await iterator.next()).value, ['a', 'b'])
    t.deepEqual((await iterator.next()).value, ['c'])
    t.is(await t.throwsAsync(iterator.next()), boom)
    t.true((await iterator.next()).done)
  }
})

test('an item without a size is an error after the items before it', async (t) => {
  let closed = false
  function* mixed() {
    try {
      yield Buffer.alloc(3)
      yield { a: 1 } as never
    } finally {
      closed = true
    }
  }
  const iterator = batches(mixed(), { bytes: 10 })
  t.deepEqual((await iterator.next()).value, [Buffer.alloc(3)])
  await t.throwsAsync(iterator.next(), { message: /options\.size/ })
  t.true(closed)
  await t.throwsAsync(all(batches([1], { bytes: 1, size: () => NaN })), { message: /options\.size/ })
})

test('leaving the loop closes the input, also one that waits', async (t) => {
  let closed = 0
  const silent: AsyncIterableIterator<number> = {
    next: () => new Promise(() => {}),
    return: async () => {
      closed++
      return { done: true, value: undefined }
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
  const iterator = batches(silent, { items: 2, ms: 10 })
  const waiting = iterator.next()
  await sleep(5)
  await iterator.return?.()
  t.is(closed, 1)
  t.true((await waiting).done)
})

test('arguments that are none are refused at the call', (t) => {
  t.throws(() => batches([], {}), { message: /at least one limit/ })
  t.throws(() => batches([], undefined as never), { message: /at least one limit/ })
  t.throws(() => batches(5 as never, { items: 1 }), { message: /"iterable"/ })
  t.throws(() => batches([], { items: 0 }), { message: /options\.items/ })
  t.throws(() => batches([], { bytes: 1.5 }), { message: /options\.bytes/ })
  t.throws(() => batches([], { ms: -1 }), { message: /options\.ms/ })
  t.throws(() => batches([], { size: 5 } as never), { message: /options\.size/ })
  t.throws(() => batches([], { item: 1 } as never), { message: /Did you mean "items"/ })
})
