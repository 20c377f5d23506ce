// The encoder for plain data against V8: an encoded value arrives as V8 would have it, and a refused value is
// unchanged, without any of its code having run.

import test from 'ava'
import fc from 'fast-check'
import { execFileSync } from 'node:child_process'
import * as path from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import vm from 'node:vm'
import { PLAIN, V8 } from '../src/codec/ids.js'
import { decodeResult, encodeResult, Outbox } from '../src/codec/index.js'
import { encodePlain } from '../src/codec/plain-encode.js'
import { deserialize, serialize } from '../src/codec/v8.js'
import { writers } from '../src/codec/written-shapes.js'
import { difference, encodedArguments, encodedResult, RUNS, sendArguments, sendResult } from './helpers/codec.js'
import { argumentsOf, build, oddPlans, plainPlans } from './helpers/codec-plain-values.js'

const PLAIN_RUNS = Number(process.env.MILLRACE_CODEC_RUNS ?? 10 * RUNS)

// No shape has code of its own here: `codec-compiled.spec.ts` is about those.
test.before(() => writers.setPatience(Infinity))

const out = new Outbox()
const isPlain = (value: unknown): boolean => encodePlain(value, out)
const byV8 = (value: unknown): unknown => deserialize(serialize(value).payload, false)

test('plain data is written, and arrives as V8 would have it', (t) => {
  fc.assert(
    fc.property(plainPlans, fc.boolean(), (plans, owned) => {
      const value = build(plans, () => t.fail('there is no code in it'))
      // Large bigints are left to V8.
      if (typeof value === 'object' && isPlain(value)) t.is(out.codec, PLAIN)
      const expected = byV8(value)
      const arrived = sendResult(value, owned)
      t.is(difference(arrived, expected), undefined)
      t.true(isDeepStrictEqual(arrived, expected))
      t.is(difference(sendArguments([value, { value }]), byV8([value, { value }])), undefined)
    }),
    { numRuns: PLAIN_RUNS },
  )
})

test('whatever a value is, V8 has the same result, and its code runs in the same order', (t) => {
  let plain = 0
  fc.assert(
    fc.property(oddPlans, (plans) => {
      const notes: string[][] = [[], []]
      const [ours, theirs] = notes.map((list) => build(plans, (what) => list.push(what)))
      if (isPlain(ours)) plain++
      t.deepEqual(notes[0], [], 'the encoder for plain data runs no code')
      let expected: unknown
      let fails = false
      try {
        expected = byV8(theirs)
      } catch {
        fails = true
      }
      if (fails) {
        t.throws(() => sendResult(ours), { code: 'ERR_MILLRACE_SERIALIZATION' })
        return
      }
      t.is(difference(sendResult(ours), expected), undefined)
      // After the encoder, the search for objects that V8 has emptied reads properties, too.
      t.deepEqual(notes[0].slice(0, notes[1].length), notes[1])
    }),
    { numRuns: PLAIN_RUNS },
  )
  t.true(plain > 0)
})

const shared = { a: 1 }
const cycle: any = { list: [] }
cycle.self = cycle
cycle.list.push(cycle, cycle.list)

