// map() over records of which some are poison: their outcomes, what ends a map, further attempts, and whole arrays.

import {
  BrokenProcessPool,
  CancelledError,
  MillraceError,
  type Pool,
  SerializationError,
  ShutdownError,
  TaskExitError,
  TaskLoadError,
  TaskTimeoutError,
  TimeoutError,
  WorkerDiedError,
  WorkerTerminatedError,
  importTasks,
} from 'millrace'
import { records } from './fixtures/records.mjs'
import { test } from './helpers/leaks.js'
import { collect, doubled, numbers } from './helpers/maps.js'
import { Gate, Log, makePool, record, tempDirectory } from './helpers/pool.js'
import { finish, startPool } from './helpers/pools.js'
import { until, within } from './helpers/waiting.js'

const POISON = ['throw', 'loop', 'abort', 'exit', 'unclonable'] as const
const ERRORS = {
  throw: RangeError,
  loop: TaskTimeoutError,
  abort: WorkerDiedError,
  exit: TaskExitError,
  unclonable: SerializationError,
} as const

type Kind = keyof typeof ERRORS

/** Records of which each `every`th is poison, of one kind after the other. */
function poisoned(count: number, every: number, log?: string) {
  return numbers(count).map((n) => ({
    n,
    log,
    does: n % every === every - 1 ? POISON[Math.floor(n / every) % POISON.length] : undefined,
  }))
}

function linesOf(log: Log): number[] {
  return log.lines.map(Number).sort((a, b) => a - b)
}

for (const chunksize of ['auto', 1, 7, 100] as const) {
  for (const ordered of [true, false]) {
    const title = `chunks of ${chunksize}, ${ordered ? '' : 'un'}ordered`
    test(`settle: each poison record fails alone, and none runs twice; ${title}`, async (t) => {
      const pool = makePool(t)
      const log = new Log(t)
      const items = poisoned(100, 10, log.path)
      const seen = await collect(
        pool.map(records.handle, items, { settle: true, taskTimeout: 1500, chunksize, ordered }),
      )
      if (!ordered) seen.sort((a, b) => a.index - b.index)
      t.deepEqual(
        seen.map(({ index }) => index),
        numbers(100),
      )
      for (const outcome of seen) {
        const item = items[outcome.index]!
        if (outcome.status === 'fulfilled') {
          t.is(outcome.value, 2 * outcome.index)
          t.is(item.does, undefined)
        } else {
          t.is(outcome.item, item)
          t.true(outcome.reason instanceof ERRORS[item.does as Kind], `${item.does}: ${outcome.reason}`)
          if (outcome.reason instanceof MillraceError) t.is(outcome.reason.index, outcome.index)
        }
      }
      t.is(seen.filter(({ status }) => status === 'rejected').length, 10)
      t.deepEqual(linesOf(log), numbers(100))
      t.deepEqual(pool.stats().items, { completed: 90, failed: 10 })
    })
  }
}

test('without settle each failure rejects its next(), with its index, and the others follow', async (t) => {
  const pool = makePool(t)
  const iterator = pool.map(records.handle, poisoned(50, 10), { taskTimeout: 1500, chunksize: 25 })
  for (const n of numbers(50)) {
    if (n % 10 !== 9) {
      t.deepEqual(await iterator.next(), { done: false, value: 2 * n })
      continue
    }
    const kind = POISON[Math.floor(n / 10)]!
    const error = await t.throwsAsync(iterator.next(), { any: true, instanceOf: ERRORS[kind] })
    if (kind !== 'throw') t.is((error as MillraceError).index, n)
  }
  t.deepEqual(await iterator.next(), { done: true, value: undefined })
})

test('asynchronous tasks and asynchronous input: the same', async (t) => {
  const pool = makePool(t)
  const log = new Log(t)
  async function* input() {
    for (const n of numbers(60)) yield { n, log: log.path, does: n % 20 === 7 ? 'abort' : n % 20 === 13 ? 'throw' : '' }
  }
  const seen = await collect(pool.map(records.handleLater, input(), { settle: true, chunksize: 10 }))
  for (const outcome of seen) {
    const kind = outcome.index % 20
    t.is(outcome.status, kind === 7 || kind === 13 ? 'rejected' : 'fulfilled')
  }
  t.deepEqual(linesOf(log), numbers(60))
})

