// `transform()` of `millrace/streams`: a map as a stream of a `pipeline()`.

import { getEventListeners, once } from 'node:events'
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ExecutionContext } from 'ava'
import { CancelledError, Executor, Future, type Pool, type ProcessPoolExecutor, WorkerDiedError } from 'millrace'
import { type DeadLetter, transform } from 'millrace/streams'
import { rejection } from './helpers/futures.js'
import { test } from './helpers/leaks.js'
import { Gate, makePool } from './helpers/pool.js'
import { startPool } from './helpers/pools.js'
import { moment, until, within } from './helpers/waiting.js'

const double = (n: number): number => n * 2
const throwOdd = (n: number): number => {
  if (n % 2 === 1) throw new RangeError(`odd: ${n}`)
  return n
}
const nothingForOdd = (n: number): unknown => (n % 4 === 1 ? null : n % 4 === 3 ? undefined : n)
/** Waits while there is a file of this name. */
const holdAt = async ([gate, n]: readonly [string | undefined, number]): Promise<number> => {
  const { existsSync } = await import('node:fs')
  for (;;) {
    if (gate === undefined || !existsSync(gate)) return n
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

function* count(to: number): Generator<number> {
  for (let n = 0; n < to; n++) yield n
}

/** A source that says how far it was read. */
class Source extends Readable {
  at = 0
  readonly #to: number

  constructor(to = Infinity) {
    super({ objectMode: true, highWaterMark: 4 })
    this.#to = to
  }

  override _read(): void {
    this.push(this.at < this.#to ? this.at++ : null)
  }
}

/** A sink that keeps what it gets, and takes `limit` items. */
class Sink extends Writable {
  readonly items: unknown[] = []
  readonly #limit: number

  constructor(limit = Infinity) {
    super({ objectMode: true, highWaterMark: 4 })
    this.#limit = limit
  }

  override _write(item: unknown, _encoding: string, callback: (error?: Error) => void): void {
    this.items.push(item)
    if (this.items.length < this.#limit) setImmediate(callback)
  }
}

const pools: Record<string, (t: ExecutionContext) => ProcessPoolExecutor | Pool> = {
  'an executor': (t) => makePool(t),
  'a Pool': (t) => startPool(t, 2),
}

for (const [name, make] of Object.entries(pools)) {
  test(`${name}: results come out in the order of the items, whatever the chunks and marks`, async (t) => {
    const pool = make(t)
    const expected = Array.from(count(2000), double)
    for (const options of [undefined, { chunksize: 7, highWaterMark: 1 }, { buffersize: 40, highWaterMark: 500 }]) {
      const sink = new Sink()
      await pipeline(new Source(2000), transform(pool, double, options), sink)
      t.deepEqual(sink.items, expected)
    }
    const empty = new Sink()
    await pipeline(new Source(0), transform(pool, double), empty)
    t.deepEqual(empty.items, [])
  })

  test(`${name}: with ordered: false results come as they are done`, async (t) => {
    const pool = make(t)
    const gate = new Gate(t)
    const sink = new Sink()
    const items = Array.from(count(30), (n) => [n === 0 ? gate.path : undefined, n] as const)
    const options = { ordered: false, chunksize: 1 }
    const done = pipeline(Readable.from(items), transform(pool, holdAt, options), sink)
    await until('the others', () => sink.items.length === 29)
    t.false(sink.items.includes(0))
    gate.open()
    await done
    t.is(sink.items.at(-1), 0)
  })

  test(`${name}: a reader that does not read stops the source, after a few items`, async (t) => {
    const pool = make(t)
    const source = new Source()
    const sink = new Sink(3)
    const stream = transform(pool, double, { buffersize: 30, highWaterMark: 4 })
    const done = rejection(pipeline(source, stream, sink))
    await until('the sink', () => sink.items.length === 3)
    let before = -1
    while (source.at !== before) {
      before = source.at
      await moment(200)
    }
    t.true(source.at < 100, `${source.at} items`)
    stream.destroy(new Error('enough'))
    t.is(((await done).reason as Error).message, 'enough')
  })

  test(`${name}: the first item that fails ends all three streams with its error`, async (t) => {
    const pool = make(t)
    const [source, stream, sink] = [new Source(), transform(pool, throwOdd, { chunksize: 4 }), new Sink()]
    const error = (await rejection(pipeline(source, stream, sink))).reason
    t.true(error instanceof RangeError, String(error))
    t.is((error as Error).message, 'odd: 1')
    t.deepEqual(sink.items, [0])
    t.true(source.destroyed && stream.destroyed && sink.destroyed)
    t.is(stream.errored, error as Error)
    await until('the calls to end', () => pool.stats().running + pool.stats().queued === 0)
  })
}

test('an error of the source ends all three streams, and the calls', async (t) => {
  const pool = makePool(t)
  const failure = new Error('the source has failed')
  const source = new Source()
  const [stream, sink] = [transform(pool, double), new Sink()]
  const done = rejection(pipeline(source, stream, sink))
  await until('some results', () => sink.items.length > 5)
  source.destroy(failure)
  t.is((await done).reason, failure)
  t.true(source.destroyed && stream.destroyed && sink.destroyed)
  await until('the calls to end', () => pool.stats().running + pool.stats().queued === 0)
})

test('an error of the sink ends all three streams, and cancels the calls that wait', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const gate = new Gate(t)
  const failure = new Error('the sink has failed')
  const items = Array.from(count(100), (n) => [n === 1 ? gate.path : undefined, n] as const)
  const source = Readable.from(items)
  const [stream, sink] = [transform(pool, holdAt, { chunksize: 1 }), new Sink()]
  const done = rejection(pipeline(source, stream, sink))
  await until('the item that waits', () => sink.items.length === 1 && pool.stats().running === 1)
  t.true(pool.stats().queued > 5)
  sink.destroy(failure)
  t.is((await within('the pipeline', done)).reason, failure)
  t.true(source.destroyed && stream.destroyed && sink.destroyed)
  t.is(pool.stats().queued, 0)
  t.is(pool.stats().running, 1, 'what runs goes on')
  gate.open()
})

test('an abort of the pipeline ends all three streams', async (t) => {
  const pool = makePool(t)
  const abort = new AbortController()
  const [source, stream, sink] = [new Source(), transform(pool, double), new Sink(20)]
  const done = rejection(pipeline(source, stream, sink, { signal: abort.signal }))
  await until('some results', () => sink.items.length === 20)
  abort.abort()
  t.is(((await within('the pipeline', done)).reason as Error).name, 'AbortError')
  t.true(source.destroyed && stream.destroyed && sink.destroyed)
})

test('an abort of the map ends all three streams, also while nobody reads', async (t) => {
  const pool = makePool(t)
  const why = new Error('enough')
  for (const limit of [Infinity, 20]) {
    const abort = new AbortController()
    const { signal } = abort
    const [source, stream, sink] = [new Source(), transform(pool, double, { signal }), new Sink(limit)]
    const done = rejection(pipeline(source, stream, sink))
    await until('some results', () => sink.items.length >= 20)
    abort.abort(why)
    const { reason } = await within('the pipeline', done)
    if (!(reason instanceof CancelledError)) return t.fail(String(reason))
    t.is(reason.cause, why)
    t.true(source.destroyed && stream.destroyed && sink.destroyed)
    t.is(getEventListeners(signal, 'abort').length, 0)
  }
  const signal = AbortSignal.abort(why)
  const { reason } = await rejection(pipeline(new Source(), transform(pool, double, { signal }), new Sink()))
  t.true(reason instanceof CancelledError, String(reason))
  const left = new AbortController()
  await pipeline(new Source(5), transform(pool, double, { signal: left.signal }), new Sink())
  t.is(getEventListeners(left.signal, 'abort').length, 0)
})

test('a pool that is shut down ends all three streams, behind the results that are there', async (t) => {
  const pool = makePool(t)
  const [source, stream, sink] = [new Source(), transform(pool, double), new Sink()]
  const done = rejection(pipeline(source, stream, sink))
  await until('some results', () => sink.items.length > 5)
  await pool.shutdown()
  t.is(((await within('the pipeline', done)).reason as Error).name, 'ShutdownError')
  t.deepEqual(sink.items, Array.from(count(sink.items.length), double))
})

test('with settle the outcomes come out', async (t) => {
  const pool = makePool(t)
  const sink = new Sink()
  await pipeline(new Source(4), transform(pool, throwOdd, { settle: true }), sink)
  const seen = sink.items as { status: string; index: number; value?: number; item?: number; reason?: Error }[]
  t.deepEqual(
    seen.map(({ status, index, value, item, reason }) => [status, index, value ?? item, reason?.message]),
    [
      ['fulfilled', 0, 0, undefined],
      ['rejected', 1, 1, 'odd: 1'],
      ['fulfilled', 2, 2, undefined],
      ['rejected', 3, 3, 'odd: 3'],
    ],
  )
})

// ---- Dead letters ---------------------------------------------------------------------------------------------------

test('deadLetter takes the items that fail out of the stream, whatever their failure', async (t) => {
  const pool = makePool(t)
  const fn = (n: number): unknown => {
    if (n === 3) throw new RangeError('three')
    if (n === 5) process.kill(process.pid, 'SIGKILL')
    if (n === 7) return () => {}
    return n
  }
  const letters: DeadLetter<number>[] = []
  const sink = new Sink()
  const deadLetter = (outcome: DeadLetter<number>): unknown => letters.push(outcome)
  await pipeline(new Source(50), transform(pool, fn, { deadLetter, chunksize: 10 }), sink)
  t.deepEqual(
    sink.items,
    [...count(50)].filter((n) => ![3, 5, 7].includes(n)),
  )
  t.deepEqual(
    letters.map(({ index, item, status }) => [index, item, status]),
    [3, 5, 7].map((n) => [n, n, 'rejected']),
  )
  const [three, five, seven] = letters
  t.true(three!.reason instanceof RangeError)
  t.true(five!.reason instanceof WorkerDiedError)
  t.is(seven!.reason.code, 'ERR_MILLRACE_SERIALIZATION')
})

test('the stream waits for deadLetter, one item at a time', async (t) => {
  const pool = makePool(t)
  const source = new Source()
  const waiting: (() => void)[] = []
  const stream = transform(pool, throwOdd, {
    buffersize: 20,
    highWaterMark: 4,
    deadLetter: () => new Promise<void>((resolve) => waiting.push(resolve)),
  })
  const sink = new Sink()
  const done = rejection(pipeline(source, stream, sink))
  await until('the first letter', () => waiting.length === 1)
  await moment(200)
  t.is(waiting.length, 1)
  t.deepEqual(sink.items, [0])
  t.true(source.at < 100, `${source.at} items`)
  waiting[0]!()
  await until('the second letter', () => waiting.length === 2)
  t.deepEqual(sink.items, [0, 2])
  stream.destroy(new Error('enough'))
  await done
})

test('what deadLetter throws ends all three streams', async (t) => {
  const pool = makePool(t)
  const full = new Error('the disk is full')
  const throwing = (): void => {
    throw full
  }
  for (const deadLetter of [throwing, async () => throwing()]) {
    const [source, stream, sink] = [new Source(), transform(pool, throwOdd, { deadLetter }), new Sink()]
    t.is((await rejection(pipeline(source, stream, sink))).reason, full)
    t.true(source.destroyed && stream.destroyed && sink.destroyed)
  }
})

test('results that a stream cannot carry are failures of their items', async (t) => {
  const pool = makePool(t)
  const { reason } = await rejection(pipeline(new Source(10), transform(pool, nothingForOdd), new Sink()))
  if (!(reason instanceof TypeError)) return t.fail(String(reason))
  t.is((reason as NodeJS.ErrnoException).code, 'ERR_INVALID_RETURN_VALUE')
  t.regex(reason.message, /returned null/)
  const letters: DeadLetter<number>[] = []
  const sink = new Sink()
  const deadLetter = (outcome: DeadLetter<number>): unknown => letters.push(outcome)
  await pipeline(new Source(8), transform(pool, nothingForOdd, { deadLetter }), sink)
  t.deepEqual(sink.items, [0, 2, 4, 6])
  t.deepEqual(
    letters.map(({ index, item, reason: why }) => [index, item, /returned (\w+)/.exec(why.message)?.[1]]),
    [
      [1, 1, 'null'],
      [3, 3, 'undefined'],
      [5, 5, 'null'],
      [7, 7, 'undefined'],
    ],
  )
  const settled = new Sink()
  await pipeline(new Source(4), transform(pool, nothingForOdd, { settle: true }), settled)
  t.deepEqual(
    settled.items.map((outcome) => (outcome as { value: unknown }).value),
    [0, null, 2, undefined],
  )
})

test('an item that fails with no error at all ends the stream with an error', async (t) => {
  const pool = makePool(t)
  const fn = (): never => {
    throw undefined
  }
  const stream = transform(pool, fn)
  stream.end(1)
  stream.resume()
  const [error] = (await once(stream, 'error')) as [Error]
  t.is(error.message, 'An item failed with undefined')
  t.true(Object.hasOwn(error, 'cause'))
})

// ---- Arguments ------------------------------------------------------------------------------------------------------

test('wrong arguments are refused by name, at the call', (t) => {
  const pool = makePool(t)
  const refused: [() => unknown, string, RegExp][] = [
    [() => transform({} as never, double), 'ERR_INVALID_ARG_TYPE', /"pool"/],
    [() => transform(null as never, double), 'ERR_INVALID_ARG_TYPE', /"pool"/],
    [() => transform(pool, 7 as never), 'ERR_INVALID_ARG_TYPE', /"fn"/],
    [() => transform(pool, double, { chunksize: 0 }), 'ERR_OUT_OF_RANGE', /"options\.chunksize"/],
    [() => transform(pool, double, { highWaterMark: -1 }), 'ERR_OUT_OF_RANGE', /"options\.highWaterMark"/],
    [() => transform(pool, double, { highWatermark: 1 } as never), 'ERR_INVALID_ARG_VALUE', /mean "highWaterMark"/],
    [() => transform(pool, double, { deadLetter: 1 } as never), 'ERR_INVALID_ARG_TYPE', /"options\.deadLetter"/],
    [
      () => transform(pool, double, { deadLetter: () => {}, settle: true }),
      'ERR_INVALID_ARG_VALUE',
      /"options\.settle"/,
    ],
  ]
  for (const [call, code, message] of refused) t.throws(call, { code, message })
})

test('whatever has a map of its own will do', async (t) => {
  const own = {
    async *map(fn: (item: number) => unknown, items: AsyncIterable<number>) {
      for await (const item of items) yield await fn(item)
    },
  }
  class Here extends Executor {
    override submit(fn: (...args: any[]) => unknown, ...args: unknown[]): Future<any> {
      const future = new Future<unknown>()
      setImmediate(() => future.setResult(fn(...args)))
      return future
    }
    override async shutdown(): Promise<void> {}
  }
  for (const pool of [own, new Here()]) {
    const sink = new Sink()
    await pipeline(new Source(100), transform(pool, double), sink)
    t.deepEqual(sink.items, Array.from(count(100), double))
    const failing = new Sink()
    const { reason } = await rejection(
      pipeline(
        new Source(100),
        transform(own, (n: number) => throwOdd(n)),
        failing,
      ),
    )
    t.is((reason as Error).message, 'odd: 1')
  }
})
