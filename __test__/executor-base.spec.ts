// The base class of executors, over executors that run everything in this thread.

import test from 'ava'
import { setImmediate as turn } from 'node:timers/promises'
import { QueueFullError, ShutdownError } from '../src/errors/index.js'
import { Executor } from '../src/executor/executor.js'
import { Future } from '../src/futures/future.js'
import type { MapOptions } from '../src/map/options.js'
import { LocalExecutor } from './helpers/executors.js'

const double = (n: number): number => n * 2
const boom = new Error('boom')

async function collect<T>(iterable: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of iterable) items.push(item)
  return items
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}

test('an executor needs submit and shutdown only', async (t) => {
  class Minimal extends Executor {
    stopped = 0
    override submit<A extends unknown[], R>(fn: (...args: A) => R, ...args: A): Future<Awaited<R>> {
      const future = new Future<Awaited<R>>()
      try {
        future.setResult(fn(...args) as Awaited<R>)
      } catch (error) {
        future.setException(error)
      }
      return future
    }
    override async shutdown(): Promise<void> {
      this.stopped++
    }
  }
  const executor = new Minimal()
  t.is(await executor.submit(double, 4), 8)
  await executor.ready()
  t.deepEqual(await collect(executor.map(double, [1, 2, 3])), [2, 4, 6])
  t.deepEqual(await collect(executor.map(double, new Set([1, 2]), { ordered: false, buffersize: 1 })), [2, 4])
  await executor[Symbol.asyncDispose]()
  t.is(executor.stopped, 1)
})

test('await using shuts down when the block ends, and lets what was submitted finish', async (t) => {
  const executor = new LocalExecutor()
  let future: Future<number>
  {
    await using pool = executor
    future = pool.submit(double, 3)
  }
  t.is(future.outcome, 'value')
  t.throws(() => executor.submit(double, 1), { instanceOf: ShutdownError })
})

test("await using does not swallow the block's error", async (t) => {
  await t.throwsAsync(
    (async () => {
      await using _pool = new LocalExecutor()
      throw boom
    })(),
    { is: boom },
  )
})

test('map submits each item as a call of its own, whatever the chunksize', async (t) => {
  for (const chunksize of [1, 3, 'auto'] as const) {
    const executor = new LocalExecutor()
    const iterator = executor.map(double, numbers(7), { chunksize, buffersize: 7 })
    t.is(executor.submitted, 7)
    t.deepEqual(await collect(iterator), numbers(7).map(double))
  }
})

test('map awaits what the function returns', async (t) => {
  const executor = new LocalExecutor()
  const iterator = executor.map(async (n: number) => `${n}`, [1, 2])
  t.deepEqual(await collect(iterator), ['1', '2'])
})

test('map passes each item as the only argument, starmap as the list of arguments', async (t) => {
  const executor = new LocalExecutor()
  const seen = (...args: unknown[]): unknown[] => args
  t.deepEqual(await collect(executor.map(seen, [[1, 2], 'x'])), [[[1, 2]], ['x']])
  t.deepEqual(await collect(executor.starmap(seen, [[1, 2], ['x', [3]], []])), [[1, 2], ['x', [3]], []])
  const add = (a: number, b: number): number => a + b
  async function* pairs(): AsyncGenerator<[number, number]> {
    yield [1, 2]
    yield [3, 4]
  }
  t.deepEqual(await collect(executor.starmap(add, pairs())), [3, 7])
})

test('starmap: an item that is no array is an error of the input, by index', async (t) => {
  const expected = { instanceOf: TypeError, code: 'ERR_INVALID_ARG_TYPE', message: /items\[1\]/ } as const
  const executor = new LocalExecutor()
  const add = (a: number, b: number): number => a + b
  async function* pairs(): AsyncGenerator<[number, number]> {
    yield [1, 2]
    yield 'no' as never
  }
  for (const input of [[[1, 2], 3 as never] as [number, number][], pairs()]) {
    const iterator = executor.starmap(add, input)
    t.is((await iterator.next()).value, 3)
    const error = await t.throwsAsync(iterator.next(), expected)
    t.is(await t.throwsAsync(iterator.next()), error)
  }
})

