// SharedBuffer, and `transfer` in general.

import { QueueFullError, SharedBuffer, ShutdownError } from 'millrace'
import { segments } from './hosts/observe.mjs'
import { totalmem } from 'node:os'
import { native } from '../src/native/index.js'
import { collectGarbage } from '../src/memory/garbage.js'
import { tasks } from './fixtures/basic.mjs'
import { shared } from './fixtures/shared.mjs'
import { test } from './helpers/leaks.js'
import { claimed, failureOf, Gate, makePool, startBoth } from './helpers/pool.js'
import { until } from './helpers/waiting.js'

const MIB = 1 << 20

test('what is transferred arrives, and is gone here', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  for (const bytes of [1, 100, 5000, 100_000, 5 * MIB]) {
    const array = new Uint8Array(bytes).fill(3)
    const future = pool.run(tasks.identity, [array], { transfer: [array.buffer] })
    t.is(array.byteLength, 0)
    t.deepEqual(await future, new Uint8Array(bytes).fill(3))
  }
  // As with postMessage: also a buffer that is no argument, and several buffers, inside of any values.
  const [first, second, other] = [new Float64Array(1000).fill(1), new Int8Array(70_000).fill(2), new ArrayBuffer(8)]
  const transfer = [first.buffer, second.buffer, other]
  const future = pool.run(tasks.identity, [{ first, list: [second, first] }], { transfer })
  t.deepEqual([first.length, second.length, other.byteLength], [0, 0, 0])
  const back = await future
  t.deepEqual([back.first[999], back.list[1], back.list[0]![69_999]], [1, back.first, 2])
})

test('of a call that is refused nothing is taken', async (t) => {
  const pool = makePool(t, { maxWorkers: 1, maxQueue: 1 })
  const gate = new Gate(t)
  const held = pool.submit(tasks.hold, gate.path, 0)
  await claimed(held)
  const waiting = pool.submit(tasks.identity, 0)
  const array = new Uint8Array(100)
  t.throws(() => pool.run(tasks.identity, [array], { transfer: [array.buffer] }), { instanceOf: QueueFullError })
  t.is(array.byteLength, 100)
  const withFunction = pool.run(tasks.identity, [{ array, f: () => {} }], { transfer: [array.buffer] })
  t.is(((await failureOf(withFunction)) as Error).name, 'SerializationError')
  t.is(array.byteLength, 100)
  gate.open()
  await Promise.all([held, waiting])
})

test('a pooled Buffer loses nothing that others have in it', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const [mine, others] = [Buffer.from('mine'), Buffer.from('others')]
  try {
    t.is(String(await pool.run(tasks.identity, [mine], { transfer: [mine.buffer as ArrayBuffer] })), 'mine')
  } catch (error) {
    // Since Node 21 the mark can be read.
    t.is((error as NodeJS.ErrnoException).code, 'ERR_INVALID_ARG_VALUE')
  }
  t.is(String(others), 'others')
})

for (const bytes of [8, 400, 4000, 70_000, 5 * MIB]) {
  test(`a SharedBuffer of ${bytes} bytes moves there and back, again and again`, async (t) => {
    const pool = makePool(t, { maxWorkers: 1 })
    await pool.submit(tasks.pid)
    let buffer: ArrayBuffer = SharedBuffer.allocate(bytes, pool)
    t.true(new Uint8Array(buffer).every((byte) => byte === 0))
    for (let round = 1; round <= 100; round++) {
      const there = pool.run(shared.increment, [new Uint8Array(buffer)], { transfer: [buffer] })
      t.true((buffer as SharedBuffer).moved)
      t.throws(() => new Uint8Array(buffer), { instanceOf: TypeError })
      const array = await there
      t.true(array.every((byte) => byte === round))
      buffer = array.buffer as ArrayBuffer
      t.deepEqual([buffer instanceof SharedBuffer, buffer.byteLength], [true, bytes])
    }
  })
}

