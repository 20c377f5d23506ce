// Values on their way through real workers: they arrive equal to structured clones, a value that cannot travel fails
// only its own call, and no process sees another's memory.

import fc from 'fast-check'
import { type ProcessPoolExecutor, SerializationError } from 'millrace'
import { tasks } from './fixtures/basic.mjs'
import { typedArrays } from './helpers/codec-values.js'
import { difference, RUNS } from './helpers/codec.js'
import { graph, scalar } from './helpers/codec-values.js'
import { test } from './helpers/leaks.js'
import { claimed, failureOf, Gate, makePool } from './helpers/pool.js'
import { within } from './helpers/waiting.js'

/** All arguments, as they have arrived. */
const echo = (...args: unknown[]): unknown[] => args

const shared = { a: 1 }
const cycle: Record<string, unknown> = { list: [1] }
cycle.self = cycle
;(cycle.list as unknown[]).push(cycle)

const memory = new ArrayBuffer(64)
new Uint8Array(memory).forEach((_, index, bytes) => (bytes[index] = index * 3))

const kinds: Record<string, unknown> = {
  undefined,
  null: null,
  true: true,
  zero: 0,
  'negative zero': -0,
  NaN,
  infinities: [Infinity, -Infinity],
  'numbers at the edges': [2 ** 31, -(2 ** 31) - 1, 2 ** 53 + 2, 5e-324, 1.7976931348623157e308],
  'an empty string': '',
  'strings of one and of two bytes': ['\xff\0', 'жЖ', '😀'],
  'lone surrogates': ['\ud800', 'a\udfff', { '\udabc': '\udabc' }],
  'a long string': 'я'.repeat(100_000),
  'small BigInts': [0n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 64n],
  'BigInts of 2,000 bits': [2n ** 2000n - 1n, -(2n ** 2000n) + 1n],
  'an object': { b: 1, 10: 2, a: undefined, 2: null },
  'an object without prototype': Object.assign(Object.create(null), { x: 1 }),
  'an own __proto__ key': JSON.parse('{"__proto__": {"polluted": true}, "b": 2}'),
  holes: [1, , 3, ,],
  'a sparse array': Object.assign(new Array(1e6), { 5: 'five', 999_999: 'last' }),
  'an array with further properties': Object.assign([1, 2], { extra: 'x', '-1': 2 }),
  'an array of doubles': [1.5, -0, NaN],
  'a Map': new Map<unknown, unknown>([
    [NaN, -0],
    [{ k: 1 }, shared],
    ['k', shared],
  ]),
  'a Set': new Set([3, 'a', shared, undefined, null, NaN]),
  'a Date': new Date(8.64e15),
  'an invalid Date': new Date(NaN),
  'a RegExp': /(?<name>a+)\/[^\]]/dgimsuy,
  'boxed primitives': [Object(1), Object(-0), Object('text'), Object(false), Object(12n)],
  'a cycle': cycle,
  'shared references': [shared, shared, { shared }],
  'an ArrayBuffer': memory.slice(0),
  'an empty ArrayBuffer': new ArrayBuffer(0),
  'a DataView of a part': [new DataView(memory, 3, 17)],
  'two views over one ArrayBuffer': [new Uint16Array(memory, 2, 5), new DataView(memory), memory],
  errors: [new Error('m', { cause: new RangeError('inner') }), new TypeError('t'), new SyntaxError('')],
  'an instance of a class': new (class Point {
    x = 1
  })(),
}
for (const TypedArray of typedArrays) {
  const { name, BYTES_PER_ELEMENT: size } = TypedArray
  kinds[`a ${name}`] = new TypedArray(memory.slice(0))
  kinds[`a ${name} of a part`] = [new TypedArray(memory, size, 3), new TypedArray(memory, 0, 0)]
}

test('values of every kind arrive as their structured clones, alone and among others', async (t) => {
  const pool = makePool(t)
  for (const [name, value] of Object.entries(kinds)) {
    const sent = [
      [[value], pool.submit(echo, value)],
      [[0, value, 'x'], pool.submit(echo, 0, value, 'x')],
      [[value, { value }], pool.submit(echo, value, { value })],
      [[value, value], pool.submit(echo, value, value)],
    ] as const
    for (const [args, future] of sent) t.is(difference(await future, structuredClone(args)), undefined, name)
    t.is(difference(await pool.submit(tasks.identity, value), structuredClone(value)), undefined, name)
  }
})