test('map goes on after a failure', async (t) => {
  const executor = new LocalExecutor()
  const iterator = executor.map((n: number) => {
    if (n === 1) throw boom
    return n
  }, numbers(3))
  t.is((await iterator.next()).value, 0)
  await t.throwsAsync(iterator.next(), { is: boom })
  t.is((await iterator.next()).value, 2)
  t.true((await iterator.next()).done)
})

test('leaving a map early cancels the calls that have not begun', async (t) => {
  const executor = new LocalExecutor({ manual: true })
  const iterator = executor.map(double, numbers(4))
  const futures = executor.waiting.map((call) => call.future)
  void executor.step()
  await turn()
  for await (const value of iterator) {
    t.is(value, 0)
    break
  }
  t.deepEqual(
    futures.map((future) => future.outcome),
    ['value', 'cancelled', 'cancelled', 'cancelled'],
  )
})

test('map after shutdown throws, but not for an empty iterable', async (t) => {
  const executor = new LocalExecutor()
  await executor.shutdown()
  t.throws(() => executor.map(double, [1]), { instanceOf: ShutdownError })
  t.deepEqual(await collect(executor.map(double, [])), [])
})

test('results of calls that were submitted survive a shutdown', async (t) => {
  const executor = new LocalExecutor({ manual: true })
  const iterator = executor.map(double, numbers(5))
  await executor.shutdown()
  t.deepEqual(await collect(iterator), numbers(5).map(double))
})

test('after a shutdown a map with a buffersize yields its results and then the error', async (t) => {
  const executor = new LocalExecutor({ manual: true })
  const iterator = executor.map(double, numbers(10), { buffersize: 3 })
  await executor.shutdown()
  const seen: unknown[] = []
  for (let index = 0; index < 3; index++) seen.push((await iterator.next()).value)
  t.deepEqual(seen, [0, 2, 4])
  const error = await t.throwsAsync(iterator.next(), { instanceOf: ShutdownError })
  t.is(await t.throwsAsync(iterator.next()), error)
})

test('map waits for room when the queue is full', async (t) => {
  for (const buffersize of [undefined, 4]) {
    const executor = new LocalExecutor({ maxQueue: 2 })
    const iterator = executor.map(double, numbers(50), { buffersize })
    t.throws(() => executor.submit(double, 1), { instanceOf: QueueFullError })
    t.deepEqual(await collect(iterator), numbers(50).map(double))
  }
})

test('two maps share a bounded queue', async (t) => {
  const executor = new LocalExecutor({ maxQueue: 1 })
  const [a, b] = await Promise.all([
    collect(executor.map(double, numbers(30))),
    collect(executor.map(double, numbers(30), { ordered: false })),
  ])
  t.deepEqual(a, numbers(30).map(double))
  t.deepEqual(
    b.toSorted((x, y) => x - y),
    a,
  )
})

