// Damaged payloads: the decoders return a value or throw a SerializationError, and do nothing else.

import test from 'ava'
import fc from 'fast-check'
import { LIST, NODE, VALUE } from '../src/codec/error-describe.js'
import { BYTES, ERROR, PLAIN, RAW, SCALARS, V8 } from '../src/codec/ids.js'
import { decodeArguments, decodeError, decodeResult } from '../src/codec/index.js'
import { readOutcomes } from '../src/codec/journal.js'
import { readers } from '../src/codec/read-shapes.js'
import { serialize } from '../src/codec/v8.js'
import { BUFFER } from '../src/codec/views.js'
import { SerializationError, TaskExitError } from '../src/errors/index.js'
import { encodedArguments, encodedError, encodedResult, RUNS } from './helpers/codec.js'
import { build, plainPlans } from './helpers/codec-plain-values.js'
import { graph, scalar } from './helpers/codec-values.js'

const codecs = [SCALARS, BYTES, PLAIN, V8, ERROR, RAW, RAW + 1, RAW + 2, RAW + 7, RAW + 13, RAW + 14, 0, 200, 255]

/** Checks that every decoder returns a value, or throws a SerializationError without a path. */
function decodeAll(codec: number, bytes: Uint8Array): void {
  const decoders = [
    () => decodeArguments(codec, bytes),
    () => decodeArguments(codec, bytes, true),
    () => decodeResult(codec, bytes, false),
    () => decodeResult(codec, bytes, true),
    () => decodeError(codec, bytes, { pid: 1 }),
  ]
  for (const [i, decode] of decoders.entries()) {
    try {
      const value = decode()
      if (i < 2 && !Array.isArray(value)) throw new Error('arguments are an array')
    } catch (error) {
      if (!(error instanceof SerializationError)) throw error
      if (error.path !== undefined || !Object.hasOwn(error, 'cause')) throw error
      if (error.stage !== (i < 2 ? 'arguments' : 'result')) throw error
    }
  }
}

// Shapes have code when they come for the second time.
test.before(() => readers.setPatience(0))

const mutation = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }) }),
  fc.record({ kind: fc.constant('flip' as const), at: fc.nat(), byte: fc.nat(7) }),
  fc.record({ kind: fc.constant('cut' as const), at: fc.nat(), byte: fc.nat(8) }),
  fc.record({ kind: fc.constant('repeat' as const), at: fc.nat(), byte: fc.nat(40) }),
)

function mutate(bytes: Uint8Array, mutations: { kind: string; at: number; byte: number }[]): Uint8Array {
  for (const { kind, at, byte } of mutations) {
    const position = bytes.length === 0 ? 0 : at % bytes.length
    if (kind === 'cut') bytes = bytes.slice(0, position)
    else if (kind === 'repeat') bytes = Uint8Array.from([...bytes, ...bytes.subarray(position, position + byte)])
    else if (bytes.length > 0) bytes[position] = kind === 'set' ? byte : bytes[position] ^ (1 << byte)
  }
  return bytes
}

const thrown = fc.tuple(fc.string(), scalar, graph).map(([message, code, data]) => {
  return Object.assign(new AggregateError([new TypeError(message)], message, { cause: new Error('why') }), {
    code,
    data,
  })
})

test('damaged payloads decode to a value or a SerializationError', (t) => {
  const payload = fc.oneof(
    fc.array(scalar, { maxLength: 4 }).map((values) => encodedArguments(values)),
    fc.tuple(fc.uint8Array(), scalar).map((values) => encodedArguments(values)),
    graph.map((value) => encodedArguments([value, 1])),
    graph.map((value) => encodedResult({ value })),
    thrown.map((error) => encodedError(error)),
    plainPlans.map((plans) => encodedArguments([build(plans, () => {})])),
    plainPlans.map((plans) => encodedResult({ value: build(plans, () => {}) })),
  )
  fc.assert(
    fc.property(payload, fc.array(mutation, { minLength: 1, maxLength: 4 }), ({ codec, bytes }, mutations) => {
      decodeAll(codec, mutate(bytes, mutations))
    }),
    { numRuns: 5 * RUNS },
  )
  t.pass()
})