test('starmap with settle names the list of arguments', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const check = (a: number, b: number): number => {
    if (b === 0) throw new RangeError('by zero')
    return a / b
  }
  const seen = await collect(
    pool.starmap(
      check,
      [
        [6, 3],
        [1, 0],
      ],
      { settle: true },
    ),
  )
  t.deepEqual(seen[0], { status: 'fulfilled', index: 0, value: 2 })
  const failed = seen[1]!
  t.true(failed.status === 'rejected' && failed.reason instanceof RangeError)
  t.deepEqual(failed.status === 'rejected' && failed.item, [1, 0])
})

test('items that cannot travel fail alone, at their places', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const items: unknown[] = [1, () => {}, 3, Symbol('s'), 5]
  const seen = await collect(pool.map((value: unknown) => value, items, { settle: true, chunksize: 5 }))
  t.deepEqual(
    seen.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : [outcome.index, outcome.item])),
    [1, [1, items[1]], 3, [3, items[3]], 5],
  )
  for (const outcome of seen) {
    if (outcome.status === 'rejected') t.true(outcome.reason instanceof SerializationError)
  }
})

test('a task that does not load fails each item with an error of its own', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const { missing } = importTasks<{ missing(n: number): number }>('/nowhere/at/all.mjs')
  const seen = await collect(pool.map(missing, numbers(5), { settle: true, chunksize: 5 }))
  t.deepEqual(
    seen.map((outcome) => outcome.status === 'rejected' && (outcome.reason as TaskLoadError).index),
    numbers(5),
  )
  t.true(seen.every((outcome) => outcome.status === 'rejected' && outcome.reason instanceof TaskLoadError))
})

test('Pool: imap takes the options of map, and errors of a map has the poison items alone', async (t) => {
  const pool: Pool = startPool(t, 2)
  const seen = await collect(pool.imap(records.handle, poisoned(50, 10), { settle: true, taskTimeout: 1500 }))
  t.is(seen.filter(({ status }) => status === 'rejected').length, 5)
  const unordered = await collect(
    pool.imapUnordered(records.handle, poisoned(50, 10), { settle: true, taskTimeout: 1500, chunksize: 9 }),
  )
  t.is(unordered.filter(({ status }) => status === 'rejected').length, 5)
  t.deepEqual(await pool.imap(records.handle, poisoned(9, 10)).toArray(), doubled(9))
  t.throws(() => pool.imap(records.handle, [], { ordered: true } as never), { message: /ordered/ })

  const items = numbers(40).map((n) => ({ n, ...(n === 17 ? { does: 'abort' } : {}) }))
  const result = pool.mapAsync(records.handle, items, { chunksize: 20 })
  const error = (await t.throwsAsync(async () => result.get(), { instanceOf: WorkerDiedError })) as WorkerDiedError
  t.is(error.index, 17)
  t.deepEqual(result.errors, [error])
  await finish(pool)
})

// ---- What ends a map ------------------------------------------------------------------------------------------------

test('a broken pool ends the map: what is there comes first, then the same error for ever', async (t) => {
  const pool = makePool(t, { onWorkerDeath: 'break' })
  const items = numbers(1000).map((n) => ({ n, ...(n === 300 ? { does: 'abort' } : {}) }))
  const iterator = pool.map(records.handle, items, { settle: true, chunksize: 10 })
  const seen: number[] = []
  const error = await t.throwsAsync(
    async () => {
      for await (const outcome of iterator) {
        if (outcome.status === 'rejected') t.fail(String(outcome.reason))
        seen.push(outcome.index)
      }
    },
    { instanceOf: BrokenProcessPool },
  )
  for (let again = 0; again < 5; again++) t.is(await t.throwsAsync(iterator.next()), error)
  t.is(await t.throwsAsync(iterator.toArray()), error)
  t.true(seen.length < 1000)
  t.deepEqual(
    seen,
    [...seen].sort((a, b) => a - b),
  )
  await iterator.return()
  t.deepEqual(await iterator.next(), { done: true, value: undefined })
})

