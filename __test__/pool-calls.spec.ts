// apply, map and starmap, and their results.

import { inspect } from 'node:util'
import test from 'ava'
import { TimeoutError } from 'millrace'
import { tasks } from './fixtures/basic.mjs'
import { Gate, Log } from './helpers/pool.js'
import { failureOf, finish, rejection, startPool } from './helpers/pools.js'
import { until, within } from './helpers/waiting.js'

const odd = (n: number): number => {
  if (n % 2 === 0) throw new RangeError(`${n} is even`)
  return n
}
const items = (count: number): number[] => Array.from({ length: count }, (_, n) => n)
const pidOf = (n: number): number => (n < 0 ? n : process.pid)

test('apply() resolves to what the function returns, and rejects with what it throws', async (t) => {
  const pool = startPool(t)
  t.is(await pool.apply(tasks.add, [1, 2]), 3)
  t.true((await pool.apply(tasks.pid)) > 0)
  const error = await rejection(pool.apply(tasks.fail, ['no']))
  t.is(error.message, 'no')
  t.regex(error.stack, /pool-calls\.spec/)
})

test('applyAsync() takes no function that is no task, and no arguments that are no list', async (t) => {
  const pool = startPool(t, 1)
  t.throws(() => pool.applyAsync(5 as never), { instanceOf: TypeError, message: /"fn"/ })
  t.throws(() => pool.applyAsync(Math.max), { instanceOf: TypeError, message: /native/ })
  t.throws(() => pool.applyAsync(tasks.add, 5 as never), { instanceOf: TypeError, message: /"args"/ })
  t.throws(() => pool.applyAsync(tasks.pid, [], { callback: 1 as never }), { message: /"options.callback"/ })
  t.throws(() => pool.applyAsync(tasks.pid, [], { errorCallback: '' as never }), { message: /"options.errorCallback"/ })
  t.is((await failureOf(pool.applyAsync(tasks.identity, [() => {}]))).code, 'ERR_MILLRACE_SERIALIZATION')
  await finish(pool)
  t.deepEqual(pool.stats().completed, 0)
})

test('map() keeps the order, whatever the chunks', async (t) => {
  const pool = startPool(t)
  for (const chunksize of [undefined, 1, 2, 7, 1000]) {
    t.deepEqual(
      await pool.map(tasks.double, items(50), chunksize),
      items(50).map((n) => 2 * n),
    )
  }
  t.deepEqual(await pool.map(tasks.double, new Set([3, 1, 2])), [6, 2, 4])
})

test('starmap() spreads its items, which have to be arrays', async (t) => {
  const pool = startPool(t)
  const pairs: [number, number][] = items(20).map((n) => [n, 1])
  for (const chunksize of [undefined, 1, 6]) {
    t.deepEqual(
      await pool.starmap(tasks.add, pairs, chunksize),
      items(20).map((n) => n + 1),
    )
  }
  t.deepEqual(await pool.starmapAsync(tasks.add, pairs.slice(0, 2)), [1, 2])
  t.throws(() => pool.starmapAsync(tasks.add, [1] as never), { instanceOf: TypeError, message: /"items\[0\]"/ })
})

test('by default there are four chunks a worker', async (t) => {
  const pool = startPool(t, 2)
  for (const [count, calls] of [
    [1, 1],
    [8, 8],
    [9, 5],
    [16, 8],
    [17, 6],
    [100, 8],
  ] as const) {
    const before = pool.stats().completed
    await pool.map(tasks.double, items(count))
    t.is(pool.stats().completed - before, calls, `${count} items`)
  }
})

const bad: [value: unknown, type: typeof RangeError | typeof TypeError][] = [
  [0, RangeError],
  [-1, RangeError],
  [1.5, RangeError],
  [NaN, RangeError],
  ['2', TypeError],
  [true, TypeError],
  [null, TypeError],
]
for (const [value, type] of bad) {
  test(`a chunksize of ${inspect(value)} is a ${type.name} everywhere, for no items too`, async (t) => {
    const pool = startPool(t, 1)
    const chunksize = value as number
    for (const list of [[1, 2], []]) {
      t.true((await rejection(pool.map(tasks.double, list, chunksize))) instanceof type)
      t.true((await rejection(pool.starmap(tasks.add, [], chunksize))) instanceof type)
      const expected = { instanceOf: type, message: /chunksize/ }
      t.throws(() => pool.mapAsync(tasks.double, list, { chunksize }), expected)
      t.throws(() => pool.imap(tasks.double, list, { chunksize }), expected)
      t.throws(() => pool.imapUnordered(tasks.double, list, { chunksize }), expected)
      t.throws(() => pool.starmapAsync(tasks.add, [], { chunksize }), { instanceOf: type, message: /chunksize/ })
    }
  })
}

test('map() of nothing is an empty list, ready at once', async (t) => {
  const pool = startPool(t, 1)
  t.deepEqual(await pool.map(tasks.double, []), [])
  t.deepEqual(await pool.starmap(tasks.add, []), [])
  const result = pool.mapAsync(tasks.double, [])
  t.true(result.ready() && result.successful())
  t.deepEqual(await result, [])
})