test('a view that travels alone is a view of just its part', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  for (const View of [...typedArrays, DataView]) {
    const view = new (View as any)(memory, 8, 4)
    const arrived = await pool.submit(tasks.identity, view)
    t.is(difference(arrived, new (View as any)(memory.slice(8, 8 + view.byteLength))), undefined, View.name)
  }
})

test('Buffers are Buffers, in the worker and when they are back', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const describe = (...args: unknown[]): unknown[] => args.map((arg) => [Buffer.isBuffer(arg), String(arg)])
  const pooled = Buffer.from('hello')
  t.true(pooled.buffer.byteLength > 5)
  t.deepEqual(await pool.submit(describe, pooled), [[true, 'hello']])
  t.deepEqual(await pool.submit(describe, pooled, pooled), [
    [true, 'hello'],
    [true, 'hello'],
  ])
  const returned = await pool.submit((text: string) => [Buffer.from(text), { deep: Buffer.from(text) }] as const, 'hi')
  t.deepEqual([Buffer.isBuffer(returned[0]), Buffer.isBuffer(returned[1].deep)], [true, true])
  t.deepEqual([String(returned[0]), String(returned[1].deep)], ['hi', 'hi'])
  const alone = await pool.submit((text: string) => Buffer.from(text), 'alone')
  t.deepEqual([Buffer.isBuffer(alone), String(alone)], [true, 'alone'])
})

test('one object in two arguments is one object in the worker', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const same = (a: object, b: { shared: object }, c: Map<string, object>): boolean[] => [
    a === b.shared,
    a === c.get('k'),
  ]
  t.deepEqual(await pool.submit(same, shared, { shared }, new Map([['k', shared]])), [true, true])
  const sameMemory = (a: Uint8Array, b: Uint8Array): boolean => a.buffer === b.buffer
  t.true(await pool.submit(sameMemory, new Uint8Array(memory, 0, 4), new Uint8Array(memory, 8, 4)))
})

test('graphs of values arrive as their structured clones', async (t) => {
  const pool = makePool(t)
  const property = fc.asyncProperty(graph, fc.array(scalar, { maxLength: 3 }), async (value, more) => {
    const args = [value, ...more, { value }]
    const [arrived, returned] = await Promise.all([pool.submit(echo, ...args), pool.submit(tasks.identity, { value })])
    t.is(difference(arrived, structuredClone(args)), undefined)
    t.is(difference(returned, structuredClone({ value })), undefined)
  })
  await fc.assert(property, { numRuns: RUNS })
})

test('scalars arrive bit for bit, as arguments and in chunks', async (t) => {
  const pool = makePool(t)
  const property = fc.asyncProperty(fc.array(scalar, { maxLength: 12 }), async (values) => {
    t.is(difference(await pool.submit(echo, ...values), values), undefined)
    const mapped: unknown[] = []
    for await (const value of pool.map(tasks.identity, values, { chunksize: 5 })) mapped.push(value)
    t.is(difference(mapped, values), undefined)
  })
  await fc.assert(property, { numRuns: RUNS })
})

// ---- What cannot travel ---------------------------------------------------------------------------------------------

/** Values by the expressions that make them, here and in a worker. */
const uncloneable: Record<string, () => unknown> = {
  'a function': () => () => 1,
  'a class': () => class {},
  'a symbol': () => Symbol('s'),
  'a promise': () => [Promise.resolve(1)],
  'a proxy': () => new Proxy({}, {}),
  'a WeakMap': () => new WeakMap(),
  'a WeakRef': () => new WeakRef({}),
  'a generator': () => (function* () {})(),
  'shared memory': () => new Uint8Array(new SharedArrayBuffer(8)),
  'detached memory': () => {
    const buffer = new ArrayBuffer(8)
    structuredClone(buffer, { transfer: [buffer] })
    return buffer
  },
  'a URL': () => new URL('http://localhost/'),
  'an AbortSignal': () => AbortSignal.abort(),
  'a getter that throws': () =>
    Object.defineProperty({}, 'inner', {
      enumerable: true,
      get() {
        throw new RangeError('not today')
      },
    }),
}