test('a kill ends the map: running items come as terminated, then the error', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const gate = new Gate(t)
  const log = new Log(t)
  const items = numbers(20).map((n) => ({ n, log: log.path, ...(n === 3 ? { until: gate.path } : {}) }))
  const iterator = pool.map(records.hold, items, { settle: true, chunksize: 5 })
  await until('item 3 to run', () => log.lines.length === 4)
  await pool.killWorkers()
  const seen: unknown[] = []
  await t.throwsAsync(
    async () => {
      for await (const outcome of iterator) seen.push(outcome.status === 'fulfilled' ? outcome.value : outcome.reason)
    },
    { instanceOf: CancelledError },
  )
  t.deepEqual(seen.slice(0, 3), [0, 2, 4])
  t.true(seen[3] instanceof WorkerTerminatedError)
  t.is(seen.length, 4)
  await t.throwsAsync(iterator.next(), { instanceOf: CancelledError })
})

test('after shutdown() the rest of a chunk runs elsewhere, and items are repeated', async (t) => {
  const pool = makePool(t, { maxWorkers: 1, maxQueue: 0 })
  const gate = new Gate(t)
  const log = new Log(t)
  const items = numbers(20).map((n) => ({
    n,
    log: log.path,
    until: n === 3 ? gate.path : undefined,
    does: n === 4 ? 'abort' : undefined,
  }))
  const both = (item: (typeof items)[number]): number => {
    const { appendFileSync, existsSync } = process.getBuiltinModule('node:fs')
    appendFileSync(item.log, `${item.n}\n`)
    while (item.until !== undefined && existsSync(item.until));
    if (item.does === 'abort') process.kill(process.pid, 'SIGKILL')
    return 2 * item.n
  }
  const options = { settle: true, chunksize: 20, retries: { limit: 1, delay: 50 } } as const
  const iterator = pool.map(both, items, options)
  await until('item 3 to run', () => log.lines.length === 4)
  const ended = pool.shutdown()
  gate.open()
  const seen = await collect(iterator)
  t.deepEqual(
    seen.map(({ status }) => status),
    numbers(20).map((n) => (n === 4 ? 'rejected' : 'fulfilled')),
  )
  t.deepEqual(
    linesOf(log),
    [...numbers(20), 4].sort((a, b) => a - b),
  )
  await within('the shutdown', ended, () => pool.dumpState())
  t.throws(() => pool.map(records.handle, items), { instanceOf: ShutdownError })
})

test('a signal ends the map: running calls are stopped after their grace, the reason is the cause', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const log = new Log(t)
  const controller = new AbortController()
  const items = numbers(10).map((n) => ({ n: n + 1, log: log.path }))
  const options = { signal: controller.signal, grace: 10_000, chunksize: 2 }
  const iterator = pool.map(records.untilStopped, items, options)
  const waiting = iterator.next()
  await until('the first to run', () => log.lines.length === 1)
  const reason = new Error('the client is gone')
  controller.abort(reason)
  const error = await t.throwsAsync(waiting, { instanceOf: CancelledError })
  t.is(error.cause, reason)
  t.is(await t.throwsAsync(iterator.next()), error)
  await until('the task to hear of it', () => log.lines.includes('-1'))
  t.is(await pool.submit(records.handle, { n: 21 }), 42)
})

test('a signal that is aborted before: next() rejects, and the input is not touched', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const input = {
    [Symbol.iterator](): Iterator<never> {
      throw new Error('nobody should ask')
    },
  }
  for (const settle of [true, false]) {
    const iterator = pool.map(records.handle, input, { signal: AbortSignal.abort('no'), settle } as { settle: true })
    const error = await t.throwsAsync(iterator.next(), { instanceOf: CancelledError })
    t.is(error.cause, 'no')
    t.is(await t.throwsAsync(iterator.next()), error)
    t.is(await t.throwsAsync(iterator.toArray()), error)
  }
})

test('what is there comes before the end by a signal, and one signal may end many maps', async (t) => {
  const pool = makePool(t)
  const controller = new AbortController()
  const { signal } = controller
  const iterators = numbers(30).map(() => pool.map(records.handle, [{ n: 1 }, { n: 2 }], { signal, buffersize: 1 }))
  for (const iterator of iterators) t.is((await iterator.next()).value, 2)
  await until('all to be done', () => pool.stats().queued === 0 && pool.stats().running === 0)
  controller.abort()
  for (const iterator of iterators) await iterator.next().catch((error) => t.true(error instanceof CancelledError))
})

