// Table 1.4: map() and starmap() through worker processes.

import { setTimeout as sleep } from 'node:timers/promises'
import {
  BrokenProcessPool,
  CancelledError,
  MapIterator,
  RemoteError,
  ShutdownError,
  TaskTimeoutError,
  TimeoutError,
  WorkerDiedError,
} from 'millrace'
import { exits } from './fixtures/exits.mjs'
import { tasks } from './fixtures/basic.mjs'
import { throws } from './fixtures/throws.mjs'
import { test } from './helpers/leaks.js'
import { childrenOf } from './helpers/processes.js'
import { claimed, Gate, Log, makePool, record } from './helpers/pool.js'
import { moment, until, within } from './helpers/waiting.js'

const range = (length: number): number[] => Array.from({ length }, (_, index) => index)
const doubled = (length: number): number[] => range(length).map((index) => 2 * index)

async function collect<T>(results: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const result of results) all.push(result)
  return all
}

test('results come in the order of the input, from several processes', async (t) => {
  const pool = makePool(t, { maxWorkers: 2 })
  const results = pool.map(
    (n: number) => new Promise((resolve) => setTimeout(() => resolve(n), (7 * n) % 5)),
    range(40),
  )
  t.true(results instanceof MapIterator)
  t.deepEqual(await collect(results), range(40))
})

for (const chunksize of [1, 3, 7, 100, 1000, 'auto'] as const) {
  test(`chunksize ${chunksize}: all results, in order, for lengths around the chunks`, async (t) => {
    const pool = makePool(t, { maxWorkers: 2 })
    for (const length of [0, 1, 2, 6, 7, 8, 99, 100, 101, 1500]) {
      t.deepEqual(await collect(pool.map(tasks.double, range(length), { chunksize })), doubled(length))
    }
  })
}

test('a chunk is one call in one process', async (t) => {
  const pool = makePool(t, { maxWorkers: 2 })
  const pids = await collect(pool.map(() => process.pid, range(12), { chunksize: 4 }))
  for (const first of [0, 4, 8]) t.is(new Set(pids.slice(first, first + 4)).size, 1)
  t.is(pool.stats().completed, 3)
})

test("chunksize 'auto' makes chunks of short tasks and none of long ones", async (t) => {
  const pool = makePool(t, { maxWorkers: 2 })
  t.deepEqual(await collect(pool.map(tasks.double, range(20_000), { chunksize: 'auto' })), doubled(20_000))
  const short = pool.stats().completed
  t.true(short < 5000, `${short} chunks`)
  const long = pool.map((n: number) => new Promise((resolve) => setTimeout(() => resolve(n), 10)), range(20), {
    chunksize: 'auto',
  })
  t.deepEqual(await collect(long), range(20))
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
  t.deepEqual(new Set([(await results.next()).value, (await results.next()).value]), new Set(['a', 'b']))
  gate.open()
  t.deepEqual(await results.next(), { done: false, value: 'held' })
  t.deepEqual(await results.next(), { done: true, value: undefined })
})

test('starmap() spreads each item, and refuses what is no array', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  for (const chunksize of [1, 2, 10]) {
    const sums = pool.starmap(
      tasks.add,
      range(5).map((n): [number, number] => [n, 10 * n]),
      { chunksize },
    )
    t.deepEqual(await collect(sums), [0, 11, 22, 33, 44])
  }
  const count = (...args: unknown[]): number => args.length
  t.deepEqual(await collect(pool.starmap(count, [[], [1], [undefined, undefined]])), [0, 1, 2])
  const error = t.throws(() => pool.starmap(tasks.add, [[1, 2], 'no'] as never), { instanceOf: TypeError })
  t.regex(error?.message ?? '', /items\[1\]/)
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

test('everything is submitted before map() returns; what the input throws surfaces there', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const read: number[] = []
  function* input(): Generator<number> {
    for (const n of range(5)) {
      read.push(n)
      yield n
    }
  }
  const results = pool.map(tasks.double, input())
  t.deepEqual(read, range(5))
  t.is(pool.stats().queued, 5)
  t.deepEqual(await collect(results), doubled(5))
  t.throws(
    () =>
      pool.map(
        tasks.double,
        (function* () {
          yield 1
          throw new RangeError('from the input')
        })(),
      ),
    { instanceOf: RangeError, message: 'from the input' },
  )
})