for (const [name, make] of Object.entries(uncloneable)) {
  const inner = name === 'a promise' ? '[0]' : name === 'a getter that throws' ? '.inner' : ''

  test(`${name} among the arguments fails that call with its path, and no other`, async (t) => {
    const pool = makePool(t, { maxWorkers: 1 })
    const before = pool.submit(tasks.sleep, 5, 'before')
    const bad = pool.submit(echo, 1, { rows: [0, { it: make() }] })
    const after = pool.submit(tasks.add, 1, 2)
    t.true(bad.done())
    const error = (await failureOf(bad)) as SerializationError
    t.true(error instanceof SerializationError)
    t.deepEqual(
      [error.name, error.code, error.stage, error.path],
      ['SerializationError', 'ERR_MILLRACE_SERIALIZATION', 'arguments', `args[1].rows[1].it${inner}`],
    )
    if (inner === '.inner') t.is((error.cause as Error).message, 'not today')
    t.deepEqual([await before, await after], ['before', 3])
    const { failed, completed, restarts, workers } = pool.stats()
    t.deepEqual([failed, completed, restarts, workers.length], [1, 2, 0, 1])
  })

  test(`${name} in a result fails that call with its path, and no other`, async (t) => {
    const pool = makePool(t, { maxWorkers: 1 })
    const pid = await pool.submit(tasks.pid)
    const source = `return { rows: [0, { it: (${make.toString()})() }] }`
    // eslint-disable-next-line no-new-func -- Made of the text above, so that it needs no closure.
    const bad = pool.submit(new Function(source) as () => unknown)
    const after = pool.submit(tasks.pid)
    const error = (await failureOf(bad)) as SerializationError
    t.true(error instanceof SerializationError)
    t.deepEqual(
      [error.name, error.code, error.stage, error.path],
      ['SerializationError', 'ERR_MILLRACE_SERIALIZATION', 'result', `result.rows[1].it${inner}`],
    )
    if (inner === '.inner') t.is((error.cause as Error).message, 'not today')
    t.is(await after, pid)
  })
}

test('many calls, some of which cannot travel in one direction or the other: exactly those fail', async (t) => {
  const pool = makePool(t)
  const maybe = (index: number): unknown => (index % 7 === 3 ? { index, bad: () => index } : index)
  const futures = Array.from({ length: 700 }, (_, index) =>
    index % 5 === 2 ? pool.submit(maybe, (() => index) as never) : pool.submit(maybe, index),
  )
  for (const [index, future] of futures.entries()) {
    const error = (await within('a call', future.exception())) as SerializationError | undefined
    const expected = index % 5 === 2 ? ['arguments', 'args[0]'] : index % 7 === 3 ? ['result', 'result.bad'] : []
    t.deepEqual(error === undefined ? [] : [error.stage, error.path], expected)
    if (error === undefined) t.is(await future, index)
  }
})

test('items of a chunk that cannot travel fail alone, in both directions', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const maybe = (item: unknown): unknown => (item === 5 ? { bad: () => item } : item)
  const items = [0, 1, () => 2, 3, 4, 5, 6, 7, Symbol('8'), () => 9, 10]
  const iterator = pool.map(maybe, items, { chunksize: 4 })
  const outcomes: unknown[] = []
  for (;;) {
    try {
      const { value, done } = await iterator.next()
      if (done) break
      outcomes.push(value)
    } catch (error) {
      const { stage, path } = error as SerializationError
      outcomes.push([stage, path])
    }
  }
  const refused = ['arguments', 'args[0]']
  t.deepEqual(outcomes, [0, 1, refused, 3, 4, ['result', 'result.bad'], 6, 7, refused, refused, 10])
})

// ---- Memory ---------------------------------------------------------------------------------------------------------

/** Sizes around those at which a payload travels in another way. */
const sizes = [1, 100, 440, 460, 16_000, 17_000, 65_000, 66_000, 1_000_000, 3_000_000]

const filled = (size: number, byte: number): Uint8Array => new Uint8Array(size).fill(byte)

