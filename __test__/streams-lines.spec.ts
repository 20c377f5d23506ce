// `lines()` of `millrace/streams`.

import test from 'ava'
import fc from 'fast-check'
import { Readable } from 'node:stream'

import { lines } from '../src/streams/index.js'

/** Cuts bytes into pieces of these sizes, over and over. Empty pieces are pieces, too. */
function* cut(bytes: Uint8Array, sizes: number[]): Generator<Uint8Array> {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length]!
    yield bytes.subarray(at, at + size)
    at += size
  }
}

async function all<T>(iterable: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of iterable) items.push(item)
  return items
}

/** The lines of a whole text. */
function plain(text: string): string[] {
  const parts = text.replace(/^\uFEFF/, '').split('\n')
  const last = parts.pop()!
  return [...parts.map((part) => part.replace(/\r$/, '')), ...(last === '' ? [] : [last])]
}

const texts = fc
  .array(fc.oneof(fc.constantFrom('\n', '\r\n', '\r', '', 'é', '€', '𝄞', '\uFEFF'), fc.string({ unit: 'binary' })))
  .map((parts) => parts.join(''))
const sizes = fc.array(fc.integer({ min: 0, max: 7 }), { minLength: 1 }).filter((some) => some.some((size) => size > 0))

test('lines are those of a plain split, however the bytes are cut', async (t) => {
  await fc.assert(
    fc.asyncProperty(texts, sizes, async (text, some) => {
      const bytes = Buffer.from(text)
      const whole = bytes.toString()
      t.deepEqual(await all(lines(cut(bytes, some))), plain(whole))
      t.deepEqual(await all(lines(Readable.from(cut(bytes, some)))), plain(whole))
      const buffers = await all(lines(cut(bytes, some), { encoding: null }))
      t.deepEqual(buffers.map(String), plain(whole))
    }),
    { numRuns: 300 },
  )
})

test('lines of Latin-1 are those of a plain split', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), sizes, async (bytes, some) => {
      const text = Buffer.from(bytes).toString('latin1')
      t.deepEqual(await all(lines(cut(bytes, some), { encoding: 'latin1' })), plain(text).map(String))
    }),
    { numRuns: 300 },
  )
})

test('pieces may be strings, also ones that split a character', async (t) => {
  await fc.assert(
    fc.asyncProperty(texts, fc.integer({ min: 1, max: 3 }), async (text, size) => {
      const whole = Buffer.from(text).toString()
      const pieces = Array.from({ length: Math.ceil(whole.length / size) }, (_, at) =>
        whole.slice(at * size, (at + 1) * size),
      )
      t.deepEqual(await all(lines(pieces)), plain(whole))
      t.deepEqual(await all(lines(pieces, { encoding: 'latin1' })), plain(whole))
    }),
    { numRuns: 200 },
  )
})

test('a source may use the memory of a piece again', async (t) => {
  const memory = Buffer.alloc(4)
  function* again() {
    for (const text of ['ab\nc', 'dd\ne', 'ff\ng', 'hhhh', 'ii\nj']) {
      memory.write(text)
      yield memory
    }
  }
  t.deepEqual(await all(lines(again())), ['ab', 'cdd', 'eff', 'ghhhhii', 'j'])
})

test('bytes alone are a source', async (t) => {
  t.deepEqual(await all(lines(Buffer.from('a\r\nb'))), ['a', 'b'])
  t.deepEqual(await all(lines(new Blob(['x\ny\n']).stream() as never)), ['x', 'y'])
  t.deepEqual(await all(lines([])), [])
})

test('a line that is too long is an error, with its offset, and no more than its limit is kept', async (t) => {
  for (const size of [1, 3, 1000]) {
    const source = () => cut(Buffer.from(`\uFEFFabcde\r\nabcde\nabcdef\nx`), [size])
    const iterator = lines(source(), { maxBytes: 5 })
    t.is((await iterator.next()).value, 'abcde')
    t.is((await iterator.next()).value, 'abcde')
    const error = await t.throwsAsync(iterator.next(), { instanceOf: RangeError, code: 'ERR_MILLRACE_LINE_TOO_LONG' })
    t.is((error as unknown as { offset: number }).offset, 16)
    t.deepEqual(await iterator.next(), { done: true, value: undefined })
  }
  let read = 0
  async function* endless() {
    try {
      for (;;) {
        read++
        yield Buffer.alloc(1000, 'x')
      }
    } finally {
      read = -read
    }
  }
  await t.throwsAsync(all(lines(endless(), { maxBytes: 10_000 })), { code: 'ERR_MILLRACE_LINE_TOO_LONG' })
  t.is(read, -11)
})

test('an error of the source comes after the lines that were complete, and ends the lines', async (t) => {
  const boom = new Error('boom')
  async function* failing() {
    yield 'a\nb\nc'
    throw boom
  }
  const iterator = lines(failing())
  t.is((await iterator.next()).value, 'a')
  t.is((await iterator.next()).value, 'b')
  t.is(await t.throwsAsync(iterator.next()), boom)
  t.deepEqual(await iterator.next(), { done: true, value: undefined })
})

test('leaving the loop closes the source, also a stream that waits', async (t) => {
  const stream = new Readable({ read() {} })
  stream.push('a\nb\n')
  for await (const line of lines(stream)) {
    t.is(line, 'a')
    break
  }
  t.true(stream.destroyed)
  const silent = new Readable({ read() {} })
  const iterator = lines(silent)
  const waiting = iterator.next()
  await iterator.return?.()
  t.true(silent.destroyed)
  t.deepEqual(await waiting, { done: true, value: undefined })
})

test('next() may be called many times at once', async (t) => {
  const iterator = lines(Readable.from(['a\nb', '\nc\n', 'd']))
  const results = await Promise.all(Array.from({ length: 6 }, () => iterator.next()))
  t.deepEqual(
    results.map(({ value }) => value),
    ['a', 'b', 'c', 'd', undefined, undefined],
  )
})

test('arguments that are none are refused at the call', async (t) => {
  for (const source of [undefined, null, 5, {}, () => {}]) {
    t.throws(() => lines(source as never), { code: 'ERR_INVALID_ARG_TYPE', message: /"source"/ })
  }
  t.throws(() => lines('/etc/hostname' as never), { message: /createReadStream/ })
  t.throws(() => lines([], { encoding: 'utf-16' } as never), { message: /options\.encoding/ })
  t.throws(() => lines([], { maxBytes: 0 }), { message: /options\.maxBytes/ })
  t.throws(() => lines([], { maxbytes: 1 } as never), { message: /Did you mean "maxBytes"/ })
  await t.throwsAsync(all(lines([1] as never)), { message: /Uint8Arrays or strings/ })
  await t.throwsAsync(all(lines(['a', Buffer.from('b')])), { message: /all bytes or all strings/ })
})
