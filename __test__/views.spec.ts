// Large buffers that are used in place: in the memory of a lane, for as long as somebody has them.

import { randomFillSync } from 'node:crypto'
import { collectGarbage } from '../src/memory/garbage.js'
import { tasks } from './fixtures/basic.mjs'
import { segments } from './hosts/observe.mjs'
import { test } from './helpers/leaks.js'
import { makePool } from './helpers/pool.js'
import { until } from './helpers/waiting.js'

const MIB = 1 << 20

/** Larger than any buffer that is copied. */
const LARGE = 4 * MIB + 8

const noise = (bytes = LARGE): Buffer => randomFillSync(Buffer.allocUnsafeSlow(bytes))

test('a large array is of its own kind and of exactly its size, alone and among scalars, in both directions', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const describe = (...args: unknown[]): unknown[] =>
    args.map((value) => {
      if (value instanceof ArrayBuffer) return ['ArrayBuffer', value.byteLength]
      if (!ArrayBuffer.isView(value)) return value
      return [value.constructor.name, value.byteLength, value.byteOffset, value.buffer.byteLength]
    })
  const memory = new Uint8Array(noise()).buffer
  const views = [
    new Float64Array(memory),
    new Int16Array(memory),
    new BigUint64Array(memory),
    new DataView(memory),
    Buffer.from(memory),
    memory,
  ]
  for (const view of views) {
    const expected = describe(view)[0]
    t.deepEqual(await pool.submit(describe, view), [expected])
    t.deepEqual(await pool.submit(describe, 1.5, view, 'text', 7n), [1.5, expected, 'text', 7n])
    const back = await pool.submit(tasks.identity, view)
    t.deepEqual(describe(back), [expected])
    t.true(new Uint8Array(memory).every((byte, at) => byte === bytesOf(back)[at]))
  }
  const part = new Float32Array(memory, 4, MIB)
  t.deepEqual(await pool.submit(describe, part), [['Float32Array', 4 * MIB, 0, 4 * MIB]])
})

const bytesOf = (value: ArrayBuffer | ArrayBufferView): Uint8Array =>
  value instanceof ArrayBuffer
    ? new Uint8Array(value)
    : new Uint8Array(value.buffer, value.byteOffset, value.byteLength)

test('what a task keeps of its arguments stays as it is, whatever comes after', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const keep = (bytes: Buffer): number => {
    const kept = ((globalThis as { kept?: Buffer[] }).kept ??= [])
    return kept.push(bytes)
  }
  const recall = (index: number): Buffer => Buffer.from((globalThis as { kept?: Buffer[] }).kept![index]!)
  const sent = Array.from({ length: 5 }, () => noise())
  for (const bytes of sent) {
    await pool.submit(keep, bytes)
    // Its memory is not given to another buffer, although the task has changed it.
    await pool.submit((other: Buffer) => other.fill(0).length, noise())
  }
  for (const [index, bytes] of sent.entries()) t.true(bytes.equals(await pool.submit(recall, index)))
})

test('what the host keeps of results stays as it is, also when their workers are gone', async (t) => {
  const pool = makePool(t, { maxWorkers: 2, onWorkerDeath: 'isolate' })
  const sent = Array.from({ length: 12 }, () => noise())
  const kept = await Promise.all(sent.map((bytes) => pool.submit(tasks.identity, bytes)))
  for (let round = 0; round < 3; round++) {
    await Promise.all(sent.map(() => pool.submit((bytes: Buffer) => bytes.fill(7), noise())))
  }
  t.true(sent.every((bytes, index) => bytes.equals(kept[index]!)))
  await pool.killWorkers()
  t.true(sent.every((bytes, index) => bytes.equals(kept[index]!)))
  // The host may change its own buffer.
  kept[0]!.fill(9)
  t.true(kept[0]!.every((byte) => byte === 9))
})

test('many more results than may be lent arrive all the same, and all memory comes back', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  await pool.submit(tasks.identity, 1)
  const before = segments()
  const make = (size: number, fill: number): Uint8Array => new Uint8Array(size).fill(fill)
  const size = 160 << 10
  const kept = await Promise.all(Array.from({ length: 800 }, (_, index) => pool.submit(make, size, index)))
  t.true(kept.every((bytes, index) => bytes[0] === index % 256 && bytes[size - 1] === index % 256))
  kept.length = 0
  await until('the memory to come back', () => {
    collectGarbage()
    return segments() <= before + 64 * MIB
  })
})

test('a worker that dies with what it was lent leaves nothing behind, and its calls fail alone', async (t) => {
  const pool = makePool(t, { maxWorkers: 2, onWorkerDeath: 'isolate' })
  const die = (_bytes: Buffer): void => process.kill(process.pid, 'SIGKILL') as unknown as void
  const bytes = noise()
  for (let round = 0; round < 5; round++) {
    const dying = pool.submit(die, bytes)
    const others = Array.from({ length: 4 }, () => pool.submit(tasks.identity, bytes))
    t.is(((await dying.exception()) as Error).name, 'WorkerDiedError')
    for (const other of others) t.true(bytes.equals(await other))
  }
})

test('items of a map may be large', async (t) => {
  const pool = makePool(t, { maxWorkers: 2 })
  const sent = Array.from({ length: 8 }, () => noise())
  let index = 0
  for await (const bytes of pool.map(tasks.identity, sent)) t.true(sent[index++]!.equals(bytes as Buffer))
  t.is(index, sent.length)
})

test('a large buffer waits for its worker as it was when it was submitted', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const bytes = noise()
  const expected = Buffer.from(bytes)
  const sum = (first: string, data: Buffer, last: number): [string, Buffer, number] => [first, data, last]
  const futures = Array.from({ length: 8 }, (_, index) => pool.submit(sum, `call ${index}`, bytes, index))
  bytes.fill(0)
  for (const [index, future] of futures.entries()) {
    const [first, data, last] = await future
    t.deepEqual([first, last, expected.equals(data)], [`call ${index}`, index, true])
  }
})

test('both sides collect young garbage by what they received, and not the whole heap', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  // Runs in both processes: counts the young collections that were asked for.
  const watch = async (): Promise<void> => {
    const { constants, PerformanceObserver } = await import('node:perf_hooks')
    const seen = globalThis as { collections?: number }
    seen.collections = 0
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        // `detail` is not in the declarations of the base class.
        const { kind, flags } = (entry as unknown as { detail: { kind: number; flags: number } }).detail
        const isForced = (flags & constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) !== 0
        if (isForced && kind === constants.NODE_PERFORMANCE_GC_MINOR) seen.collections!++
      }
    }).observe({ entryTypes: ['gc'] })
  }
  const collections = (): number => (globalThis as { collections?: number }).collections!
  await watch()
  await pool.submit(watch)
  const bytes = noise(MIB)
  for (let received = 0; received < 100; received++) await pool.submit(tasks.identity, bytes)
  await until('the host to collect', () => collections() >= 3)
  t.true(collections() < 10)
  let there = 0
  // Each call gives the worker's event loop a turn, in which it hears of collections.
  for (let looks = 0; there < 3 && looks < 1000; looks++) there = await pool.submit(collections)
  t.true(there >= 3 && there < 10, `${there} collections in the worker`)
})