test('what happens to an argument after submit() changes nothing, wherever its call waits', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const sum = (bytes: Uint8Array, list?: { n: number }[]): number[] => [
    bytes.length,
    bytes.every((byte) => byte === 1) ? 1 : 0,
    list?.[0]?.n ?? -1,
  ]
  const gate = new Gate(t)
  for (const busy of [false, true]) {
    const held = busy ? pool.submit(tasks.hold, gate.path, 0) : undefined
    if (held) await claimed(held)
    const futures = sizes.flatMap((size) => {
      const [alone, among] = [filled(size, 1), filled(size, 1)]
      const list = [{ n: 7 }]
      const both = [pool.submit(sum, alone), pool.submit(sum, among, list)]
      alone.fill(2)
      among.fill(2)
      list[0]!.n = 8
      return both
    })
    if (held) gate.open()
    t.deepEqual(
      await Promise.all(futures),
      sizes.flatMap((size) => [
        [size, 1, -1],
        [size, 1, 7],
      ]),
    )
  }
})

test('results share no memory with one another, nor with results that come later', async (t) => {
  const pool = makePool(t)
  const make = (size: number, byte: number): unknown => {
    const bytes = new Uint8Array(size).fill(byte)
    return byte % 2 === 0 ? bytes : { bytes, again: bytes }
  }
  const bytesOf = (result: unknown): Uint8Array =>
    result instanceof Uint8Array ? result : (result as { bytes: Uint8Array }).bytes
  const results = await Promise.all(sizes.flatMap((size) => [1, 2, 3, 4].map((byte) => pool.submit(make, size, byte))))
  bytesOf(results[0]).fill(99)
  bytesOf(results[1]).fill(99)
  for (let round = 0; round < 3; round++)
    await Promise.all(sizes.map((size) => pool.submit(make, size, 77 + (round % 2))))
  t.true(results.every((result, index) => bytesOf(result).every((byte) => byte === (index < 2 ? 99 : (index % 4) + 1))))
  t.is(new Set(results.map((result) => bytesOf(result).buffer)).size, results.length)
})

test('a worker may keep and change its arguments: later calls see nothing of that', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const keep = (bytes: Uint8Array): void => {
    const kept = ((globalThis as { kept?: Uint8Array[] }).kept ??= [])
    kept.push(bytes)
  }
  const check = (scribble: boolean): boolean => {
    const { kept = [] } = globalThis as { kept?: Uint8Array[] }
    const intact = kept.every((bytes, index) => bytes.every((byte) => byte === (index % 200) + 1))
    if (scribble) kept.forEach((bytes) => bytes.fill(255))
    return intact
  }
  await Promise.all(sizes.map((size, index) => pool.submit(keep, filled(size, index + 1))))
  await Promise.all(sizes.map((size) => pool.submit(tasks.identity, filled(size, 250))))
  t.true(await pool.submit(check, true))
  const arrived = await Promise.all(sizes.map((size) => pool.submit(tasks.identity, filled(size, 9))))
  t.true(arrived.every((bytes, index) => bytes.length === sizes[index] && bytes.every((byte) => byte === 9)))
})

test('a result is what it was when it was returned, whatever its worker does to it then', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const later = (size: number): unknown => {
    const bytes = new Uint8Array(size).fill(1)
    const result = { bytes, n: 1 }
    setImmediate(() => {
      bytes.fill(2)
      result.n = 2
    })
    return size % 200 === 0 ? bytes : result
  }
  const results = await Promise.all(sizes.map((size) => pool.submit(later, size)))
  for (const result of results) {
    const bytes = result instanceof Uint8Array ? result : (result as { bytes: Uint8Array; n: number }).bytes
    t.true(bytes.every((byte) => byte === 1))
    if (bytes !== result) t.is((result as { n: number }).n, 1)
  }
})

test('an argument whose getter submits a call of its own arrives intact, and so does that call', async (t) => {
  const pool: ProcessPoolExecutor = makePool(t, { maxWorkers: 1 })
  const inner: unknown[] = []
  const value = {
    before: 'x'.repeat(1000),
    get nested() {
      inner.push(pool.submit(tasks.identity, { inner: 'y'.repeat(2000) }))
      return 'nested'
    },
    after: filled(70_000, 3),
  }
  const arrived = await pool.submit(tasks.identity, value)
  t.is(difference(arrived, { before: 'x'.repeat(1000), nested: 'nested', after: filled(70_000, 3) }), undefined)
  t.true(inner.length > 0)
  for (const one of await Promise.all(inner)) t.deepEqual(one, { inner: 'y'.repeat(2000) })
})