test('arbitrary bytes under any codec decode to a value or a SerializationError', (t) => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 60 }),
      fc.constantFrom(...codecs),
      fc.boolean(),
      (bytes, codec, withHeader) => {
        decodeAll(codec, withHeader ? Uint8Array.from([0xff, 0x0f, ...bytes, 0]) : bytes)
      },
    ),
    { numRuns: 5 * RUNS },
  )
  t.pass()
})

const shared = { shared: true }

test('a damaged payload changes nothing for those that come after it', (t) => {
  const value = [{ first: 1, second: { third: 'text', fourth: 'code' } }, shared, shared]
  const { codec, bytes } = encodedResult(value)
  t.is(codec, PLAIN)
  for (let at = 0; at < bytes.length; at++) {
    for (const bit of [1, 2, 16, 128]) {
      const damaged = bytes.slice()
      damaged[at] ^= bit
      decodeAll(codec, damaged)
      t.deepEqual(decodeResult(codec, bytes), value)
    }
  }
})

test('every truncation of a payload is noticed', (t) => {
  const payloads = [
    encodedArguments([1, 2.5, 'text', 'ж', 7n, null]),
    encodedArguments([{ a: [1, 2, { b: 'text' }], bytes: Buffer.from('x'), view: new Float64Array(2) }]),
    encodedArguments([
      [{ a: 1 }, { a: new Date(1) }, {}],
      Buffer.from('x'),
      shared,
      shared,
      { ж: 'text', toString: 1n },
    ]),
  ]
  for (const { codec, bytes } of payloads) {
    for (let length = 0; length < bytes.length; length++) {
      let args: unknown[] = []
      try {
        args = decodeArguments(codec, bytes, false, 0, length)
      } catch (error) {
        t.true(error instanceof SerializationError)
        continue
      }
      // A sequence of scalars that ends early is a shorter sequence. Other code checks the lengths in slots.
      t.is(codec, SCALARS)
      t.true(args.length < 6)
    }
  }
  const { codec, bytes } = encodedError(new Error('m'))
  for (let length = 0; length < bytes.length; length++) {
    t.throws(() => decodeError(codec, bytes.subarray(0, length), { pid: 1 }), { instanceOf: SerializationError })
  }
})

