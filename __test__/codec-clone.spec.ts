// Values that arrive as structured clones: each kind of value through the codec and back.

import test from 'ava'
import fc from 'fast-check'
import vm from 'node:vm'
import { BYTES, PLAIN, RAW, SCALARS, V8 } from '../src/codec/ids.js'
import { difference, encodedArguments, encodedResult, RUNS, sendArguments, sendResult } from './helpers/codec.js'
import { graph, memory, scalar, smallScalar, viewOf } from './helpers/codec-values.js'

test('the comparison that these tests rest on notices every difference', (t) => {
  const one = { a: 1 }
  const bytes = new ArrayBuffer(8)
  const pairs: [unknown, unknown][] = [
    [0, -0],
    [1, '1'],
    [
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ],
    [{ a: undefined }, {}],
    [
      [, 1],
      [undefined, 1],
    ],
    [[1], [1, ,]],
    [Object.assign([1], { x: 1 }), [1]],
    [
      [one, one],
      [{ a: 1 }, { a: 1 }],
    ],
    [
      [{ a: 1 }, { a: 1 }],
      [one, one],
    ],
    [
      new Map([
        [1, 1],
        [2, 2],
      ]),
      new Map([
        [2, 2],
        [1, 1],
      ]),
    ],
    [new Set([1, 2]), new Set([2, 1])],
    [new Date(1), new Date(2)],
    [/a/g, /a/i],
    [Object(0), Object(-0)],
    [new Uint8Array(8), Buffer.alloc(8)],
    [new Uint8Array(bytes, 0, 4), new Uint8Array(4)],
    [
      [new Uint8Array(bytes), bytes],
      [new Uint8Array(bytes), new ArrayBuffer(8)],
    ],
    [new Uint8Array([1]), new Uint8Array([2])],
    [new Error('a'), new Error('a', { cause: 1 })],
    [Object.create(null), {}],
  ]
  for (const [a, b] of pairs) t.not(difference(a, b), undefined)
  t.is(difference([one, one, new Uint8Array(bytes), bytes], [one, one, new Uint8Array(bytes), bytes]), undefined)
})

test('scalars arrive bit for bit, alone and in sequences', (t) => {
  fc.assert(
    fc.property(fc.array(scalar, { maxLength: 8 }), (values) => {
      t.is(difference(sendArguments(values), values), undefined)
      for (const value of values) t.is(difference(sendResult(value), value), undefined)
    }),
    { numRuns: RUNS },
  )
})

test('graphs arrive as their structured clones: identity, cycles, holes, order of keys, shared memory', (t) => {
  fc.assert(
    fc.property(graph, fc.array(scalar, { maxLength: 2 }), (value, more) => {
      // The value comes twice: so no argument is raw bytes alone, and references between arguments count.
      const args = [value, ...more, { value }]
      t.is(difference(sendArguments(args), structuredClone(args)), undefined)
      const wrapped = { value }
      t.is(difference(sendResult(wrapped, true), structuredClone(wrapped)), undefined)
    }),
    { numRuns: RUNS },
  )
})

test('a view that travels alone or among scalars arrives as a view of just its range', (t) => {
  const view = fc
    .tuple(memory, fc.nat(100), fc.nat(100), fc.nat(100))
    .map(([buffer, which, from, to]) => viewOf(buffer, which, from, to, false))
    .filter((view) => !(view.buffer as ArrayBuffer & { resizable: boolean }).resizable)
  fc.assert(
    fc.property(view, fc.array(smallScalar, { maxLength: 3 }), fc.boolean(), (view, scalars, owned) => {
      const range = new (view.constructor as any)(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength))
      t.is(difference(sendResult(view, owned), range), undefined)
      for (const args of [[view], [view, ...scalars], [...scalars, view]]) {
        const expected = args.map((arg) => (arg === view ? range : arg))
        t.is(difference(sendArguments(args, owned), expected), undefined)
      }
    }),
    { numRuns: RUNS },
  )
})

test('the codec is decided per payload', (t) => {
  const codecOf = (...args: unknown[]) => encodedArguments(args).codec
  t.is(codecOf(), SCALARS)
  t.is(codecOf(1, 'a', null, undefined, 2n, -0.5, true), SCALARS)
  t.is(codecOf('x'.repeat(60_000)), SCALARS)
  t.is(codecOf('x'.repeat(70_000)), PLAIN)
  t.is(codecOf('ж'.repeat(40_000)), PLAIN)
  t.is(codecOf(2n ** 64n), V8)
  t.is(codecOf(Buffer.alloc(3)), RAW)
  t.is(codecOf(Buffer.alloc(3), 1), BYTES)
  t.is(codecOf(Buffer.alloc(3), Buffer.alloc(3)), PLAIN)
  t.is(codecOf(Buffer.alloc(3), new Uint8Array(3)), V8)
  t.is(codecOf([1]), PLAIN)
  t.is(codecOf({ a: 1 }, 'x', new Date()), PLAIN)
  t.is(codecOf({ a: 1 }, new Map()), V8)
  t.is(encodedResult(new Float64Array(2)).codec > RAW, true)
  t.is(encodedResult({}).codec, PLAIN)
  t.is(encodedResult(new Map()).codec, V8)
})

