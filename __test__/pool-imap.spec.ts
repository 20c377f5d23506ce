// imap and imapUnordered.

import test from 'ava'
import { TimeoutError } from 'millrace'
import { tasks } from './fixtures/basic.mjs'
import { Gate, Log } from './helpers/pool.js'
import { finish, rejection, startPool } from './helpers/pools.js'
import { moment, until, within } from './helpers/waiting.js'

const odd = (n: number): number => {
  if (n % 2 === 0) throw new RangeError(`${n} is even`)
  return n
}
const items = (count: number): number[] => Array.from({ length: count }, (_, n) => n)

/** Yields numbers for ever, and counts those that were read. */
class Endless {
  read = 0
  closed = false;

  *sync(): Generator<number> {
    try {
      for (;;) yield this.read++
    } finally {
      this.closed = true
    }
  }

  async *async(): AsyncGenerator<number> {
    yield* this.sync()
  }
}

/** Everything that an iterator yields, errors as their messages; what ends it is the last, and comes again. */
async function drain(iterator: AsyncIterator<unknown, undefined>): Promise<unknown[]> {
  const seen: unknown[] = []
  for (let last: unknown; ;) {
    try {
      const { done, value } = await within('a result', iterator.next())
      if (done) return seen
      seen.push(value)
    } catch (error) {
      if (error === last) return seen
      last = error
      seen.push((error as Error).message)
    }
  }
}

for (const chunksize of [undefined, 1, 3, 100, 'auto'] as const) {
  const options = chunksize === undefined ? undefined : { chunksize }

  test(`imap() yields in order, with chunks of ${chunksize}`, async (t) => {
    const pool = startPool(t)
    const seen: number[] = []
    for await (const value of pool.imap(tasks.double, items(100), options)) seen.push(value)
    t.deepEqual(
      seen,
      items(100).map((n) => 2 * n),
    )
  })

  test(`imapUnordered() yields everything once, with chunks of ${chunksize}`, async (t) => {
    const pool = startPool(t)
    const seen: number[] = []
    for await (const value of pool.imapUnordered(tasks.double, items(100), options)) seen.push(value)
    t.deepEqual(
      seen.sort((a, b) => a - b),
      items(100).map((n) => 2 * n),
    )
  })

  test(`one failure does not concern the other items, with chunks of ${chunksize}`, async (t) => {
    const pool = startPool(t)
    t.deepEqual(await drain(pool.imap(odd, items(7), options)), [
      '0 is even',
      1,
      '2 is even',
      3,
      '4 is even',
      5,
      '6 is even',
    ])
  })

  test(`what the input throws comes in its place, with chunks of ${chunksize}`, async (t) => {
    const pool = startPool(t)
    const sync = function* (): Generator<number> {
      yield* [1, 2, 3, 5]
      throw new Error('no more input')
    }
    const async = async function* (): AsyncGenerator<number> {
      yield* sync()
    }
    for (const input of [sync(), async()]) {
      t.deepEqual(await drain(pool.imap(odd, input, options)), [1, '2 is even', 3, 5, 'no more input'])
    }
    const failing: Iterable<number> = {
      [Symbol.iterator]: () => ({
        next: () => {
          throw new Error('no input at all')
        },
      }),
    }
    t.deepEqual(await drain(pool.imapUnordered(odd, failing, options)), ['no input at all'])
  })
}

test('an empty input is an empty iterator', async (t) => {
  const pool = startPool(t, 1)
  t.deepEqual(await drain(pool.imap(tasks.double, [])), [])
  t.deepEqual(await drain(pool.imapUnordered(tasks.double, [])), [])
})

test('imapUnordered() does not wait for what takes long', async (t) => {
  const gate = new Gate(t)
  const pool = startPool(t, 2)
  const wait = async (path: string): Promise<string> => {
    const { existsSync } = await import('node:fs')
    while (existsSync(path)) await new Promise((resolve) => setTimeout(resolve, 2))
    return path
  }
  const iterator = pool.imapUnordered(wait, [gate.path, '', ''])
  t.deepEqual(await iterator.next(), { done: false, value: '' })
  t.deepEqual(await iterator.next(), { done: false, value: '' })
  gate.open()
  t.deepEqual(await iterator.next(), { done: false, value: gate.path })
  t.true((await iterator.next()).done)
})

test('next() gives up after its timeout, and the item is not lost', async (t) => {
  const gate = new Gate(t)
  const pool = startPool(t, 1)
  const iterator = pool.imap(tasks.double, items(3))
  t.deepEqual(await drain(iterator), [0, 2, 4])
  const held = pool.applyAsync(tasks.hold, [gate.path, 0])
  const waiting = pool.imap(tasks.double, items(3))
  for (const timeout of [0, -5, 1, 20]) {
    const error = await rejection(waiting.next({ timeout }))
    t.true(error instanceof TimeoutError)
    t.regex(error.message, /asked for again/)
  }
  // Several at once: requests without a timeout keep their places.
  const first = waiting.next()
  const given = Array.from({ length: 200 }, (_, n) => rejection(waiting.next({ timeout: 1 + (n % 5) })))
  const second = waiting.next({ timeout: 100_000 })
  for (const error of await Promise.all(given)) t.true(error instanceof TimeoutError)
  gate.open()
  t.is(await held, 0)
  t.deepEqual([(await first).value, (await second).value], [0, 2])
  t.deepEqual(await waiting.next({ timeout: 60_000 }), { done: false, value: 4 })
  t.deepEqual(await waiting.next({ timeout: 0 }), { done: true, value: undefined })
  t.true((await rejection(waiting.next({ timeout: 'soon' as never }))) instanceof TypeError)
})

