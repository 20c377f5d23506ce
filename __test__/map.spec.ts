// The results of map() and starmap() through worker processes.

import { MapIterator } from 'millrace'
import { tasks } from './fixtures/basic.mjs'
import { test } from './helpers/leaks.js'
import { childrenOf } from './helpers/processes.mjs'
import { Gate, Log, makePool } from './helpers/pool.js'
import { collect, doubled, numbers } from './helpers/maps.js'

test('results come in the order of the input, from several processes', async (t) => {
  const pool = makePool(t, { maxWorkers: 2 })
  const results = pool.map(
    (n: number) => new Promise((resolve) => setTimeout(() => resolve(n), (7 * n) % 5)),
    numbers(40),
  )
  t.true(results instanceof MapIterator)
  t.deepEqual(await collect(results), numbers(40))
})

for (const chunksize of [1, 3, 7, 100, 1000, 'auto'] as const) {
  test(`chunksize ${chunksize}: all results, in order, for lengths around the chunks`, async (t) => {
    const pool = makePool(t, { maxWorkers: 2 })
    for (const length of [0, 1, 2, 6, 7, 8, 99, 100, 101, 1500]) {
      t.deepEqual(await collect(pool.map(tasks.double, numbers(length), { chunksize })), doubled(length))
    }
  })
}

test('a chunk is one call in one process', async (t) => {
  const pool = makePool(t, { maxWorkers: 2 })
  const pids = await collect(pool.map(() => process.pid, numbers(12), { chunksize: 4 }))
  for (const first of [0, 4, 8]) t.is(new Set(pids.slice(first, first + 4)).size, 1)
  t.is(pool.stats().completed, 3)
})

test("chunksize 'auto' makes chunks of short tasks and none of long ones", async (t) => {
  const pool = makePool(t, { maxWorkers: 2 })
  t.deepEqual(await collect(pool.map(tasks.double, numbers(20_000), { chunksize: 'auto' })), doubled(20_000))
  const short = pool.stats().completed
  t.true(short < 5000, `${short} chunks`)
  const long = pool.map((n: number) => new Promise((resolve) => setTimeout(() => resolve(n), 10)), numbers(20), {
    chunksize: 'auto',
  })
  t.deepEqual(await collect(long), numbers(20))
  t.is(pool.stats().completed - short, 20)
})

test('ordered: false yields results as they are done', async (t) => {
  const pool = makePool(t, { maxWorkers: 2 })
  const gate = new Gate(t)
  const log = new Log(t)
  const results = pool.starmap(
    tasks.hold,
    [
      [gate.path, 'held'],
      [log.path, 'a'],
      [log.path, 'b'],
    ] as [string, string][],
    { ordered: false },
  )
  const first = [(await results.next()).value, (await results.next()).value]
  t.deepEqual(first.sort(), ['a', 'b'])
  gate.open()
  t.deepEqual(await results.next(), { done: false, value: 'held' })
  t.deepEqual(await results.next(), { done: true, value: undefined })
})

test('starmap() spreads each item, and refuses what is no array', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  for (const chunksize of [1, 2, 10]) {
    const sums = pool.starmap(
      tasks.add,
      numbers(5).map((n): [number, number] => [n, 10 * n]),
      { chunksize },
    )
    t.deepEqual(await collect(sums), [0, 11, 22, 33, 44])
  }
  const count = (...args: unknown[]): number => args.length
  t.deepEqual(await collect(pool.starmap(count, [[], [1], [undefined, undefined]])), [0, 1, 2])
  const sums = pool.starmap(tasks.add, [[1, 2], 'no'] as never)
  t.deepEqual(await sums.next(), { done: false, value: 3 })
  await t.throwsAsync(sums.next(), { instanceOf: TypeError, message: /items\[1\]/ })
})

test('map() passes the item and nothing else', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const show = (...args: unknown[]): unknown => args
  t.deepEqual(await collect(pool.map(show, [[1, 2], undefined, 'x'], { chunksize: 2 })), [[[1, 2]], [undefined], ['x']])
})