test('lengths beyond the payload allocate nothing', (t) => {
  const before = process.memoryUsage()
  const hostile: [number, number[]][] = [
    // A text and a wide text of 4 GB.
    [SCALARS, [8, 255, 255, 255, 255, 1]],
    [SCALARS, [9, 255, 255, 255, 255, 1]],
    [SCALARS, [7, 200]],
    [SCALARS, [7]],
    // The content starts behind the end.
    [BYTES, [255, 255, 255, 255, 16]],
    [BYTES, [4]],
    // Plain: an array and a Buffer of 4 GB; keys of 65,535 bytes, none, too few, a number, out of order, one key twice,
    // a text of 4 GB as a key.
    [PLAIN, [0, 16, 255, 255, 255, 255, 0]],
    [PLAIN, [0, 21, 255, 255, 255, 255, 0]],
    shaped([64, 1], [0, 0, 0, 0, 255, 255, 255, 255, 7, 1, 97]),
    shaped([64, 1], [0, 0, 0, 0, 0, 0, 0, 0]),
    shaped([64, 1, 1], [0, 0, 0, 0, 3, 0, 2, 0, 7, 1, 97]),
    shaped([64, 1], [0, 0, 0, 0, 1, 0, 1, 0, 1]),
    shaped([64, 1, 1], [0, 0, 0, 0, 6, 0, 2, 0, 7, 1, 97, 7, 1, 49]),
    shaped([64, 1, 1], [0, 0, 0, 0, 6, 0, 2, 0, 7, 1, 97, 7, 1, 97]),
    shaped([64, 1], [0, 0, 0, 0, 6, 0, 1, 0, 8, 255, 255, 255, 255, 97]),
    // The shapes: none, cut off, longer than the payload, and so long that they begin before the payload.
    shaped([64, 1], []),
    [PLAIN, [2]],
    [PLAIN, [2, 64, 1, 0, 0, 0, 0]],
    [PLAIN, [2, 64, 1, 0, 0, 0, 0, 200, 0, 0, 0]],
    [PLAIN, [2, 64, 1, 0, 0, 0, 0, 255, 255, 255, 255]],
    // A shape and an object that do not exist, references without and with their mark, unknown tags and marks, an empty
    // payload, a payload that is too long.
    [PLAIN, [0, 64]],
    shaped([65, 1], shape('a')),
    shaped([19, 7, 0, 0, 0, 1], shape('a')),
    [PLAIN, [0, 22, 0, 0, 0, 0]],
    [PLAIN, [1, 22, 0, 0, 0, 0]],
    [PLAIN, [0, 18]],
    [PLAIN, [0, 40]],
    [PLAIN, [4, 1]],
    [PLAIN, [0]],
    [PLAIN, []],
    [PLAIN, [0, 1, 1]],
    // 2^40 contents; one content of 2^40 bytes, of a negative, of a fractional, of no length.
    [V8, [0xff, 0x0f, 0x30, ...doubles(2 ** 40), 1]],
    [V8, [0xff, 0x0f, 0x30, ...doubles(2 ** 40, 1), 1]],
    [V8, [0xff, 0x0f, 0x30, ...doubles(-1, 1), 1]],
    [V8, [0xff, 0x0f, 0x30, ...doubles(0.5, 1), 1]],
    [V8, [0xff, 0x0f, 0x30, ...doubles(NaN, 1), 1]],
    [V8, [0xff, 0x0f, 0x30, ...doubles(0, NaN), 1]],
    // Dense and sparse arrays, an ArrayBuffer, a string and a big integer of nearly 4 GB.
    ...[0x41, 0x61, 0x42, 0x22, 0x63, 0x5a].map((tag): [number, number[]] => {
      return [V8, [0xff, 0x0f, tag, 255, 255, 255, 255, 15, 0]]
    }),
  ]
  for (const [codec, bytes] of hostile) {
    t.throws(
      () => decodeResult(codec, Uint8Array.from(bytes), false),
      { instanceOf: SerializationError },
      String(bytes),
    )
    decodeAll(codec, Uint8Array.from(bytes))
  }
  t.true(process.memoryUsage().rss - before.rss < 500e6)
})

/** A plain payload whose shapes have these bytes. */
function shaped(value: number[], shapes: number[]): [number, number[]] {
  return [PLAIN, [2, ...value, ...shapes, 0, 0, 0, 0, ...words(shapes.length)]]
}

/** The bytes of a shape; its hash is arbitrary. */
function shape(...keys: string[]): number[] {
  const texts = keys.flatMap((key) => [9, ...words(2 * key.length), ...Buffer.from(key, 'utf16le')])
  return [1, 2, 3, keys.length, ...halves(texts.length, keys.length), ...texts]
}

function words(...values: number[]): number[] {
  return [...new Uint8Array(new Uint32Array(values).buffer)]
}

function halves(...values: number[]): number[] {
  return [...new Uint8Array(new Uint16Array(values).buffer)]
}

function doubles(...values: number[]): number[] {
  return [...new Uint8Array(new Float64Array(values).buffer)]
}