test('it moves without a copy: all the while there is but one', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  await pool.submit(tasks.pid)
  const before = segments()
  let buffer: ArrayBuffer = SharedBuffer.allocate(64 * MIB, pool)
  for (let round = 0; round < 20; round++) {
    buffer = (await pool.run(shared.touch, [buffer], { transfer: [buffer] })) as ArrayBuffer
    t.true(segments() - before <= 65 * MIB)
  }
  t.is(new Uint8Array(buffer)[0], 20)
})

test('it travels among scalars, and as any kind of view of all of it', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  await pool.submit(tasks.pid)
  const buffer = SharedBuffer.allocate(8000, pool)
  const numbers = new Float64Array(buffer).map((_, index) => index)
  new Float64Array(buffer).set(numbers)
  const sum = pool.run(shared.sum, ['a', new Float64Array(buffer), 0.5], { transfer: [buffer] })
  t.deepEqual(await sum, ['a', 499_500.5, true])
  t.true(buffer.moved)
})

test('one that is not transferred is cloned', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const buffer = SharedBuffer.allocate(5000, pool)
  new Uint8Array(buffer).fill(5)
  const back = (await pool.submit(tasks.identity, buffer)) as ArrayBuffer
  t.deepEqual([buffer.moved, back.byteLength, back instanceof SharedBuffer], [false, 5000, false])
  t.deepEqual(new Uint8Array(back), new Uint8Array(buffer))
})

test('a part of one, or one in an object, moves by a copy', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  for (const wrap of [(array: Uint8Array) => array.subarray(1), (array: Uint8Array) => ({ array })]) {
    const buffer = SharedBuffer.allocate(5000, pool)
    const array = new Uint8Array(buffer).fill(6)
    const sent = structuredClone(wrap(array))
    const future = pool.run(tasks.identity, [wrap(array)], { transfer: [buffer] })
    t.true(buffer.moved)
    t.deepEqual(Buffer.from(JSON.stringify(await future)), Buffer.from(JSON.stringify(sent)))
  }
})

test('a task makes one for its result', async (t) => {
  const pool = makePool(t, { maxWorkers: 2 })
  for (const bytes of [0, 10, 4000, 5 * MIB]) {
    const results = await Promise.all([1, 2, 3].map((fill) => pool.submit(shared.make, bytes, fill)))
    for (const [index, made] of results.entries()) {
      const array = new Uint8Array(made as ArrayBuffer)
      t.deepEqual([array.length, array.every((byte) => byte === index + 1)], [bytes, true])
      // It goes to another worker by a copy, or to the same worker. In either case it is gone here.
      const back = await pool.run(shared.increment, [array], { transfer: [made as ArrayBuffer] })
      t.true((back as Uint8Array).every((byte) => byte === index + 2))
      if (bytes > 0) t.true((made as SharedBuffer).moved)
    }
  }
  const alone = makePool(t, { maxWorkers: 1 })
  await alone.submit(shared.make, 4000, 1)
  t.deepEqual(await alone.submit(shared.movedAfterReturn), [true, true])
})

test('a call with one that is cancelled, killed or lost takes it along, and its memory comes back', async (t) => {
  const pool = makePool(t, { maxWorkers: 1, onWorkerDeath: 'isolate' })
  await pool.submit(tasks.pid)
  const before = segments()
  const gate = new Gate(t)
  const held = pool.submit(tasks.hold, gate.path, 0)
  await claimed(held)
  const [first, second] = [SharedBuffer.allocate(8 * MIB, pool), SharedBuffer.allocate(8 * MIB, pool)]
  const cancelled = pool.run(tasks.identity, [first], { transfer: [first] })
  t.true(cancelled.cancel())
  gate.open()
  await held
  const killed = pool.run(shared.die, [second], { transfer: [second] })
  t.is(((await failureOf(killed)) as Error).name, 'WorkerDiedError')
  t.deepEqual([first.moved, second.moved], [true, true])
  t.is(await pool.submit(tasks.add, 1, 2), 3)
  await until('the memory to come back', () => {
    collectGarbage()
    return segments() <= before
  })
})