test('next() with a timeout of 0 takes what is there', async (t) => {
  const pool = startPool(t, 1)
  const iterator = pool.imap(tasks.double, items(2))
  await until('both are there', () => pool.stats().completed === 2)
  t.deepEqual(await iterator.next({ timeout: 0 }), { done: false, value: 0 })
  t.deepEqual(await iterator.next({ timeout: 0 }), { done: false, value: 2 })
})

for (const kind of ['sync', 'async'] as const) {
  test(`an endless ${kind} input is read 64 items a worker ahead, and closed when the loop is left`, async (t) => {
    const pool = startPool(t, 2)
    const input = new Endless()
    const iterator = pool.imap(tasks.double, input[kind](), { chunksize: 3 })
    await until('it has read ahead', () => input.read === 126)
    await moment()
    t.is(input.read, 126)
    for await (const value of iterator) {
      t.true(input.read <= value / 2 + 1 + 126 + 3)
      if (value === 100) break
    }
    await until('the input is closed', () => input.closed)
    t.true((await iterator.next()).done)
    await finish(pool)
  })

  test(`buffersize is never exceeded by ${kind} input`, async (t) => {
    const pool = startPool(t, 2)
    for (const buffersize of [1, 2, 5]) {
      const input = new Endless()
      const iterator = pool.imap(tasks.double, input[kind](), { buffersize, chunksize: 2 })
      for (let taken = 0; taken < 30; taken++) {
        t.true(input.read <= taken + buffersize, `${input.read} read, ${taken} taken`)
        t.deepEqual(await iterator.next(), { done: false, value: 2 * taken })
      }
      await iterator.return()
      // The iterator does not wait for a read of an asynchronous input that is under way.
      await until('the input is closed', () => input.closed)
    }
  })
}

for (const value of [0, -1, 1.5, '4', null]) {
  test(`a buffersize of ${JSON.stringify(value)} is refused`, (t) => {
    const pool = startPool(t, 1)
    t.throws(() => pool.imap(tasks.double, [], { buffersize: value as number }), { message: /"options.buffersize"/ })
  })
}

test('what cannot be iterated is refused', (t) => {
  const pool = startPool(t, 1)
  t.throws(() => pool.imap(tasks.double, 5 as never), { instanceOf: TypeError, message: /"items"/ })
  t.throws(() => pool.imap(5 as never, []), { instanceOf: TypeError, message: /"fn"/ })
  t.throws(() => pool.imap(Math.max, []), { instanceOf: TypeError, message: /native/ })
})

test('return() and throw() cancel what has not begun', async (t) => {
  const gate = new Gate(t)
  const log = new Log(t)
  const pool = startPool(t, 1)
  const hold = pool.applyAsync(tasks.hold, [gate.path, 0])
  const paths = Array.from({ length: 50 }, () => log.path)
  const iterators = [0, 1].map(() =>
    pool.imap((path) => import('node:fs').then((fs) => fs.appendFileSync(path, 'x\n')), paths),
  )
  t.deepEqual(await iterators[0]!.return(), { done: true, value: undefined })
  t.is((await rejection(iterators[1]!.throw(new Error('enough')))).message, 'enough')
  gate.open()
  await hold
  await finish(pool)
  t.deepEqual(log.lines, [])
})

test('an iterator goes on after close(), and join() waits for its end', async (t) => {
  const pool = startPool(t, 2)
  const iterator = pool.imap(tasks.double, items(200))
  pool.close()
  const seen = drain(iterator)
  await within('the end', pool.join(), () => pool.dumpState())
  t.is((await seen).length, 200)
})

for (const kind of ['sync', 'async'] as const) {
  test(`join() resolves though nobody takes the results of ${kind} input, which are there afterwards`, async (t) => {
    const pool = startPool(t, 2)
    const list = items(300)
    const input =
      kind === 'sync'
        ? list
        : (async function* () {
            yield* list
          })()
    const iterators = [
      pool.imap(odd, input, { chunksize: 7 }),
      pool.imap(tasks.double, list, { buffersize: 1 }),
      pool.imapUnordered(tasks.double, list),
    ]
    pool.close()
    await within('the end', pool.join(), () => pool.dumpState())
    for (const iterator of iterators) t.is((await drain(iterator)).length, 300)
  })
}

test('an iterator that is left lets a closed pool end', async (t) => {
  const pool = startPool(t, 1)
  const input = new Endless()
  const iterator = pool.imap(tasks.double, input.sync())
  pool.close()
  const ended = pool.join()
  for (let n = 0; n < 100; n++) await iterator.next()
  t.is(String(pool), '<Pool state=CLOSE pool_size=1>')
  await iterator.return()
  await within('the end', ended, () => pool.dumpState())
  t.true(input.closed)
})

test('an input that terminates its own pool is read no further', async (t) => {
  const pool = startPool(t, 1)
  let read = 0
  const suicidal = function* (): Generator<number> {
    for (;;) {
      if (read === 3) void pool.terminate()
      yield read++
    }
  }
  const seen = await drain(pool.imap(tasks.double, suicidal(), { buffersize: 1 }))
  t.deepEqual(seen.slice(0, 3), [0, 2, 4])
  t.regex(String(seen.at(-1)), /terminated/)
  t.is(read, 4)
})