test('the input fails: the outcomes of what was read come before its error', async (t) => {
  const pool = makePool(t)
  function* input() {
    yield* poisoned(25, 10)
    throw new Error('the disk is full')
  }
  for (const items of [
    input(),
    (async function* () {
      yield* input()
    })(),
  ]) {
    const iterator = pool.map(records.handle, items, { settle: true, taskTimeout: 1500 })
    const seen: string[] = []
    const error = await t.throwsAsync(
      async () => {
        for await (const { status } of iterator) seen.push(status)
      },
      { message: 'the disk is full' },
    )
    t.is(seen.length, 25)
    t.is(await t.throwsAsync(iterator.next()), error)
  }
})

// ---- Further attempts -----------------------------------------------------------------------------------------------

test('retries: a number repeats items whose workers die, each alone, and nothing else', async (t) => {
  const pool = makePool(t)
  const log = new Log(t)
  const items = numbers(30).map((n) => ({ n, log: log.path, times: n % 10 === 5 ? 1 : 0, dies: n !== 25 }))
  const seen = await collect(pool.map(records.failAtFirst, items, { settle: true, retries: 2, chunksize: 10 }))
  t.deepEqual(
    seen.flatMap((outcome) => (outcome.status === 'rejected' ? [[outcome.index, outcome.reason.message]] : [])),
    [[25, 'attempt 1']],
  )
  t.deepEqual(
    linesOf(log),
    [...numbers(30), 5, 15].sort((a, b) => a - b),
  )
  t.deepEqual(pool.stats().items, { completed: 29, failed: 1 })
})

test('retries: an object counts what the task throws, pauses, and holds no worker meanwhile', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const log = new Log(t)
  const asked: unknown[] = []
  const retries = {
    limit: 3,
    delay: 30,
    factor: 2,
    when: (error: unknown, attempt: number) => {
      asked.push([(error as Error).message, attempt])
      return true
    },
  }
  const items = numbers(6).map((n) => ({ n, log: log.path, times: n === 2 ? 2 : n === 4 ? 9 : 0 }))
  const began = performance.now()
  const results = pool.map(records.failAtFirst, items, { settle: true, retries, chunksize: 6 })
  const free = pool.submit(records.handle, { n: 5 })
  t.is(await free, 10)
  const seen = await collect(results)
  t.true(performance.now() - began >= 30 + 60 + 120 - 5)
  t.deepEqual(
    seen.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : outcome.reason.message)),
    [1, 1, 3, 1, 'attempt 4', 1],
  )
  t.deepEqual(
    asked.filter(([message]: any) => message === 'attempt 3'),
    [['attempt 3', 3]],
  )
  t.is(asked.length, 2 + 3)
  t.deepEqual(linesOf(log), [0, 1, 2, 2, 2, 3, 4, 4, 4, 4, 5])
})

test('retries: what `when` throws is the error of the item, and the failure its cause', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const log = new Log(t)
  const retries = {
    limit: 2,
    when: () => {
      throw new TypeError('no idea')
    },
  }
  const items = [{ n: 0, log: log.path, times: 5 }]
  const iterator = pool.map(records.failAtFirst, items, { retries })
  const error = await t.throwsAsync(iterator.next(), { instanceOf: TypeError, message: 'no idea' })
  t.is((error.cause as Error).message, 'attempt 1')
})

test('a pause between attempts ends with the pool', async (t) => {
  for (const end of ['killWorkers', 'cancelFutures'] as const) {
    const pool = makePool(t, { maxWorkers: 1 })
    const log = new Log(t)
    const items = [{ n: 0, log: log.path, times: 5 }]
    const retries = { limit: 2, delay: 600_000, when: () => true }
    const iterator = pool.map(records.failAtFirst, items, { retries })
    const waiting = iterator.next()
    await until('the first attempt to be over', () => pool.stats().completed === 1)
    await (end === 'killWorkers' ? pool.killWorkers() : pool.shutdown({ cancelFutures: true }))
    await t.throwsAsync(within('the outcome', waiting), { instanceOf: CancelledError })
  }
})