test('a wrong function, wrong items and wrong options are refused by name, at the call', async (t) => {
  const executor = new LocalExecutor()
  const cases: [unknown, unknown, unknown, string, RegExp][] = [
    [undefined, [], undefined, 'ERR_INVALID_ARG_TYPE', /"fn"/],
    [{}, [], undefined, 'ERR_INVALID_ARG_TYPE', /"fn"/],
    [double, undefined, undefined, 'ERR_INVALID_ARG_TYPE', /"items"/],
    [double, null, undefined, 'ERR_INVALID_ARG_TYPE', /"items"/],
    [double, 5, undefined, 'ERR_INVALID_ARG_TYPE', /"items"/],
    [double, { length: 1, 0: 1 }, undefined, 'ERR_INVALID_ARG_TYPE', /"items"/],
    [double, [], null, 'ERR_INVALID_ARG_TYPE', /"options"/],
    [double, [], 5, 'ERR_INVALID_ARG_TYPE', /"options"/],
    [double, [], { chunksize: 0 }, 'ERR_OUT_OF_RANGE', /"options\.chunksize"/],
    [double, [], { chunksize: -1 }, 'ERR_OUT_OF_RANGE', /"options\.chunksize"/],
    [double, [], { chunksize: 1.5 }, 'ERR_OUT_OF_RANGE', /"options\.chunksize"/],
    [double, [], { chunksize: Infinity }, 'ERR_OUT_OF_RANGE', /"options\.chunksize"/],
    [double, [], { chunksize: Number.NaN }, 'ERR_OUT_OF_RANGE', /"options\.chunksize"/],
    [double, [], { chunksize: 'large' }, 'ERR_INVALID_ARG_VALUE', /"options\.chunksize"/],
    [double, [], { chunksize: true }, 'ERR_INVALID_ARG_TYPE', /"options\.chunksize"/],
    [double, [], { chunksize: null }, 'ERR_INVALID_ARG_TYPE', /"options\.chunksize"/],
    [double, [], { chunksize: 2n }, 'ERR_INVALID_ARG_TYPE', /"options\.chunksize"/],
    [double, [], { buffersize: 0 }, 'ERR_OUT_OF_RANGE', /"options\.buffersize"/],
    [double, [], { buffersize: 2.5 }, 'ERR_OUT_OF_RANGE', /"options\.buffersize"/],
    [double, [], { buffersize: -Infinity }, 'ERR_OUT_OF_RANGE', /"options\.buffersize"/],
    [double, [], { buffersize: 'auto' }, 'ERR_INVALID_ARG_TYPE', /"options\.buffersize"/],
    [double, [], { buffersize: true }, 'ERR_INVALID_ARG_TYPE', /"options\.buffersize"/],
    [double, [], { timeout: '1' }, 'ERR_INVALID_ARG_TYPE', /"options\.timeout"/],
    [double, [], { timeout: Number.NaN }, 'ERR_OUT_OF_RANGE', /"options\.timeout"/],
    [double, [], { taskTimeout: '1' }, 'ERR_INVALID_ARG_TYPE', /"options\.taskTimeout"/],
    [double, [], { taskTimeout: 0 }, 'ERR_OUT_OF_RANGE', /"options\.taskTimeout"/],
    [double, [], { ordered: 1 }, 'ERR_INVALID_ARG_TYPE', /"options\.ordered"/],
    [double, [], { settle: 'yes' }, 'ERR_INVALID_ARG_TYPE', /"options\.settle"/],
    [double, [], { signal: {} }, 'ERR_INVALID_ARG_TYPE', /"options\.signal"/],
    [double, [], { grace: -1 }, 'ERR_OUT_OF_RANGE', /"options\.grace"/],
    [double, [], { grace: '1' }, 'ERR_INVALID_ARG_TYPE', /"options\.grace"/],
    [double, [], { label: 5 }, 'ERR_INVALID_ARG_TYPE', /"options\.label"/],
    [double, [], { retries: -1 }, 'ERR_OUT_OF_RANGE', /"options\.retries"/],
    [double, [], { retries: {} }, 'ERR_INVALID_ARG_TYPE', /"options\.retries\.limit"/],
  ]
  for (const [fn, items, options, code, message] of cases) {
    const expected = { code, message }
    t.throws(() => executor.map(fn as never, items as never, options as MapOptions), expected)
    t.throws(() => executor.starmap(fn as never, items as never, options as MapOptions), expected)
  }
  t.is(executor.submitted, 0)
  t.deepEqual(await collect(executor.map(double, [], { timeout: Infinity, taskTimeout: Infinity })), [])
})

test('an executor that cannot stop calls refuses a taskTimeout', (t) => {
  const executor = new LocalExecutor()
  t.throws(() => executor.map(double, [1], { taskTimeout: 5 }), {
    code: 'ERR_INVALID_ARG_VALUE',
    message: /"options\.taskTimeout"/,
  })
})

test('types follow from the function', async (t) => {
  const executor = new LocalExecutor()
  const text: Future<string> = executor.submit((n: number) => `${n}`, 1)
  const resolved: Future<number> = executor.submit(async () => 1)
  // @ts-expect-error a string is no number
  executor.submit(double, 'one')
  // @ts-expect-error an argument is missing
  executor.submit((a: number, b: number) => a + b, 1)
  // @ts-expect-error the items are no numbers
  executor.map(double, ['one'])
  // @ts-expect-error one of the arguments is no number
  executor.starmap((a: number, b: number) => a + b, [[1, 'two']])
  const readonly: readonly (readonly [number, string])[] = [[1, 'x']]
  const repeated: AsyncIterableIterator<string, undefined> = executor.starmap(
    (n: number, s: string) => s.repeat(n),
    readonly,
  )
  t.is((await text).length, 1)
  t.is((await resolved).toFixed(0), '1')
  t.is((await repeated.next()).value, 'x')
})