test('sequences that fill the staging memory to the last byte, and beyond', (t) => {
  for (let length = 65_480; length <= 65_560; length++) {
    for (const args of [
      ['x'.repeat(length)],
      ['x'.repeat(length - 12), 'short'],
      ['x'.repeat(length - 5), 1.5, true],
    ]) {
      t.is(difference(sendArguments(args), args), undefined)
    }
    const wide = ['ж'.repeat(length >> 1), new Uint8Array(1)]
    t.is(difference(sendArguments(wide), wide), undefined)
  }
  const many = Array.from({ length: 8000 }, (_, i) => i / 7)
  t.is(difference(sendArguments(many), many), undefined)
})

const shared = { a: 1 }
const cycle: Record<string, unknown> = { list: [] }
cycle.self = cycle
;(cycle.list as unknown[]).push(cycle)
const withProto = JSON.parse('{"__proto__": {"polluted": 1}, "b": 2}')
const extras = Object.assign([1, , 3], { extra: 'x', '-1': 2 })

const kinds: Record<string, unknown> = {
  'an empty object': {},
  'an object without prototype': Object.assign(Object.create(null), { x: 1 }),
  'integer keys before others': { b: 1, 10: 2, a: 3, 2: 4 },
  'undefined as a value': { a: undefined, b: [undefined] },
  'symbol keys and hidden properties left out': Object.defineProperty({ [Symbol.iterator]: 1, a: 1 }, 'h', {
    value: 1,
  }),
  'an own __proto__ key': withProto,
  'an array with holes and further properties': extras,
  'a sparse array': Object.assign(new Array(1e6), { 5: 'five', 999_999: 'last' }),
  'an array of doubles': [1.5, -0, NaN, Infinity],
  'an array with trailing holes': new Array(5),
  'a Map in its order': new Map<unknown, unknown>([
    [NaN, 1],
    [{}, shared],
    ['k', shared],
    [1n, -0],
  ]),
  'a Set in its order': new Set([3, 'a', shared, undefined, null]),
  'a Date': new Date(8.64e15),
  'an invalid Date': new Date(NaN),
  'a RegExp': /(?<name>a+)\/[^\]]/dgimsuy,
  'boxed primitives': [Object(1), Object(-0), Object('text'), Object(false), Object(12n)],
  'a BigInt of 2,000 bits': { value: -(2n ** 2000n) + 1n },
  'lone surrogates': ['\ud800', 'a\udfff', { '\udabc': 1 }],
  'an error with a cause': new RangeError('m', { cause: { why: new Error('inner') } }),
  'a class instance': new (class Point {
    x = 1
    get y() {
      return 2
    }
  })(),
  'a class instance with hidden state': new (class Secret {
    #state = 1
    peek() {
      return this.#state
    }
  })(),
  'an instance of a subclass of Map': new (class extends Map<number, number> {})([[1, 2]]),
  'an own getter, read': {
    get a() {
      return shared
    },
    b: shared,
  },
  'shared references': [shared, shared, { shared }],
  'a cycle': cycle,
  'an ArrayBuffer': [new Uint8Array([1, 2, 3]).buffer],
  'a view and its ArrayBuffer': ((buffer) => [new Uint16Array(buffer, 2, 1), buffer, buffer])(new ArrayBuffer(8)),
  'an ArrayBuffer and its view': ((buffer) => [buffer, new Uint16Array(buffer, 2, 1)])(new ArrayBuffer(8)),
  'two views over one ArrayBuffer': ((buffer) => [new Float64Array(buffer), new DataView(buffer, 4, 4)])(
    new ArrayBuffer(8),
  ),
  'views of nothing': [new Uint8Array(), new Float64Array(new ArrayBuffer(8), 8), new DataView(new ArrayBuffer(0))],
  'the environment': [process.env],
}

for (const [name, value] of Object.entries(kinds)) {
  test(`what arrives is the structured clone: ${name}`, (t) => {
    t.is(difference(sendResult(value), structuredClone(value)), undefined)
    t.is(difference(sendArguments([1, value]), structuredClone([1, value])), undefined)
  })
}

test('two arguments that are one object arrive as one object', (t) => {
  const [a, b] = sendArguments([shared, { shared }]) as [object, { shared: object }]
  t.is(b.shared, a)
})