for (const chunksize of [1, 4, 100, 'auto'] as const) {
  test(`chunksize ${chunksize}: an item that fails rejects its next(), and the items after it follow`, async (t) => {
    const pool = makePool(t, { maxWorkers: 2 })
    const fails = (n: number): number => {
      if (n % 3 === 1) throw new RangeError(`item ${n}`)
      return n
    }
    const results = pool.map(fails, range(10), { chunksize })
    for (const n of range(10)) {
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
  const items = range(3).map((n): [string, number] => [log.path, n])
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

test('for await stops at the first failure and cancels what is left', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const log = new Log(t)
  const gate = new Gate(t)
  const held = pool.submit(tasks.hold, gate.path, 0)
  await claimed(held)
  const task = (path: string, n: number): Promise<void> =>
    import('node:fs').then(({ appendFileSync }) => {
      appendFileSync(path, `${n}\n`)
      if (n === 1) throw new Error('stop')
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 30)
    })
  const results = pool.starmap(
    task,
    range(60).map((n): [string, number] => [log.path, n]),
  )
  gate.open()
  await t.throwsAsync(collect(results), { message: 'stop' })
  t.deepEqual(await results.next(), { done: true, value: undefined })
  await until('the queue to be empty', () => pool.stats().queued === 0 && pool.stats().running === 0)
  t.true(log.lines.length < 30, `${log.lines.length} ran`)
})

test('leaving early, and return(), cancel what no worker has claimed', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const gate = new Gate(t)
  const log = new Log(t)
  const items = range(30).map((n): [string, number, string] => [log.path, n, gate.path])
  const results = pool.starmap(tasks.appendAndHold, items)
  await until('the first to run', () => log.lines.length === 1)
  t.deepEqual(await within('return()', results.return()), { done: true, value: undefined })
  t.is(pool.stats().queued, 0)
  gate.open()
  t.is(await pool.submit(tasks.add, 1, 2), 3)
  t.deepEqual(log.lines, ['0'])
  t.is(pool.stats().cancelled, 29)

  for await (const value of pool.map(tasks.double, range(1000))) if (value === 4) break
  await until('the rest to be over', () => pool.stats().queued === 0)
})

test('an iterator that is merely dropped cancels nothing', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const log = new Log(t)
  pool.starmap(
    tasks.append,
    range(20).map((n): [string, number] => [log.path, n]),
  )
  await pool.shutdown()
  t.is(log.lines.length, 20)
})

test('the timeout counts from the call, rejects the next() that waits, and cancels the rest', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const gate = new Gate(t)
  const log = new Log(t)
  const items: [string, string][] = [
    [log.path, 'open'],
    [gate.path, 'shut'],
    [log.path, 'late'],
  ]
  await pool.submit(tasks.pid)
  const results = pool.starmap(tasks.hold, items, { timeout: 1500 })
  t.deepEqual(await results.next(), { done: false, value: 'open' })
  await t.throwsAsync(results.next(), { instanceOf: TimeoutError, code: 'ERR_MILLRACE_TIMEOUT' })
  t.deepEqual(await results.next(), { done: true, value: undefined })
  t.is(pool.stats().cancelled, 1)
  gate.open()
})

test('results that are there when the time is over are yielded', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const results = pool.map(tasks.double, range(5), { timeout: 1 })
  await until('all to be done', () => pool.stats().completed === 5)
  await moment(5)
  t.deepEqual(await collect(results), doubled(5))
})

test('taskTimeout limits each call, a chunk being one', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const task = (n: number): Promise<number> =>
    new Promise((resolve) => setTimeout(() => resolve(n), n === 1 ? 60_000 : 1))
  const results = pool.map(task, range(3), { taskTimeout: 400 })
  t.is((await results.next()).value, 0)
  const error = (await t.throwsAsync(results.next(), { instanceOf: TaskTimeoutError })) as TaskTimeoutError
  t.is(error.timeout, 400)
  t.is((await results.next()).value, 2)
  const chunked = pool.map(task, range(3), { taskTimeout: 400, chunksize: 3 })
  for (let index = 0; index < 3; index++) await t.throwsAsync(chunked.next(), { instanceOf: TaskTimeoutError })
  t.deepEqual(await chunked.next(), { done: true, value: undefined })
})

test('a TimeoutError that an item throws is an ordinary failure', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const task = async (n: number): Promise<number> => {
    const millrace = await import('millrace')
    if (n === 0) throw new millrace.TimeoutError('mine')
    return n
  }
  const results = pool.map(task, range(2), { timeout: 60_000 })
  await t.throwsAsync(results.next(), { instanceOf: TimeoutError, message: 'mine' })
  t.deepEqual(await results.next(), { done: false, value: 1 })
})

// ---- Read-ahead --------------------------------------------------------------------------------------------------------

test('never more than buffersize items are read ahead of the consumer, of an endless input', async (t) => {
  const pool = makePool(t, { maxWorkers: 2 })
  for (const [chunksize, buffersize] of [
    [1, 1],
    [1, 5],
    [3, 7],
    ['auto', 20],
  ] as const) {
    let read = 0
    let closed = false
    function* endless(): Generator<number> {
      try {
        for (;;) yield read++
      } finally {
        closed = true
      }
    }
    const results = pool.map(tasks.double, endless(), { chunksize, buffersize })
    let taken = 0
    for await (const value of results) {
      t.is(value, 2 * taken++)
      t.true(read - taken <= buffersize, `${read - taken} ahead of ${buffersize}`)
      if (taken === 150) break
    }
    t.true(closed)
  }
})