const plain: Record<string, unknown> = {
  'an empty object': {},
  'an empty array': [],
  'a record': { id: 1, name: 'n', at: new Date(5), tags: ['a', 'b'], nested: { x: -0, y: NaN, z: null, u: undefined } },
  'an object without prototype': Object.assign(Object.create(null), { x: 1 }),
  'an own __proto__ key': JSON.parse('{"a": 1, "__proto__": {"polluted": 1}, "b": 2}'),
  'keys of Object.prototype': { constructor: 1, toString: 2, hasOwnProperty: 3, valueOf: { a: 1 } },
  'integer keys': { b: 1, 10: 2, a: 3, 2: 4, 4294967295: 5, '-1': 6, '01': 7 },
  'keys of every kind': { '': 1, ключ: 2, '\ud800': 3, 'a b': 4, [`${'k'.repeat(300)}`]: 5 },
  'symbol keys and hidden properties left out': Object.defineProperty({ [Symbol.iterator]: 1, a: 1 }, 'h', {
    get() {},
  }),
  'frozen and sealed': Object.freeze([Object.seal({ a: Object.freeze([1]) }), Object.preventExtensions({ b: 1 })]),
  'references to one object': [shared, shared, { shared }],
  'a cycle': cycle,
  'one Date and one Buffer twice': ((date, bytes) => [date, bytes, date, bytes])(new Date(NaN), Buffer.from('x')),
  'small Buffers': { digest: Buffer.from('digest'), empty: Buffer.alloc(0), large: Buffer.alloc(16 * 1024, 1) },
  'bigints of 64 bits': [2n ** 63n - 1n, -(2n ** 63n), 0n],
  'toJSON and valueOf that are data': { toJSON: 1, valueOf: null, then: 'x' },
  '150 levels': Array.from({ length: 150 }).reduce((inner: unknown) => ({ inner: [inner] }).inner, 1),
  'records of a few shapes': Array.from({ length: 500 }, (_, i) => (i % 3 === 0 ? { i } : { i, even: i % 2 === 0 })),
  'the same keys in another order': [
    { a: 1, b: 2 },
    { b: 1, a: 2 },
    { a: 3, b: 4 },
  ],
  'more shapes than tags': Array.from({ length: 900 }, (_, i) => ({ [`key ${i % 450}`]: i, x: 1 })),
  'many references among many objects': ((rows) => [rows, rows.toReversed()])(
    Array.from({ length: 300 }, (_, i) => ({ i })),
  ),
  'more than the outbox holds': Array.from({ length: 3000 }, (_, i) => ({ i, text: `text number ${i}`, wide: 'ж' })),
  'a long text': { text: 'x'.repeat(300_000), wide: 'ж'.repeat(100_000) },
}

for (const [name, value] of Object.entries(plain)) {
  test(`plain: ${name}`, (t) => {
    t.true(isPlain(value))
    const clone = byV8(value)
    t.is(difference(sendResult(value), clone), undefined)
    t.is(difference(sendResult(value, true), clone), undefined)
    t.is(difference(sendArguments([0, value]), byV8([0, value])), undefined)
    t.is(encodedResult(value).codec, PLAIN)
    t.is(encodedArguments([{}, value]).codec, PLAIN)
  })
}

const hasTag = { [Symbol.toStringTag]: 'x', a: 1 }
const proxied = new Proxy({ a: 1 }, {})
const revoked = Proxy.revocable([], {})
revoked.revoke()
const cleared = (object: object): object => Object.setPrototypeOf(object, Object.prototype)
const withHidden = Object.defineProperty([1, 2], 1, { value: 2, enumerable: false })
let levels: unknown = 1
for (let i = 0; i < 201; i++) levels = [levels]

