// Payloads of every size: around each size at which a payload begins to travel in another way, and so large that memory
// matters.

import type { SerializationError } from 'millrace'
import { tasks } from './fixtures/basic.mjs'
import { memory, segments } from './hosts/observe.mjs'
import { difference } from './helpers/codec.js'
import { type Host, startHost } from './helpers/hosts.js'
import { test } from './helpers/leaks.js'
import { makePool } from './helpers/pool.js'
import { until } from './helpers/waiting.js'

const KIB = 1 << 10
const MIB = 1 << 20

/** Bytes that differ at any two places that could be confused. */
function noise(length: number): Buffer {
  const bytes = Buffer.alloc(length)
  let x = 0x9e3779b9 ^ length
  for (let at = 0; at + 4 <= length; at += 4) {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    bytes.writeInt32LE(x, at)
  }
  return bytes
}

const noises = noise(18 * MIB)

/** For each codec a payload of about `size` bytes: a few more, for what surrounds the value. */
const shapes: Record<string, (size: number) => unknown> = {
  bytes: (size) => Buffer.from(noises.subarray(0, size)),
  text: (size) => noises.toString('latin1', 0, size),
  'an object with bytes': (size) => ({ bytes: new Uint8Array(noises.subarray(0, size)), size }),
}

const around = (size: number, below: number, above: number): number[] =>
  Array.from({ length: below + above + 1 }, (_, index) => size - below + index)

/** The sizes at which a payload begins to travel in another way, with room for what the codecs add. */
const boundaries: Record<string, number[]> = {
  'the smallest ones': around(8, 8, 8),
  'a granule of an arena': [...around(64, 8, 8), ...around(4096, 2, 2)],
  'what fits a slot': around(448, 64, 8),
  'what passes through the staging memory': around(16 * KIB, 40, 4),
  'what fits the outbox, and a large block': around(64 * KIB, 60, 4),
  'what is committed at a time': [...around(128 * KIB, 2, 2), ...around(192 * KIB, 2, 2)],
  'the inbox': around(MIB, 3, 3),
  'what is queued in one lane': [...around(16 * MIB, 1, 1), 17 * MIB],
}

for (const [boundary, sizes] of Object.entries(boundaries)) {
  test(`payloads arrive intact, there and back, around ${boundary}`, async (t) => {
    const pool = makePool(t)
    for (const [name, shape] of Object.entries(shapes)) {
      const values = sizes.map((size) => shape(size))
      const arrived = await Promise.all(values.map((value) => pool.submit(tasks.identity, value)))
      const wrong = arrived.flatMap((value, index) => {
        const path = difference(value, structuredCloneOf(values[index]))
        return path === undefined ? [] : [`${name} of ${sizes[index]} bytes: ${path}`]
      })
      t.deepEqual(wrong, [])
    }
  })
}

/** A structured clone in which Buffers stay Buffers. */
function structuredCloneOf(value: unknown): unknown {
  if (!Buffer.isBuffer(value)) return structuredClone(value)
  const copy = Buffer.allocUnsafeSlow(value.length)
  value.copy(copy)
  return copy
}

test('small payloads and large ones pass one another without harm', async (t) => {
  const pool = makePool(t)
  const sizes = [10, 5 * MIB, 600, 70_000, 3, 2 * MIB, 17_000, 448, 449, 1, 300_000]
  const futures = Array.from({ length: 150 }, (_, index) => {
    const size = sizes[(index * 7) % sizes.length]!
    const bytes = noises.subarray(index, index + size)
    return { bytes, future: pool.submit(tasks.identity, bytes) }
  })
  for (const { bytes, future } of futures) t.true(bytes.equals(await future))
})

test('a large result of a small call, and a small result of a large one', async (t) => {
  const pool = makePool(t)
  const make = (size: number, fill: number): Buffer => Buffer.alloc(size, fill)
  const sum = (bytes: Buffer): number => bytes.reduce((total, byte) => total + byte, 0)
  const made = await Promise.all([1, 2, 3, 4].map((fill) => pool.submit(make, 9 * MIB, fill)))
  t.true(made.every((bytes, index) => bytes.equals(Buffer.alloc(9 * MIB, index + 1))))
  t.deepEqual(
    await Promise.all(made.map((bytes) => pool.submit(sum, bytes))),
    [1, 2, 3, 4].map((fill) => fill * 9 * MIB),
  )
})

test('a result that has to wait for room is what it was when it was returned', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const makeAndChange = (size: number): Buffer => {
    const bytes = Buffer.alloc(size, 1)
    setTimeout(() => bytes.fill(2), 20)
    return bytes
  }
  await pool.submit(tasks.pid)
  const futures = [pool.submit(makeAndChange, 40 * MIB), pool.submit(makeAndChange, 40 * MIB)]
  const until = performance.now() + 500
  while (performance.now() < until);
  for (const future of futures) t.true((await future).equals(Buffer.alloc(40 * MIB, 1)))
})