test('views over resizable memory keep growing with it', (t) => {
  const Resizable = ArrayBuffer as any
  for (const [size, limit] of [
    [8, 16],
    [8, 8],
    [0, 8],
    [0, 0],
  ]) {
    const buffer = new Resizable(size, { maxByteLength: limit })
    const views = [
      new Uint8Array(buffer),
      new DataView(buffer),
      new Int8Array(buffer, 0, size),
      new DataView(buffer, 0, size),
    ]
    const arrived = sendResult({ views, buffer }) as { views: Uint8Array[]; buffer: any }
    t.is(difference(arrived, structuredClone({ views, buffer })), undefined)
    arrived.buffer.resize(limit)
    t.deepEqual(
      arrived.views.map((view) => view.byteLength),
      [limit, limit, size, size],
    )
    if (size === 0) continue
    // With no room to grow, shrinking shows whether the view tracks the length.
    arrived.buffer.resize(1)
    t.is(arrived.views[0].byteLength, 1)
    t.is(arrived.views[2].byteLength, 0)
  }
  const alone = sendResult(new Uint8Array(new Resizable(4, { maxByteLength: 9 })))
  t.is((alone.buffer as any).maxByteLength, 9)
})

test('a view keeps growing with memory that was resized to the middle of an element', (t) => {
  const buffer = new (ArrayBuffer as any)(8, { maxByteLength: 16 })
  const view = new Int32Array(buffer)
  buffer.resize(11)
  new Uint8Array(buffer).fill(7)
  const arrived = sendResult({ view })
  t.is(difference(arrived, structuredClone({ view })), undefined)
  ;(arrived.view.buffer as any).resize(16)
  t.is(arrived.view.length, 4)
})

test('Buffers arrive as Buffers with just their range, wherever they are', (t) => {
  const pooled = Buffer.from('hello')
  t.true(pooled.buffer.byteLength > 5)
  for (const owned of [false, true]) {
    const [alone] = sendArguments([pooled], owned)
    const [among] = sendArguments([pooled, 1], owned)
    const inside = sendResult({ deep: [pooled, Buffer.alloc(0)] }, owned)
    for (const buffer of [alone, among, inside.deep[0]] as Buffer[]) {
      t.true(Buffer.isBuffer(buffer))
      t.is(buffer.toString(), 'hello')
    }
    t.is(inside.deep[1].length, 0)
    t.true(Buffer.isBuffer(inside.deep[1]))
  }
})

test('many Buffers and views together, more than the staging memory holds', (t) => {
  const value = Array.from({ length: 3000 }, (_, i) => ({
    i,
    bytes: Buffer.alloc(i % 50, i),
    view: new Uint16Array(i % 20).fill(i),
  }))
  const arrived = sendResult(value)
  t.deepEqual(arrived, value)
  t.true(Buffer.isBuffer(arrived[7].bytes))
})

test('raw bytes that are owned are not copied; what is not owned is', (t) => {
  const { codec, bytes } = encodedResult(new Float64Array([1, 2]))
  t.is(codec >= RAW, true)
  const outcome = sendResult(new Float64Array([1, 2]), true)
  t.deepEqual(outcome, new Float64Array([1, 2]))
  t.is(outcome.buffer.byteLength, bytes.byteLength)
  const big = sendResult(new ArrayBuffer(1 << 20), true)
  t.is(big.byteLength, 1 << 20)
})

test('the content of raw bytes is the tail itself, whatever its size', async (t) => {
  const { encodeResult, Outbox } = await import('../src/codec/index.js')
  const out = new Outbox()
  const buffer = Buffer.alloc(100_000)
  encodeResult(buffer, out)
  t.is(out.tail, buffer)
  t.is(out.length, 0)
  encodeResult(7, out)
  t.is(out.tail, undefined)
})

test('values of another realm are what they are', (t) => {
  const foreign = vm.runInNewContext(`({ bytes: new Uint8Array([1, 2]), list: [1, , 2], map: new Map([[1, { a: 1 }]]),
    at: new Date(5), error: new TypeError('m'), buffer: new ArrayBuffer(2) })`)
  t.is(difference(sendResult(foreign), structuredClone(foreign)), undefined)
  t.deepEqual(sendResult(foreign.bytes), new Uint8Array([1, 2]))
  t.deepEqual(sendArguments([foreign.buffer, 1]), [new ArrayBuffer(2), 1])
})

test('a view that lies about itself is read by what it is', (t) => {
  class Liar extends Uint8Array {
    override get byteLength() {
      return 1e9
    }
    override get buffer(): ArrayBuffer {
      throw new Error('never asked')
    }
  }
  const liar = new Liar([1, 2, 3])
  t.deepEqual(sendResult(liar), new Uint8Array([1, 2, 3]) as Liar)
  t.deepEqual(sendArguments([liar, liar]), [new Uint8Array([1, 2, 3]), new Uint8Array([1, 2, 3])])
})

test('records of the platform travel as plain fields, with or without an empty object beside them', async (t) => {
  const { statSync } = await import('node:fs')
  const stats = statSync('.')
  const clone = structuredClone({ stats })
  t.is(difference(sendResult({ stats }), clone), undefined)
  t.is(difference(sendResult({ stats, empty: {} }), { ...clone, empty: {} }), undefined)
})

test('a getter that encodes another payload does not disturb this one', (t) => {
  const value = {
    before: 'x',
    get nested() {
      return sendResult({ inner: [1, 2, { three: 3 }] })
    },
  }
  t.deepEqual(sendResult(value), { before: 'x', nested: { inner: [1, 2, { three: 3 }] } } as any)
})