const notPlain: Record<string, unknown> = {
  'a bigint of more bits': 2n ** 63n,
  'a function': () => 1,
  'a symbol': Symbol('s'),
  'a getter': {
    get a() {
      return 1
    },
  },
  'a setter': { set a(_: unknown) {} },
  'a getter as element': Object.defineProperty([], 0, { get: () => 1, enumerable: true }),
  'a proxy': proxied,
  'a revoked proxy': revoked.proxy,
  holes: [1, , 3],
  'trailing holes': new Array(3),
  'an array with further properties': Object.assign([1], { x: 1 }),
  'a hole and a further property': Object.assign([1, , 3], { x: 1 }),
  'a hidden element': withHidden,
  'a subclass of Array': new (class extends Array {})(),
  'an array without prototype': Object.setPrototypeOf([1], null),
  'a class instance': new (class {})(),
  'an object that inherits': Object.create({ a: 1 }),
  'an arguments object': argumentsOf(1),
  'an arguments object with a property': Object.assign(argumentsOf(), { x: 1 }),
  'a namespace': Math,
  'a module': path,
  'a tag on an object without prototype': Object.assign(Object.create(null), hasTag),
  'a Map without its prototype': cleared(new Map([[1, 2]])),
  'a Set without its prototype': cleared(new Set([1])),
  'a Date without its prototype': cleared(new Date(5)),
  'an Error without its prototype': cleared(new Error('m')),
  'boxed primitives without their prototype': [cleared(Object(7)), cleared(Object('text'))],
  'bytes without their prototype': cleared(new Uint8Array(3)),
  'no Date': Object.create(Date.prototype),
  'no Buffer': Object.create(Buffer.prototype, { x: { value: 1, enumerable: true } }),
  'a large Buffer': Buffer.alloc(16 * 1024 + 1),
  'a Buffer of shared memory': Buffer.from(new SharedArrayBuffer(8)),
  'a typed array': new Uint8Array(3),
  'a Map': new Map(),
  'a RegExp': /a/,
  'an error': new Error('m'),
  'a boxed primitive': Object('text'),
  'the environment': process.env,
  'an object of another realm': vm.runInNewContext('({ a: 1 })'),
  'an array of another realm': vm.runInNewContext('[1]'),
  '201 levels': levels,
  'a dictionary': Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`key ${i}`, i])),
  'a long array of scalars': new Array(65).fill(1),
}

for (const [name, value] of Object.entries(notPlain)) {
  test(`not plain: ${name}`, (t) => {
    t.false(isPlain({ before: [{}, 'x'], value }))
    t.false(isPlain([value]))
    let expected: unknown
    try {
      expected = byV8({ value })
    } catch {
      t.throws(() => sendResult({ value }), { code: 'ERR_MILLRACE_SERIALIZATION' })
      return
    }
    if (name === 'a namespace' || name === 'a module') return
    t.is(difference(sendResult({ value }), expected), undefined)
    t.is(encodedResult({ value }).codec, V8)
  })
}

test('giving up leaves nothing behind', (t) => {
  const rows = Array.from({ length: 40 }, (_, i) => ({ first: i, second: { third: i } }))
  for (const bad of [() => 1, new Map(), proxied]) {
    t.false(isPlain([...rows, bad]))
    t.is(difference(sendResult(rows), rows), undefined)
  }
})

test('rows that arrive share their texts and nothing else', (t) => {
  const arrived = sendResult(
    Array.from({ length: 20 }, () => ({ list: [1], at: new Date(1), bytes: Buffer.from('x') })),
  )
  for (const key of ['list', 'at', 'bytes'] as const) t.is(new Set(arrived.map((row) => row[key])).size, 20)
  t.is(new Set(arrived.map(({ bytes }) => bytes.buffer)).size, 20)
})

test('payloads beyond the outbox share memory: each is read before the next', (t) => {
  const first = Array.from({ length: 50_000 }, (_, i) => ({ first: i }))
  const second = Array.from({ length: 40_000 }, (_, i) => ({ second: -i }))
  encodeResult(first, out)
  t.is(out.length, 0)
  const bytes = out.copy()
  encodeResult(second, out)
  t.is(difference(decodeResult(PLAIN, bytes), first), undefined)
  t.is(difference(decodeResult(PLAIN, out.copy()), second), undefined)
  encodeResult({ a: 1 }, out)
  t.is(out.tail, undefined)
})

test('sizes around the end of the outbox and of what it grows to', (t) => {
  for (const size of [65_536, 262_144, 524_288]) {
    for (let less = 0; less < 40; less++) {
      for (const value of [
        { a: 'x'.repeat(size - less) },
        [{ a: 'x'.repeat(size - 20 - less) }, 1.5, {}, new Date(0)],
      ]) {
        const { codec, bytes } = encodedResult(value)
        t.is(codec, PLAIN)
        t.is(difference(decodeResult(codec, bytes), value), undefined)
      }
    }
  }
})

const everybodys: any = Object.prototype