test('one whose worker is gone stays readable, and goes to another by a copy', async (t) => {
  const pool = makePool(t, { maxWorkers: 1, onWorkerDeath: 'isolate' })
  const pid = await pool.submit(tasks.pid)
  const buffer = SharedBuffer.allocate(100_000, pool)
  new Uint8Array(buffer).fill(8)
  process.kill(pid, 'SIGKILL')
  await until('another worker', () => pool.stats().workers.every((worker) => worker.pid !== pid))
  t.true(new Uint8Array(buffer).every((byte) => byte === 8))
  const array = await pool.run(shared.increment, [new Uint8Array(buffer)], { transfer: [buffer] })
  t.true(array.every((byte) => byte === 9))
  t.true(buffer.moved)
  await pool.killWorkers()
  t.true(array.every((byte) => byte === 9))
})

test('calls with one go to its worker, and when that is busy to another', async (t) => {
  const pool = makePool(t, { maxWorkers: 2 })
  await startBoth(t, pool)
  for (let round = 0; round < 50; round++) {
    const buffers = Array.from({ length: 6 }, () => SharedBuffer.allocate(20_000, pool))
    const futures = buffers.map((buffer) =>
      pool.run(shared.increment, [new Uint8Array(buffer)], { transfer: [buffer] }),
    )
    for (const future of futures) t.true((await future).every((byte) => byte === 1))
  }
})

test('retries have the bytes again', async (t) => {
  const pool = makePool(t, { maxWorkers: 1, onWorkerDeath: 'isolate' })
  const gate = new Gate(t)
  const buffer = SharedBuffer.allocate(50_000, pool)
  new Uint8Array(buffer).fill(4)
  const options = { transfer: [buffer], retries: 1 }
  const array = await pool.run(shared.dieOnce, [gate.path, new Uint8Array(buffer)], options)
  t.true(array.every((byte) => byte === 5))
})

test('more than there is room for move all the same', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  await pool.submit(tasks.pid)
  const kept = Array.from({ length: 80 }, () => SharedBuffer.allocate(2000, pool))
  for (const buffer of kept) {
    const array = await pool.run(shared.increment, [new Uint8Array(buffer)], { transfer: [buffer] })
    t.deepEqual([array.every((byte) => byte === 1), buffer.moved], [true, true])
    t.true(array.buffer instanceof SharedBuffer)
  }
})

test('a buffer moves without a copy whatever its size, and beside others', async (t) => {
  if (totalmem() < 4 * 1024 * MIB) {
    t.pass('too little memory')
    return
  }
  const pool = makePool(t, { maxWorkers: 1 })
  await pool.submit(tasks.pid)
  // The bytes between are never touched: the memory of this process would show a copy.
  const buffers = [100, 300, 300, 600].map((mib) => SharedBuffer.allocate(mib * MIB, pool))
  for (const buffer of buffers) {
    t.true(native.liesInLane(buffer))
    const back = await pool.run(shared.touch, [buffer], { transfer: [buffer] })
    t.true(native.liesInLane(back))
    t.deepEqual([buffer.moved, back.byteLength, new Uint8Array(back)[0]], [true, back.byteLength, 1])
  }
  for (const mib of [300, 600]) {
    const made = await pool.submit(shared.make, mib * MIB, 7)
    t.true(native.liesInLane(made))
    t.is(new Uint8Array(made)[mib * MIB - 1], 7)
  }
})

test('wrong sizes and executors are refused by name, and nothing comes after the shutdown', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  for (const [bytes, code] of [
    [-1, 'ERR_OUT_OF_RANGE'],
    [1.5, 'ERR_OUT_OF_RANGE'],
    ['1', 'ERR_INVALID_ARG_TYPE'],
    [undefined, 'ERR_INVALID_ARG_TYPE'],
  ] as const) {
    t.throws(() => SharedBuffer.allocate(bytes as number, pool), { code, message: /"bytes"/ })
  }
  t.throws(() => SharedBuffer.allocate(1), { code: 'ERR_INVALID_ARG_TYPE', message: /"executor"/ })
  t.throws(() => SharedBuffer.allocate(1, {} as never), { code: 'ERR_INVALID_ARG_TYPE', message: /"executor"/ })
  t.throws(() => SharedBuffer.allocate(2 ** 50, pool), { instanceOf: RangeError })
  await pool.shutdown()
  t.throws(() => SharedBuffer.allocate(1, pool), { instanceOf: ShutdownError })
})