test('asynchronous input works, bounded by default, and its error comes after the results before it', async (t) => {
  const pool = makePool(t, { maxWorkers: 2 })
  let read = 0
  async function* input(): AsyncGenerator<number> {
    for (; read < 60; read++) {
      if (read % 7 === 0) await sleep(1)
      yield read
    }
    throw new RangeError('the end of the input')
  }
  const results = pool.map(tasks.double, input())
  const seen: number[] = []
  const loop = async (): Promise<void> => {
    for await (const value of results) {
      seen.push(value)
      t.true(read - seen.length <= 5, `${read - seen.length} ahead`)
    }
  }
  await t.throwsAsync(loop, { instanceOf: RangeError, message: 'the end of the input' })
  t.deepEqual(seen, doubled(60))
})

// ---- What happens to the pool meanwhile --------------------------------------------------------------------------------

test('what map() has submitted survives shutdown()', async (t) => {
  const pool = makePool(t, { maxWorkers: 2 })
  const results = pool.map(tasks.double, range(50))
  await pool.shutdown()
  t.deepEqual(await collect(results), doubled(50))
})

test('when a shutdown stops the submissions, the results come first, then the error, once', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const results = pool.map(tasks.double, range(50), { buffersize: 4 })
  t.deepEqual(await results.next(), { done: false, value: 0 })
  await pool.shutdown()
  const seen: number[] = []
  const error = await t.throwsAsync(
    async () => {
      for await (const value of results) seen.push(value)
    },
    { instanceOf: ShutdownError },
  )
  t.truthy(error)
  t.true(seen.length >= 3 && seen.length < 49, `${seen.length}`)
  t.deepEqual(seen, doubled(seen.length + 1).slice(1))
  t.deepEqual(await results.next(), { done: true, value: undefined })
})

test('items that a shutdown cancels reject with CancelledError, each for itself', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const gate = new Gate(t)
  const log = new Log(t)
  const items = range(5).map((n): [string, number, string] => [log.path, n, gate.path])
  const results = pool.starmap(tasks.appendAndHold, items)
  await until('the first to run', () => log.lines.length === 1)
  const stopped = pool.shutdown({ cancelFutures: true })
  gate.open()
  t.deepEqual(await results.next(), { done: false, value: undefined })
  for (let index = 1; index < 5; index++) await t.throwsAsync(results.next(), { instanceOf: CancelledError })
  t.deepEqual(await results.next(), { done: true, value: undefined })
  await stopped
})

test('the death of a worker: under "isolate" its items fail, under "break" all that are left', async (t) => {
  const task = async (n: number): Promise<number> => {
    if (n === 3) (process as unknown as { reallyExit(code: number): never }).reallyExit(9)
    return n
  }
  const isolating = makePool(t, { maxWorkers: 1, onWorkerDeath: 'isolate' })
  const results = isolating.map(task, range(8), { chunksize: 2 })
  for (const n of range(8)) {
    if (n === 2 || n === 3) await t.throwsAsync(results.next(), { instanceOf: WorkerDiedError })
    else t.deepEqual(await results.next(), { done: false, value: n })
  }
  const breaking = makePool(t, { maxWorkers: 1 })
  const broken = breaking.map(task, range(8))
  for (const n of range(8)) {
    if (n >= 3) await t.throwsAsync(broken.next(), { instanceOf: BrokenProcessPool })
    else t.deepEqual(await broken.next(), { done: false, value: n })
  }
  t.deepEqual(await broken.next(), { done: true, value: undefined })
})

test('process.exit() in an item fails its chunk', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const exited = record(pool, 'workerExit')
  const results = pool.map(exits.exit, [4], { chunksize: 1 })
  await t.throwsAsync(results.next(), { code: 'ERR_MILLRACE_TASK_EXIT' })
  t.is(await pool.submit(tasks.add, 1, 2), 3)
  t.is(exited[0]!.exitCode, 4)
})

test('errors of classes that are not known here arrive as RemoteError, from chunks as well', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  for (const chunksize of [1, 2]) {
    const results = pool.map(throws.sync, ['custom', 'custom', 'rangeError'], { chunksize })
    for (let index = 0; index < 2; index++) {
      const error = await t.throwsAsync(results.next(), { instanceOf: RemoteError, message: 'no connection' })
      t.is(error?.name, 'DatabaseError')
      t.is((error as RemoteError & { query?: string }).query, 'select 1')
    }
    await t.throwsAsync(results.next(), { instanceOf: RangeError })
  }
})

test('a map in the map: iterators of one pool do not disturb each other', async (t) => {
  const pool = makePool(t, { maxWorkers: 2 })
  const all = await Promise.all(
    range(6).map((n) => collect(pool.map(tasks.double, range(20 * n), { chunksize: n + 1 }))),
  )
  t.deepEqual(
    all,
    range(6).map((n) => doubled(20 * n)),
  )
})