test.serial('what others add to Object.prototype changes nothing', (t) => {
  const value = [{ plus: 1, minus: 2 }, { plus: { minus: 3 } }, { value: undefined, get: 1 }]
  const accessor = {
    get plus() {
      return t.fail('a getter was run')
    },
  }
  const { codec, bytes } = encodedResult(value)
  t.is(codec, PLAIN)
  const additions: Record<string, PropertyDescriptor> = {
    'a setter': { set: () => t.fail('a setter was run') },
    'what is read-only': { value: 'inherited', writable: false },
  }
  const add = (key: PropertyKey, attributes: PropertyDescriptor): void => {
    Object.defineProperty(everybodys, key, { configurable: true, ...attributes })
  }
  for (const [name, attributes] of Object.entries(additions)) {
    add('plus', attributes)
    try {
      t.is(difference(decodeResult(codec, bytes), value), undefined, name)
    } finally {
      delete everybodys.plus
    }
  }
  add('value', { value: 'inherited', writable: true })
  try {
    t.false(isPlain(accessor))
    t.is(difference(decodeResult(codec, bytes), value), undefined)
  } finally {
    delete everybodys.value
  }
  add(Symbol.toStringTag, { get: () => t.fail('a getter was run') })
  try {
    t.true(isPlain({ a: 1 }))
    t.false(isPlain({}))
  } finally {
    delete everybodys[Symbol.toStringTag]
  }
})

test('a stack that is nearly used up makes it give up, or succeed', (t) => {
  const value = Array.from({ length: 100 }).reduce((inner: unknown) => [inner], 1)
  let outcomes = 0
  const descend = (): void => {
    try {
      descend()
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
    }
    if (outcomes++ < 300 && isPlain(value)) outcomes = 300
  }
  descend()
  t.true(isPlain(value))
  t.is(difference(sendResult(value), value), undefined)
})

/** The JSON that the source prints, in a process of its own. */
function printed(source: string, flags: string[], env: Record<string, string> = {}): unknown {
  const args = [...flags, '--import=@oxc-node/core/register', '--input-type=module', '--eval', source]
  return JSON.parse(execFileSync(process.execPath, args, { env: { ...process.env, ...env }, encoding: 'utf8' }))
}

test('arrays stay in the form in which V8 has them', (t) => {
  const source = `
    import { encodeResult, Outbox } from './src/codec/index.ts'
    const out = new Outbox()
    const arrays = [[], [], []]
    for (let i = 0; i < 20; i++) arrays.forEach((array, kind) => array.push([i, i + 0.5, {}][kind]))
    arrays.push(new Array(20))
    for (let i = 0; i < 20; i++) arrays[3][i] = 'text'
    const has = ['Smi', 'Double', 'Holey'].map((kind) => new Function('array', 'return %Has' + kind + 'Elements(array)'))
    const forms = () => arrays.map((array) => has.map((is) => Number(is(array))).join(''))
    const before = forms()
    for (let i = 0; i < 20_000; i++) {
      for (const array of arrays) {
        encodeResult(array, out)
        encodeResult({ array }, out)
      }
    }
    process.stdout.write(JSON.stringify([before, forms()]))`
  const [before, after] = printed(source, ['--allow-natives-syntax']) as string[][]
  t.deepEqual(before.slice(0, 3), ['100', '010', '000'])
  t.deepEqual(after, before)
})

test('MILLRACE_PLAIN_CODEC=off turns encoding off, and decoding stays', (t) => {
  const source = `
    import { decodeResult, encodeResult, Outbox } from './src/codec/index.ts'
    const out = new Outbox()
    encodeResult({ a: 1 }, out)
    const { a } = decodeResult(${PLAIN}, Uint8Array.of(${encodedResult({ a: 7 }).bytes.join()}))
    process.stdout.write(JSON.stringify([out.codec, a]))`
  t.deepEqual(printed(source, [], { MILLRACE_PLAIN_CODEC: 'off' }), [V8, 7])
  t.deepEqual(printed(source, [], { MILLRACE_PLAIN_CODEC: '' }), [PLAIN, 7])
})