test('forged shapes are never more than keys, however often they come', (t) => {
  readers.setPatience(0)
  const hostile = ['"]: globalThis.injected = 1, ["', '${globalThis.injected = 1}', "'+(globalThis.injected=1)+'", '\\']
  hostile.push(
    '`',
    '\n',
    '\u2028',
    '\u2029',
    '\ud800',
    '*/globalThis.injected=1/*',
    '__proto__',
    'constructor',
    '1.5',
    '',
  )
  for (const keys of [...hostile.map((key) => [key]), hostile, hostile.toReversed(), ['1', '20', ...hostile]]) {
    // The values: true for each key.
    const [codec, bytes] = shaped([64, ...keys.map(() => 3)], shape(...keys))
    for (let times = 0; times < 5; times++) {
      const arrived: any = decodeResult(codec, Uint8Array.from(bytes))
      t.deepEqual(Reflect.ownKeys(arrived), keys)
      t.is(Object.getPrototypeOf(arrived), Object.prototype)
      for (const key of keys) {
        t.deepEqual(Object.getOwnPropertyDescriptor(arrived, key), {
          value: true,
          writable: true,
          enumerable: true,
          configurable: true,
        })
      }
    }
    // The code of the shape reads no further than the payload, and the same keys with another hash are another shape.
    for (let cut = 1; cut < bytes.length; cut++) decodeAll(codec, Uint8Array.from(bytes.toSpliced(1, cut)))
    const renamed = Uint8Array.from(bytes)
    renamed[1 + 1 + keys.length] ^= 0xff
    t.deepEqual(Reflect.ownKeys(decodeResult(codec, renamed) as object), keys)
  }
  t.true(readers.size > hostile.length)
  t.false('injected' in globalThis)
})

test('values nested too deeply for this stack are an error of the decoder', (t) => {
  const opening = Array.from({ length: 200_000 }, () => [0x6f, 0x22, 1, 0x61]).flat()
  const bytes = Uint8Array.from([0xff, 0x0f, ...opening, 0])
  const error = t.throws(() => decodeResult(V8, bytes, false), { instanceOf: SerializationError })
  t.is(error.path, undefined)
  const plain = Uint8Array.from([0, ...Array.from({ length: 200_000 }, () => [16, 1, 0, 0, 0]).flat(), 0])
  t.throws(() => decodeResult(PLAIN, plain), { instanceOf: SerializationError })
})

test('a payload of one codec is refused by the decoder of errors and the other way round', (t) => {
  const { bytes } = encodedResult({ a: 1 })
  t.throws(() => decodeError(V8, bytes, { pid: 1 }), { instanceOf: SerializationError })
  t.throws(() => decodeError(ERROR, bytes, { pid: 1 }), { instanceOf: SerializationError })
  t.throws(() => decodeArguments(V8, bytes), { instanceOf: SerializationError })
  t.throws(() => decodeResult(ERROR, bytes, false), { instanceOf: SerializationError })
})

// ---- forged descriptions of errors ----------------------------------------------------------------------------------

/** A description of errors as bytes, as a worker could write them. The serializer names an array twice at no cost. */
function forged(description: unknown): Uint8Array {
  return Uint8Array.from(serialize(description).payload)
}

const plainNode = ['Error', 'Error', 'm', 'Error: m', [], [], 0, []]

test('a forged description of errors that names its parts again and again is refused', (t) => {
  const many = (part: unknown): unknown[] => new Array(200_000).fill(part)
  const keys = Array.from({ length: 2000 }, (_, i) => `k${i}`)
  const wide = ['Error', 'Error', 'm', 'Error: m', keys, keys.map(() => [VALUE, 1]), 2000, []]
  const long = ['AssertionError', 'AssertionError', 'm'.repeat(200_000), 'Error: m', [], [], 0, []]
  const sparse: unknown[] = []
  sparse.length = 2 ** 32 - 1
  const row = many([NODE, 0])
  const cases: Record<string, unknown> = {
    'one error as many': [[NODE, 0], many(plainNode), []],
    'one error with many fields as many': [[NODE, 0], new Array(9000).fill(wide), []],
    'one error with a long message as many': [[NODE, 0], new Array(9000).fill(long), []],
    'one list as many': [[LIST, 0], [plainNode], many([0])],
    'one long list as many': [[LIST, 0], [plainNode], new Array(9000).fill(row)],
    'a list too long': [[LIST, 0], [plainNode], [many(0).concat(many(0))]],
    'errors without end': [[NODE, 0], sparse, []],
    'lists without end': [[NODE, 0], [plainNode], sparse],
    'a list without end': [[LIST, 0], [plainNode], [sparse]],
    'fields without end': [[NODE, 0], [['Error', 'Error', 'm', '', sparse, sparse, 0, []]], []],
    'a list that is not there': [[LIST, 1], [plainNode], [[]]],
    'an element that is not there': [[LIST, 0], [plainNode], [[1]]],
    'a number that is none': [[NODE, 'map'], [plainNode], []],
    'a number of a list that is none': [[LIST, 'push'], [plainNode], [[]]],
    'no lists': [[NODE, 0], [plainNode]],
  }
  for (const [name, description] of Object.entries(cases)) {
    const error = t.throws(
      () => decodeError(ERROR, forged(description), { pid: 1 }),
      { instanceOf: SerializationError },
      name,
    )
    t.is((error.cause as Error).name, 'CorruptPayload', name)
  }
})