test('what the input throws is thrown by mapAsync(), and nothing runs', async (t) => {
  const pool = startPool(t, 1)
  const broken = function* (): Generator<number> {
    yield 1
    throw new Error('no more input')
  }
  t.throws(() => pool.mapAsync(tasks.double, broken()), { message: 'no more input' })
  t.is((await rejection(pool.map(tasks.double, broken()))).message, 'no more input')
  t.throws(() => pool.mapAsync(tasks.double, 5 as never), { instanceOf: TypeError, message: /"items"/ })
  const endless = (async function* () {
    yield 1
  })()
  t.throws(() => pool.mapAsync(tasks.double, endless as never), { instanceOf: TypeError, message: /imap/ })
  await finish(pool)
  t.is(pool.stats().completed, 0)
})

test('an input that closes the pool while it is listed is told so', async (t) => {
  const pool = startPool(t, 1)
  const closing = function* (): Generator<number> {
    yield 1
    pool.close()
  }
  t.throws(() => pool.mapAsync(tasks.double, closing()), { message: 'Pool not running' })
  await within('the end', pool.join())
})

test('map() runs everything, then rejects with the error that was recorded first; the others are kept', async (t) => {
  const log = new Log(t)
  const gate = new Gate(t)
  const pool = startPool(t, 2)
  const run = async (path: string, gatePath: string, n: number): Promise<number> => {
    const { appendFileSync, existsSync } = await import('node:fs')
    const waits = (): boolean => n === 0 && existsSync(gatePath)
    while (waits()) await new Promise((resolve) => setTimeout(resolve, 2))
    appendFileSync(path, `${n}\n`)
    if (n % 3 === 0) throw new RangeError(`item ${n}`)
    return n
  }
  const result = pool.starmapAsync(
    run,
    items(10).map((n) => [log.path, gate.path, n] as const),
    { chunksize: 1 },
  )
  await until('the host to know of all others', () => pool.stats().completed + pool.stats().failed === 9)
  t.false(result.ready())
  t.deepEqual(result.errors, [])
  gate.open()
  const error = await failureOf(result)
  t.is(log.lines.length, 10)
  // The first item failed last.
  t.is(error, result.errors[0])
  t.is(result.errors.length, 4)
  t.is((result.errors[3] as Error).message, 'item 0')
})

test('inside a chunk the others run on, and errors come in the order of the items', async (t) => {
  const pool = startPool(t, 1)
  const result = pool.mapAsync(odd, [1, 2, 3, 4, 5, 6], { chunksize: 6 })
  const error = await failureOf(result)
  t.is(error.message, '2 is even')
  t.deepEqual(
    result.errors.map((one) => (one as Error).message),
    ['2 is even', '4 is even', '6 is even'],
  )
})

test('an item that cannot travel fails alone', async (t) => {
  const pool = startPool(t, 1)
  const result = pool.mapAsync(tasks.identity, [1, () => {}, 3] as unknown[], { chunksize: 3 })
  t.is((await failureOf(result)).code, 'ERR_MILLRACE_SERIALIZATION')
  t.is(result.errors.length, 1)
})

test('results wait, and tell how it went', async (t) => {
  const gate = new Gate(t)
  const pool = startPool(t, 2)
  const result = pool.applyAsync(tasks.hold, [gate.path, 'x'])
  t.false(result.ready())
  t.throws(() => result.successful(), {
    code: 'ERR_MILLRACE_INVALID_STATE',
    message: /^<AsyncResult #\d+ state=\w+> not ready$/,
  })
  for (const timeout of [0, -1, 5]) {
    const error = await rejection(result.get({ timeout }))
    t.true(error instanceof TimeoutError)
    t.regex(error.message, /<AsyncResult/)
    t.is(await result.wait({ timeout }), undefined)
  }
  t.true((await rejection(result.get({ timeout: 'x' as never }))) instanceof TypeError)
  t.true((await rejection(result.wait({ timeout: NaN }))) instanceof RangeError)
  gate.open()
  await result.wait()
  t.true(result.ready() && result.successful())
  t.is(await result.get({ timeout: 0 }), 'x')
  t.is(await result, 'x')
  t.is(await result.then((text) => `${text}y`), 'xy')
  t.regex(inspect(result), /^<AsyncResult #\d+ state=finished returned string>$/)
})

test.serial('a failed result throws the same error each time, and nothing when nobody looks', async (t) => {
  const pool = startPool(t, 1)
  const unhandled: unknown[] = []
  const note = (error: unknown): void => void unhandled.push(error)
  process.on('unhandledRejection', note)
  t.teardown(() => process.off('unhandledRejection', note))
  const result = pool.applyAsync(tasks.fail, ['no'])
  await result.wait()
  await pool.apply(tasks.pid)
  t.false(result.successful())
  t.is(await rejection(result), await rejection(result.get()))
  t.is(await result.catch((error) => error.message), 'no')
  t.regex(String(result), /state=finished raised Error>$/)
  t.deepEqual(unhandled, [])
})

test('all workers take part in a map', async (t) => {
  const pool = startPool(t, 3)
  const pids = new Set<number>()
  while (pids.size < 3) for (const pid of await pool.map(pidOf, items(30), 1)) pids.add(pid)
  t.deepEqual(
    [...pids].sort(),
    pool
      .stats()
      .workers.map(({ pid }) => pid)
      .sort(),
  )
})