test('a payload for which a process has no memory fails its call alone, in both directions', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const { allocUnsafeSlow } = Buffer
  const limited: typeof allocUnsafeSlow = (size) => {
    if (size > 2 * MIB) throw new RangeError('Array buffer allocation failed')
    return allocUnsafeSlow(size)
  }
  // Strings are no views of a lane: they need memory.
  const make = (size: number): string => 'x'.repeat(size)
  const futures = [1, 3 * MIB, 2, MIB, 3 * MIB + 1, 3].map((size) => pool.submit(make, size))
  Buffer.allocUnsafeSlow = limited
  t.teardown(() => (Buffer.allocUnsafeSlow = allocUnsafeSlow))
  for (const [index, future] of futures.entries()) {
    const error = (await future.exception()) as SerializationError | undefined
    t.deepEqual(
      error && [error.name, error.stage, String(error.cause)],
      index % 3 === 1 ? noMemory('result') : undefined,
    )
  }
  Buffer.allocUnsafeSlow = allocUnsafeSlow

  const limitWorker = (): void => {
    const original = Buffer.allocUnsafeSlow
    Buffer.allocUnsafeSlow = (size) => {
      if (size > 2 << 20) throw new RangeError('Array buffer allocation failed')
      return original(size)
    }
  }
  await pool.submit(limitWorker)
  const measure = (text: string): number => text.length
  const sent = [1, 3 * MIB, MIB].map((size) => pool.submit(measure, 'x'.repeat(size)))
  const error = (await sent[1]!.exception()) as SerializationError
  t.deepEqual([error.name, error.stage, String(error.cause)], noMemory('arguments'))
  t.deepEqual([await sent[0], await sent[2]], [1, MIB])
})

const noMemory = (stage: string): unknown[] => [
  'SerializationError',
  stage,
  'RangeError: Array buffer allocation failed',
]

test('a call with a large argument that is cancelled, killed, or lost gives its memory back', async (t) => {
  const pool = makePool(t, { maxWorkers: 1, onWorkerDeath: 'isolate' })
  const bytes = noises.subarray(0, 8 * MIB)
  const spin = (_bytes: Buffer): void => {
    for (;;);
  }
  await pool.submit(tasks.identity, bytes)
  const before = segments()
  for (let round = 0; round < 3; round++) {
    const spinning = pool.submit(spin, bytes)
    const waiting = Array.from({ length: 6 }, () => pool.submit(tasks.identity, bytes))
    while (!spinning.running()) await new Promise((resolve) => setTimeout(resolve, 2))
    t.deepEqual(
      waiting.map((future) => future.cancel()),
      Array(6).fill(true),
    )
    t.true(spinning.cancel({ kill: true }))
    t.true(bytes.equals(await pool.submit(tasks.identity, bytes)))
  }
  // Memory that tasks have kept comes back when their worker is idle.
  await until('the memory to come back', () => segments() <= before + 8 * MIB)
})

// ---- Memory ---------------------------------------------------------------------------------------------------------

interface Peak {
  total: number
  own: number
  shared: number
}

/** The most memory that a program took while `work` went on: its own, and that of its lanes. */
async function peakDuring<T>(host: Host, work: Promise<T>): Promise<[T, Peak]> {
  const peak: Peak = { total: 0, own: 0, shared: 0 }
  const timer = setInterval(() => {
    const [own, shared] = [memory(host.pid).own, segments(host.pid)]
    peak.total = Math.max(peak.total, own + shared)
    peak.own = Math.max(peak.own, own)
    peak.shared = Math.max(peak.shared, shared)
  }, 5)
  try {
    return [await work, peak]
  } finally {
    clearInterval(timer)
  }
}

const inMib = (numbers: object): string =>
  Object.entries(numbers)
    .map(
      ([name, value]: [string, number]) =>
        `${name} ${name === 'milliseconds' ? Math.round(value) : Math.round(value / MIB)}`,
    )
    .join(', ')

const execArgv = ['--expose-gc']

test('100 MiB there and back, ten at once: intact, in two copies at most, and given back', async (t) => {
  const [mib, count] = [100, 10]
  const host = startHost(t, 'payloads', { scenario: 'there and back', mib, count }, { execArgv })
  const { before } = await host.line<{ before: number }>()
  const [{ intact }, peak] = await peakDuring(host, host.line<{ intact: number }>())
  const given = await host.line<{ after: number; bound: number }>()
  t.log(`MiB: ${inMib(peak)}; ${inMib(given)}`)
  t.is(intact, count)
  t.true(peak.total <= before + 2 * count * mib * MIB)
  t.true(given.after <= given.bound)
  t.deepEqual(await host.ended(), { code: 0, signal: null }, host.errors)
  await host.vanished()
})

test('results that come while the host is blocked wait in their workers, and are given back', async (t) => {
  const [mib, count, blocked] = [40, 12, 1000]
  const input = { scenario: 'faster than they are read', mib, count, blocked }
  // Without views: the host's garbage collector keeps those for as long as it likes.
  const host = startHost(t, 'payloads', input, { execArgv, env: { MILLRACE_VIEWS: 'off' } })
  await host.line()
  const [{ intact }, peak] = await peakDuring(host, host.line<{ intact: number }>())
  const given = await host.line<{ after: number; bound: number }>()
  t.log(`MiB: ${inMib(peak)}; ${inMib(given)}`)
  t.is(intact, count)
  // 64 MiB of results in each of two lanes, and their rings.
  t.true(peak.shared <= 2 * 65 * MIB)
  t.true(given.after <= given.bound)
  t.deepEqual(await host.ended(), { code: 0, signal: null }, host.errors)
  await host.vanished()
})