test('a forged description of thirty levels of doubled lists is as small decoded as encoded', (t) => {
  const levels = Array.from({ length: 30 }, (_, i) => [
    [LIST, i + 1],
    [LIST, i + 1],
  ])
  const top: any = decodeError(ERROR, forged([[LIST, 0], [plainNode], [...levels, [0]]]), { pid: 1 })
  let list = top
  for (let level = 0; level < 30; level++) {
    t.is(list[0], list[1])
    list = list[0]
  }
  t.true(list[0] instanceof Error)
  // Nested where they are, as they once were, they are refused.
  let nested: unknown = [LIST, [[NODE, 0]]]
  for (let level = 0; level < 30; level++) nested = [LIST, [nested, nested]]
  t.throws(() => decodeError(ERROR, forged([nested, [plainNode], []]), { pid: 1 }), { instanceOf: SerializationError })
})

test('a content that is named again and again is copied once or refused', (t) => {
  // The stream: an array of three Buffers, each of which is the first content.
  const buffer = [0x5c, BUFFER, 1]
  const stream = (views: number): number[] => [0x41, views, ...Array.from({ length: views }, () => buffer).flat()]
  const payload = (views: number): Uint8Array => {
    return Uint8Array.from([0xff, 0x0f, ...stream(views), 0x24, 0, views, 7, 8, 9, ...doubles(3, 1), 1])
  }
  t.deepEqual(decodeResult(V8, payload(1)), [Buffer.from([7, 8, 9])])
  t.throws(() => decodeResult(V8, payload(2)), { instanceOf: SerializationError })
})

test('outcomes of a chunk that are damaged are errors, and none is read twice', (t) => {
  const exited = () => new TaskExitError('exited', { exitCode: 1 })
  const envelope = encodedError(new Error('m')).bytes
  const block = (codec: number, payload: Uint8Array, length = payload.length): number[] => {
    return [0x20 + codec, ...new Uint8Array(new Uint32Array([length]).buffer), ...payload]
  }
  const read = (bytes: number[], limit = 100) => readOutcomes(Uint8Array.from(bytes), limit, { pid: 1 }, exited)
  const { values, errors } = read([3, ...block(ERROR, envelope), 2])
  t.deepEqual(values, [true, undefined, false])
  t.is((errors!.get(1) as Error).message, 'm')
  t.deepEqual(read([3, 2, 3], 2).values, [true, false])
  const wrong = [
    [3, 99],
    [3, 0x21],
    [3, ...block(ERROR, envelope, 1e6)],
    [3, 4, 1],
    [3, 31],
  ]
  for (const bytes of wrong) {
    const outcomes = read(bytes, 3)
    t.is(outcomes.values[0], true)
    // Nobody knows how many items have run: none of them may run again.
    for (const index of [1, 2]) t.true(outcomes.errors!.get(index) instanceof SerializationError)
    t.is(outcomes.values.length, 3)
  }
  // What follows an outcome that has a length can be read.
  const readable = read([...block(77, envelope), 3])
  t.true(readable.errors!.get(0) instanceof SerializationError)
  t.deepEqual(readable.values, [undefined, true])
})
