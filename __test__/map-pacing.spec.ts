// map() of any executor: waiting for room in a queue, and chunks that find their own size.

import test from 'ava'
import { setTimeout as sleep } from 'node:timers/promises'
import { QueueFullError, ShutdownError } from '../src/errors/index.js'
import { LocalChunks } from './helpers/executors.js'
import { boom, double, numbers, map, collect, outcomes, Counted, AsyncCounted, turns } from './helpers/maps.js'

// ---- A full queue ---------------------------------------------------------------------------------------------------

test('when the queue is full, map waits for room and then goes on, in order', async (t) => {
  const source = new LocalChunks(double)
  const full = new QueueFullError('full', { maxQueue: 1 })
  const input = new Counted(6)
  source.refusals = [full, full, full]
  const iterator = map(source, input, { chunksize: 2 })
  t.is(input.read, 2)
  t.is(source.chunks.length, 0)
  t.deepEqual(await collect(iterator), [0, 2, 4, 6, 8, 10])
  t.is(source.readyCalls, 3)
})

test('when the queue is full, what was read waits, and what the input throws comes behind', async (t) => {
  for (const buffersize of [undefined, Infinity]) {
    const source = new LocalChunks(double)
    source.refusals = [new QueueFullError('full', { maxQueue: 1 })]
    const input = new Counted(6)
    input.failure = boom
    const iterator = map(source, input, { buffersize })
    t.is(input.read, buffersize === Infinity ? 6 : 1)
    t.deepEqual(await outcomes(iterator), [...numbers(6).map(double), { error: boom }])
    t.is(input.closed, 1)
  }
})

test('a queue that says it is ready and takes nothing does not stop the event loop', async (t) => {
  const source = new LocalChunks(double)
  const full = new QueueFullError('full', { maxQueue: 1 })
  source.refusals = Array.from({ length: 1_000_000 }, () => full)
  const iterator = map(source, [1, 2])
  await sleep(10)
  t.true(source.readyCalls > 1)
  source.refusals = []
  t.deepEqual(await collect(iterator), [2, 4])
})

test('a bounded queue and asynchronous input', async (t) => {
  const source = new LocalChunks(double)
  const full = new QueueFullError('full', { maxQueue: 1 })
  const input = new AsyncCounted(9)
  source.refusals = [full]
  const iterator = map(source, input, { chunksize: 2 })
  await turns(3)
  source.refusals.push(full, full)
  t.deepEqual(await collect(iterator), numbers(9).map(double))
})

test('a submission that fails later ends the map: results first, then the error; the input is closed', async (t) => {
  for (const input of [new Counted(), new AsyncCounted()]) {
    const source = new LocalChunks(double)
    const iterator = map(source, input, { buffersize: 2 })
    await turns()
    const shutdown = new ShutdownError('cannot schedule new futures after shutdown')
    source.refusals = [shutdown]
    t.deepEqual(await outcomes(iterator), [0, 2, { error: shutdown }])
    await t.throwsAsync(iterator.next(), { is: shutdown })
    t.is(input.closed, 1)
  }
})

test('when waiting for room fails, the map ends with that error after its results', async (t) => {
  for (const ready of [
    () => Promise.reject(boom),
    () => {
      throw boom
    },
  ]) {
    const source = new LocalChunks(double)
    source.ready = ready
    const input = new Counted(4)
    const iterator = map(source, input, { buffersize: 2 })
    source.refusals = [new QueueFullError('full', { maxQueue: 1 })]
    t.deepEqual(await outcomes(iterator), [0, 2, { error: boom }])
    t.is(input.closed, 1)
  }
})

test('return() while the queue is full leaves nothing to be submitted', async (t) => {
  const source = new LocalChunks(double)
  source.refusals = [new QueueFullError('full', { maxQueue: 1 })]
  const iterator = map(source, [1, 2])
  await iterator.return()
  await turns()
  t.is(source.chunks.length, 0)
})

// ---- Automatic chunks -----------------------------------------------------------------------------------------------

const sizes = (source: LocalChunks<number, number>): number[] => source.chunks.map((chunk) => chunk.length)

test('automatic chunks start with one item and grow for short tasks, up to 1024', async (t) => {
  const source = new LocalChunks(double)
  source.elapsed = (items) => items * 1e-4
  t.deepEqual(await collect(map(source, numbers(200_000), { chunksize: 'auto' })), numbers(200_000).map(double))
  t.is(source.chunks[0]!.length, 1)
  t.is(Math.max(...sizes(source)), 1024)
})

test('automatic chunks stay single for long tasks, and shrink when tasks become long', async (t) => {
  const long = new LocalChunks(double)
  long.elapsed = (items) => items * 20
  await collect(map(long, numbers(50), { chunksize: 'auto' }))
  t.true(sizes(long).every((size) => size === 1))

  const changing = new LocalChunks(double)
  let each = 0.01
  changing.elapsed = (items) => items * each
  let taken = 0
  for await (const _ of map(changing, numbers(20_000), { chunksize: 'auto' })) {
    if (++taken === 10_000) each = 1
  }
  t.true(Math.max(...sizes(changing)) > 100)
  t.is(sizes(changing).at(-2), 4)
})

test('automatic chunks aim at a few milliseconds of work', async (t) => {
  const source = new LocalChunks(double)
  source.elapsed = (items) => items * 0.1
  await collect(map(source, numbers(5000), { chunksize: 'auto' }))
  t.is(Math.max(...sizes(source)), 40)
})

test('automatic chunks leave work for all workers: at most ceil(length / (4 × workers))', async (t) => {
  const source = new LocalChunks(double, 4)
  source.elapsed = () => 0
  await collect(map(source, numbers(1000), { chunksize: 'auto' }))
  t.is(Math.max(...sizes(source)), Math.ceil(1000 / 16))
})

test('automatic chunks are submitted as others are done, a few for each worker', async (t) => {
  const source = new LocalChunks(double, 3)
  source.manual = true
  const input = new Counted(100)
  const iterator = map(source, input, { chunksize: 'auto' })
  t.is(input.read, 12)
  t.is(source.chunks.length, 12)
  source.finish(0)
  t.is(source.chunks.length, 13)
  await iterator.return()
})

test('automatic chunks work without times from the executor', async (t) => {
  const source = new LocalChunks(double)
  t.deepEqual(await collect(map(source, numbers(20_000), { chunksize: 'auto' })), numbers(20_000).map(double))
  t.true(source.chunks.length < 20_000)
})

test('automatic chunks never exceed the read-ahead, and share it among the workers', async (t) => {
  for (const input of [new Counted(2000), new AsyncCounted(2000)]) {
    const source = new LocalChunks(double, 2)
    source.elapsed = () => 0
    await collect(map(source, input, { chunksize: 'auto', buffersize: 40 }))
    t.is(Math.max(...sizes(source)), 10)
  }
})

test('automatic chunks of asynchronous input need no buffersize', async (t) => {
  const source = new LocalChunks(double, 2)
  source.elapsed = (items) => items * 1e-3
  t.deepEqual(await collect(map(source, new AsyncCounted(20_000), { chunksize: 'auto' })), numbers(20_000).map(double))
  t.true(Math.max(...sizes(source)) > 100)
})

test('a map of a million items is linear', async (t) => {
  const source = new LocalChunks(double)
  source.elapsed = (items) => items * 1e-4
  let sum = 0
  for await (const value of map(source, numbers(1_000_000), { chunksize: 'auto' })) sum += value
  t.is(sum, 999_999_000_000)
})