test('a pause between attempts ends when the loop is left', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const log = new Log(t)
  const items = [{ n: 0, log: log.path, times: 5 }]
  const iterator = pool.map(records.failAtFirst, items, { retries: { limit: 2, delay: 600_000, when: () => true } })
  void iterator.next()
  await until('the first attempt to be over', () => pool.stats().completed === 1)
  await iterator.return()
  await within('the shutdown', pool.shutdown(), () => pool.dumpState())
  t.deepEqual(log.lines, ['0'])
})

// ---- Division -------------------------------------------------------------------------------------------------------

test('the items behind one that takes long run on the other worker meanwhile', async (t) => {
  const pool = makePool(t)
  const gate = new Gate(t)
  const log = new Log(t)
  const warm = numbers(4000).map((n) => ({ n }))
  await pool.map(records.hold, warm).toArray()
  const items = numbers(400).map((n) => ({ n, log: log.path, until: n === 150 ? gate.path : undefined }))
  const results = pool.map(records.hold, items).toArray()
  await until('all others to have run', () => log.lines.length === 400)
  gate.open()
  t.deepEqual(await results, doubled(400))
  t.deepEqual(linesOf(log), numbers(400))
})

test('when items become long, both workers share them', async (t) => {
  const pool = makePool(t)
  const started = record(pool, 'workerStart')
  const log = new Log(t)
  const items = numbers(3000).map((n) => ({ n, ...(n >= 2900 ? { ms: 20, log: log.path } : {}) }))
  t.deepEqual(await pool.map(records.handle, items).toArray(), doubled(3000))
  t.is(started.length, 2)
  t.deepEqual(
    linesOf(log),
    numbers(100).map((n) => n + 2900),
  )
})

// ---- Whole arrays ---------------------------------------------------------------------------------------------------

test('toArray() returns what is left, in order, or as it comes', async (t) => {
  const pool = makePool(t)
  const items = numbers(5000).map((n) => ({ n }))
  for (const chunksize of ['auto', 1, 33] as const) {
    t.deepEqual(await pool.map(records.handle, items, { chunksize }).toArray(), doubled(5000))
  }
  const iterator = pool.map(records.handle, items, { ordered: false })
  const first = (await iterator.next()).value!
  const rest = await iterator.toArray()
  t.deepEqual(
    [first, ...rest].sort((a, b) => a - b),
    doubled(5000),
  )
  t.deepEqual(await iterator.next(), { done: true, value: undefined })
  t.deepEqual(await iterator.toArray(), [])
})

test('toArray() rejects with the first failure, cancels the rest, and closes the input', async (t) => {
  const pool = makePool(t)
  let closed = false
  function* input() {
    try {
      for (let n = 0; ; n++) yield { n, does: n === 1234 ? 'throw' : undefined }
    } finally {
      closed = true
    }
  }
  await t.throwsAsync(pool.map(records.handle, input()).toArray(), { instanceOf: RangeError })
  t.true(closed)
  await until('the rest to be over', () => pool.stats().queued === 0 && pool.stats().running === 0)
  const seen = await pool.map(records.handle, poisoned(50, 10), { settle: true, taskTimeout: 1500 }).toArray()
  t.is(seen.filter(({ status }) => status === 'rejected').length, 5)
})

test('toArray() keeps to the timeout, and only one may be under way', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const gate = new Gate(t)
  const items = [{ n: 1 }, { n: 2, until: gate.path }]
  const iterator = pool.map(records.hold, items, { timeout: 500 })
  const array = iterator.toArray()
  await t.throwsAsync(iterator.toArray(), { code: 'ERR_MILLRACE_INVALID_STATE' })
  await t.throwsAsync(array, { instanceOf: TimeoutError })
  gate.open()
  const other = pool.map(records.hold, [{ n: 1, until: new Gate(t).path }], { taskTimeout: 300 })
  const left = other.toArray()
  await other.return()
  await t.throwsAsync(left, { instanceOf: CancelledError })
  t.truthy(tempDirectory(t))
})
