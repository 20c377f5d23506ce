// map() through worker processes: leaving early, time limits, read-ahead, and deaths and ends of the pool meanwhile.

import { setTimeout as sleep } from 'node:timers/promises'
import {
  BrokenProcessPool,
  CancelledError,
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
import { claimed, Gate, Log, makePool, record } from './helpers/pool.js'
import { moment, until, within } from './helpers/waiting.js'
import { collect, doubled, numbers } from './helpers/maps.js'

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
    numbers(60).map((n): [string, number] => [log.path, n]),
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
  const items = numbers(30).map((n): [string, number, string] => [log.path, n, gate.path])
  const results = pool.starmap(tasks.appendAndHold, items, { chunksize: 1 })
  await until('the first to run', () => log.lines.length === 1)
  t.deepEqual(await within('return()', results.return()), { done: true, value: undefined })
  t.is(pool.stats().queued, 0)
  gate.open()
  t.is(await pool.submit(tasks.add, 1, 2), 3)
  t.deepEqual(log.lines, ['0'])
  t.is(pool.stats().cancelled, 29)

  for await (const value of pool.map(tasks.double, numbers(1000))) if (value === 4) break
  await until('the rest to be over', () => pool.stats().queued === 0)
})

test('an iterator that is merely dropped cancels nothing', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const log = new Log(t)
  pool.starmap(
    tasks.append,
    numbers(20).map((n): [string, number] => [log.path, n]),
    { buffersize: Infinity },
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
  const error = await t.throwsAsync(results.next(), { instanceOf: TimeoutError, code: 'ERR_MILLRACE_TIMEOUT' })
  t.is(await t.throwsAsync(results.next()), error)
  t.is(pool.stats().cancelled, 1)
  gate.open()
})

test('results that are there when the time is over are yielded', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const results = pool.map(tasks.double, numbers(5), { timeout: 1 })
  await until('all to be done', () => pool.stats().completed === 5)
  await moment(5)
  t.deepEqual(await collect(results), doubled(5))
})

test('taskTimeout limits each item, whatever the size of chunks', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const task = (n: number): Promise<number> =>
    new Promise((resolve) => setTimeout(() => resolve(n), n === 1 ? 60_000 : 1))
  const results = pool.map(task, numbers(3), { taskTimeout: 400 })
  t.is((await results.next()).value, 0)
  const error = (await t.throwsAsync(results.next(), { instanceOf: TaskTimeoutError })) as TaskTimeoutError
  t.is(error.timeout, 400)
  t.is((await results.next()).value, 2)
  const chunked = pool.map(task, numbers(3), { taskTimeout: 400, chunksize: 3 })
  t.is((await chunked.next()).value, 0)
  await t.throwsAsync(chunked.next(), { instanceOf: TaskTimeoutError })
  t.is((await chunked.next()).value, 2)
  t.deepEqual(await chunked.next(), { done: true, value: undefined })
})

test('a TimeoutError that an item throws is an ordinary failure', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const task = async (n: number): Promise<number> => {
    const millrace = await import('millrace')
    if (n === 0) throw new millrace.TimeoutError('mine')
    return n
  }
  const results = pool.map(task, numbers(2), { timeout: 60_000 })
  await t.throwsAsync(results.next(), { instanceOf: TimeoutError, message: 'mine' })
  t.deepEqual(await results.next(), { done: false, value: 1 })
})

// ---- Read-ahead -----------------------------------------------------------------------------------------------------

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
    for (; read < 30_000; read++) {
      if (read % 7000 === 0) await sleep(1)
      yield read
    }
    throw new RangeError('the end of the input')
  }
  const results = pool.map(tasks.double, input())
  const seen: number[] = []
  const loop = async (): Promise<void> => {
    for await (const value of results) {
      seen.push(value)
      if (read - seen.length > 2 * 4 * 1024 + 1024) t.fail(`${read - seen.length} ahead`)
    }
  }
  await t.throwsAsync(loop, { instanceOf: RangeError, message: 'the end of the input' })
  t.deepEqual(seen, doubled(30_000))
})

// ---- What happens to the pool meanwhile -----------------------------------------------------------------------------

test('what map() has read survives shutdown(), also what was not submitted yet', async (t) => {
  for (const options of [{}, { maxQueue: 1 }]) {
    const pool = makePool(t, { maxWorkers: 2, ...options })
    for (const chunksize of [1, 'auto'] as const) {
      const results = pool.map(tasks.double, numbers(50), { chunksize, buffersize: Infinity })
      if (chunksize === 'auto') await pool.shutdown()
      t.deepEqual(await collect(results), doubled(50))
    }
  }
})

test('a shutdown while a chunk waits for room, and while an input is read: what was read is delivered', async (t) => {
  const pool = makePool(t, { maxWorkers: 1, maxQueue: 1 })
  const gate = new Gate(t)
  const held = pool.submit(tasks.hold, gate.path, 0)
  let read = 0
  async function* input(): AsyncGenerator<number> {
    for (;;) yield read++
  }
  const results = pool.map(tasks.double, input(), { chunksize: 1 })
  await until('a chunk to wait', () => read >= 2)
  const ended = pool.shutdown()
  gate.open()
  await held
  const seen: number[] = []
  const loop = async (): Promise<void> => {
    for await (const value of results) seen.push(value)
  }
  await t.throwsAsync(loop, { instanceOf: ShutdownError })
  t.deepEqual(seen, doubled(read))
  await ended
})

test('when a shutdown stops the submissions, the results come first, then the error', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const results = pool.map(tasks.double, numbers(50), { buffersize: 4 })
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
  t.is(await t.throwsAsync(results.next()), error)
})

test('items that a shutdown cancels end the map with a CancelledError', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const gate = new Gate(t)
  const log = new Log(t)
  const items = numbers(5).map((n): [string, number, string] => [log.path, n, gate.path])
  const results = pool.starmap(tasks.appendAndHold, items, { chunksize: 1 })
  await until('the first to run', () => log.lines.length === 1)
  const stopped = pool.shutdown({ cancelFutures: true })
  gate.open()
  t.deepEqual(await results.next(), { done: false, value: undefined })
  const error = await t.throwsAsync(results.next(), { instanceOf: CancelledError })
  t.is(await t.throwsAsync(results.next()), error)
  await stopped
})

test('the death of a worker: under "isolate" the item that ran fails, under "break" the map ends', async (t) => {
  const task = async (n: number): Promise<number> => {
    if (n === 3) (process as unknown as { reallyExit(code: number): never }).reallyExit(9)
    return n
  }
  const isolating = makePool(t, { maxWorkers: 1, onWorkerDeath: 'isolate' })
  const results = isolating.map(task, numbers(8), { chunksize: 2 })
  for (const n of numbers(8)) {
    if (n === 3) await t.throwsAsync(results.next(), { instanceOf: WorkerDiedError })
    else t.deepEqual(await results.next(), { done: false, value: n })
  }
  const breaking = makePool(t, { onWorkerDeath: 'break', maxWorkers: 1 })
  const broken = breaking.map(task, numbers(8), { chunksize: 1 })
  for (const n of numbers(3)) t.deepEqual(await broken.next(), { done: false, value: n })
  const error = await t.throwsAsync(broken.next(), { instanceOf: BrokenProcessPool })
  for (let again = 0; again < 8; again++) t.is(await t.throwsAsync(broken.next()), error)
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
    numbers(6).map((n) => collect(pool.map(tasks.double, numbers(20 * n), { chunksize: n + 1 }))),
  )
  t.deepEqual(
    all,
    numbers(6).map((n) => doubled(20 * n)),
  )
})