test('wrong arguments are refused at the call, by name', (t) => {
  const pool = makePool(t)
  const cases: [() => unknown, typeof TypeError | typeof RangeError, RegExp][] = [
    [() => pool.map(undefined as never, []), TypeError, /"fn"/],
    [() => pool.map(Math.abs, [1]), TypeError, /"fn"/],
    [() => pool.map(tasks.double, undefined as never), TypeError, /"items"/],
    [() => pool.map(tasks.double, 7 as never), TypeError, /"items"/],
    [() => pool.map(tasks.double, { length: 1 } as never), TypeError, /"items"/],
    [() => pool.map(tasks.double, [], null as never), TypeError, /"options"/],
    [() => pool.map(tasks.double, [], { chunksize: 0 }), RangeError, /"options\.chunksize"/],
    [() => pool.map(tasks.double, [], { chunksize: -1 }), RangeError, /"options\.chunksize"/],
    [() => pool.map(tasks.double, [], { chunksize: 1.5 }), RangeError, /"options\.chunksize"/],
    [() => pool.map(tasks.double, [], { chunksize: 'big' as never }), TypeError, /"options\.chunksize"/],
    [() => pool.map(tasks.double, [], { chunksize: true as never }), TypeError, /"options\.chunksize"/],
    [() => pool.map(tasks.double, [], { buffersize: 0 }), RangeError, /"options\.buffersize"/],
    [() => pool.map(tasks.double, [], { buffersize: '3' as never }), TypeError, /"options\.buffersize"/],
    [() => pool.map(tasks.double, [], { buffersize: null as never }), TypeError, /"options\.buffersize"/],
    [() => pool.map(tasks.double, [], { timeout: NaN }), RangeError, /"options\.timeout"/],
    [() => pool.map(tasks.double, [], { timeout: '5' as never }), TypeError, /"options\.timeout"/],
    [() => pool.map(tasks.double, [], { taskTimeout: 0 }), RangeError, /"options\.taskTimeout"/],
    [() => pool.map(tasks.double, [], { taskTimeout: true as never }), TypeError, /"options\.taskTimeout"/],
    [() => pool.map(tasks.double, [], { ordered: 1 as never }), TypeError, /"options\.ordered"/],
    [() => pool.starmap(tasks.add, [], { chunksize: 0 }), RangeError, /"options\.chunksize"/],
  ]
  for (const [call, instanceOf, message] of cases) t.throws(call, { instanceOf, message })
  t.deepEqual(childrenOf(), [])
})

test('with a buffersize of Infinity everything is submitted before map() returns', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const read: number[] = []
  function* input(): Generator<number> {
    for (const n of numbers(5)) {
      read.push(n)
      yield n
    }
  }
  const results = pool.map(tasks.double, input(), { chunksize: 1, buffersize: Infinity })
  t.deepEqual(read, numbers(5))
  t.is(pool.stats().queued, 5)
  t.deepEqual(await collect(results), doubled(5))
})

for (const chunksize of [1, 4, 100, 'auto'] as const) {
  test(`chunksize ${chunksize}: an item that fails rejects its next(), and the items after it follow`, async (t) => {
    const pool = makePool(t, { maxWorkers: 2 })
    const fails = (n: number): number => {
      if (n % 3 === 1) throw new RangeError(`item ${n}`)
      return n
    }
    const results = pool.map(fails, numbers(10), { chunksize })
    for (const n of numbers(10)) {
      if (n % 3 === 1) {
        const error = await t.throwsAsync(results.next(), { instanceOf: RangeError, message: `item ${n}` })
        t.regex(error?.stack ?? '', /in worker pid \d+/)
      } else {
        t.deepEqual(await results.next(), { done: false, value: n })
      }
    }
    t.deepEqual(await results.next(), { done: true, value: undefined })
    t.deepEqual(await results.next(), { done: true, value: undefined })
  })
}

test('asynchronous items of a chunk run one after the other, and fail each for itself', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const log = new Log(t)
  const task = async (path: string, n: number): Promise<number> => {
    const { appendFileSync } = await import('node:fs')
    appendFileSync(path, `begin ${n}\n`)
    await new Promise((resolve) => setTimeout(resolve, 2))
    appendFileSync(path, `end ${n}\n`)
    if (n === 1) throw Object.assign(new Error('the second'), { name: 'Special' })
    return n
  }
  const items = numbers(3).map((n): [string, number] => [log.path, n])
  const results = pool.starmap(task, items, { chunksize: 3 })
  t.is((await results.next()).value, 0)
  const error = await t.throwsAsync(results.next(), { message: 'the second' })
  t.true(error instanceof Error)
  t.is(error?.name, 'Special')
  t.is((await results.next()).value, 2)
  t.deepEqual(log.lines, ['begin 0', 'end 0', 'begin 1', 'end 1', 'begin 2', 'end 2'])
})

test('falsy things that items throw are failures', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const thrown = [undefined, null, 0, '', false]
  const results = pool.map(
    (value: unknown) => {
      throw value
    },
    thrown,
    { chunksize: 3 },
  )
  for (const value of thrown) {
    const outcome = await results.next().then(
      () => 'a value',
      (error: unknown) => ({ error }),
    )
    t.deepEqual(outcome, { error: value } as never)
  }
})
