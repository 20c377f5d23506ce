// Values that cannot travel: each is refused, with the path that leads to it.

import test from 'ava'
import { EventEmitter } from 'node:events'
import { AsyncLocalStorage } from 'node:async_hooks'
import crypto from 'node:crypto'
import fs from 'node:fs'
import net from 'node:net'
import { PassThrough, Readable } from 'node:stream'
import vm from 'node:vm'
import { MessageChannel } from 'node:worker_threads'
import { SerializationError } from '../src/errors/index.js'
import { encodedArguments, encodedResult, sendArguments, sendResult } from './helpers/codec.js'

function* numbers() {
  yield 1
}
const detached = new ArrayBuffer(8)
const viewOfDetached = new Uint8Array(detached)
structuredClone(detached, { transfer: [detached] })
const shrunken = new (ArrayBuffer as any)(8, { maxByteLength: 16 })
const outside = new Uint8Array(shrunken, 4, 4)
const dataOutside = new DataView(shrunken, 4, 4)
shrunken.resize(2)
const WebAssembly = (globalThis as any).WebAssembly
const wasm = new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]))

// The value's name in the message, and the value.
const refused: [string, unknown][] = [
  ['is a function', () => 1],
  ['is a function', class {}],
  ['is a function', async () => {}],
  ['is a symbol', Symbol('local')],
  ['is a symbol', Symbol.for('registered')],
  ['is a symbol', Object(Symbol('boxed'))],
  ['is a Promise', Promise.resolve(1)],
  ['is a Proxy', new Proxy({}, {})],
  ['is a Proxy', new Proxy([], {})],
  ['is a WeakMap', new WeakMap()],
  ['is a WeakSet', new WeakSet()],
  ['is an instance of WeakRef', new WeakRef({})],
  ['is an instance of FinalizationRegistry', new FinalizationRegistry(() => {})],
  ['is a generator', numbers()],
  ['is a generator', (async function* () {})()],
  ['is an iterator', new Map().entries()],
  ['is an iterator', new Set().values()],
  ['is an instance of Array Iterator', [][Symbol.iterator]()],
  ['is an instance of String Iterator', ''[Symbol.iterator]()],
  ['is an instance of RegExp String Iterator', 'a'.matchAll(/a/g)],
  [
    'is an arguments object',
    (function () {
      return arguments
    })(),
  ],
  ['is a module namespace', await import('node:path')],
  ['is the global object', globalThis],
  ['is a SharedArrayBuffer', new SharedArrayBuffer(8)],
  ['is a view of a SharedArrayBuffer', new Uint8Array(new SharedArrayBuffer(8))],
  ['is a view of a SharedArrayBuffer', Buffer.from(new SharedArrayBuffer(8))],
  ['is a view of a SharedArrayBuffer', new DataView(new SharedArrayBuffer(8))],
  ['is a detached ArrayBuffer', detached],
  ['is a view of a detached ArrayBuffer', viewOfDetached],
  ['is a view out of the bounds of its ArrayBuffer', outside],
  ['is a view out of the bounds of its ArrayBuffer', dataOutside],
  ['is an instance of Intl.DateTimeFormat', new Intl.DateTimeFormat()],
  ['is an instance of Intl.Locale', new Intl.Locale('en')],
  ['is an instance of WebAssembly.Instance', new WebAssembly.Instance(wasm)],
  ['is an instance of WebAssembly.Memory', new WebAssembly.Memory({ initial: 0 })],
  ['is an instance of AbortSignal', new AbortController().signal],
  ['is an instance of AbortSignal', AbortSignal.abort()],
  ['is an instance of AbortController', new AbortController()],
  ['is an instance of EventTarget', new EventTarget()],
  ['is an instance of Event', new Event('x')],
  ['is an instance of URL', new URL('http://localhost/')],
  ['is an instance of URLSearchParams', new URLSearchParams('a=1')],
  ['is an instance of Blob', new Blob(['x'])],
  ['is an instance of FormData', new FormData()],
  ['is an instance of Headers', new Headers()],
  ['is an instance of Request', new Request('http://localhost/')],
  ['is an instance of Response', new Response('x')],
  ['is an instance of ReadableStream', new ReadableStream()],
  ['is an instance of WritableStream', new WritableStream()],
  ['is an instance of TransformStream', new TransformStream()],
  ['is an instance of TextEncoder', new TextEncoder()],
  ['is an instance of TextDecoder', new TextDecoder()],
  ['is an instance of DOMException', new DOMException('m', 'AbortError')],
  ['is an instance of DOMException', AbortSignal.abort().reason],
  ['is an instance of PerformanceMark', performance.mark('x')],
  ['is an instance of Performance', performance],
  ['is an instance of SubtleCrypto', crypto.subtle],
  ['is an instance of ECDH', crypto.createECDH('prime256v1')],
  ['is an instance of KeyObject', crypto.createSecretKey(Buffer.alloc(32))],
  ['is an instance of BlockList', new net.BlockList()],
  ['is an instance of Server', new net.Server()],
  ['is an instance of Dir', fs.opendirSync('.')],
  ['is an instance of PassThrough', new PassThrough()],
  ['is an instance of Readable', Readable.from([1])],
  ['is an instance of ReadStream', fs.createReadStream(process.execPath)],
  ['is an instance of AsyncLocalStorage', new AsyncLocalStorage()],
  ['is an instance of Script', new vm.Script('1')],
  ['is the namespace Math', Math],
  ['is the namespace JSON', JSON],
]

for (const [i, [problem, value]] of refused.entries()) {
  test(`a value that ${problem} is refused with its path (${i})`, (t) => {
    const places: [unknown, string][] = [
      [value, 'result'],
      [{ x: [{}, value] }, 'result.x[1]'],
      [{ a: 1, 'a-b': { deep: value } }, 'result["a-b"].deep'],
      [new Map<unknown, unknown>([['k', { v: value }]]), 'result.get("k").v'],
      [
        new Map<unknown, unknown>([
          [1, 2],
          [value, 1],
        ]),
        'result.keys()[1]',
      ],
      [new Set<unknown>([1, [value]]), 'result.values()[1][0]'],
      [Object.assign([1], { extra: value }), 'result.extra'],
    ]
    for (const [result, path] of places) {
      const error = t.throws(() => encodedResult(result), { instanceOf: SerializationError })
      t.is(error.path, path)
      t.is(error.stage, 'result')
    }
    const error = t.throws(() => encodedArguments([1, { rows: [0, { fn: value }] }]), {
      instanceOf: SerializationError,
    })
    t.is(error.path, 'args[1].rows[1].fn')
    t.is(error.stage, 'arguments')
    t.is(error.code, 'ERR_MILLRACE_SERIALIZATION')
    t.is(error.message, `The arguments cannot be sent to another process: args[1].rows[1].fn ${problem}`)
    t.is(t.throws(() => encodedArguments([value, 1]), { instanceOf: SerializationError }).path, 'args[0]')
  })
}

test('a MessagePort is refused', (t) => {
  const { port1 } = new MessageChannel()
  const error = t.throws(() => encodedResult({ port: port1 }), { instanceOf: SerializationError })
  t.is(error.path, 'result.port')
  port1.close()
})

test('hashes are refused, although they do have a field', (t) => {
  for (const value of [crypto.createHash('sha256'), crypto.createHmac('sha256', 'key')]) {
    t.is(t.throws(() => encodedArguments([{ hash: value }]), { instanceOf: SerializationError }).path, 'args[0].hash')
  }
})

// For a WebAssembly.Module the serializer writes nothing at all, and throws nothing.
test('a WebAssembly.Module does not arrive as anything else', (t) => {
  for (const value of [wasm, [wasm], [1, wasm, 2], { a: wasm, b: 1 }, new Map([[wasm, wasm]]), [wasm, wasm]]) {
    t.throws(() => sendResult(value), { instanceOf: SerializationError })
    t.throws(() => sendArguments([value, 1]), { instanceOf: SerializationError })
  }
})

test('the first culprit in the order of properties is named', (t) => {
  const value = { b: [1, 2, { ok: 1 }], a: { first() {} }, z: Symbol('second') }
  t.is(t.throws(() => encodedResult(value), { instanceOf: SerializationError }).path, 'result.a.first')
})

test('of a throwing getter the path is its own, and the cause is what it threw', (t) => {
  const thrown = new Error('no luck')
  const value = {
    ok: 1,
    get bad() {
      throw thrown
    },
  }
  const error = t.throws(() => encodedArguments([[value]]), { instanceOf: SerializationError })
  t.is(error.path, 'args[0][0].bad')
  t.is(error.cause, thrown)
  const nothing = {
    get bad() {
      throw undefined
    },
  }
  const second = t.throws(() => encodedResult(nothing), { instanceOf: SerializationError })
  t.is(second.path, 'result.bad')
  t.true(Object.hasOwn(second, 'cause'))
  t.is(second.cause, undefined)
})

test('a getter that throws only once is still an error, with what it threw', (t) => {
  let calls = 0
  const value = {
    get moody() {
      if (calls++ === 0) throw new TypeError('once')
      return 1
    },
  }
  const error = t.throws(() => encodedResult(value), { instanceOf: SerializationError })
  t.is(error.path, 'result')
  t.is((error.cause as Error).message, 'once')
})

test('what is wrong within an error is found', (t) => {
  const byCause = Object.assign(new Error('m'), { cause: { fn() {} } })
  t.is(t.throws(() => encodedResult([byCause]), { instanceOf: SerializationError }).path, 'result[0].cause.fn')
  class Unnamed extends Error {
    override get name(): string {
      throw new Error('no name')
    }
  }
  t.is(t.throws(() => encodedResult([new Unnamed()]), { instanceOf: SerializationError }).path, 'result[0].name')
})

test('cycles and shared objects do not keep the search busy', (t) => {
  const cycle: any = { list: [] }
  cycle.self = cycle
  for (let i = 0; i < 1000; i++) cycle.list.push(cycle, { cycle })
  cycle.last = () => 1
  t.is(t.throws(() => encodedResult(cycle), { instanceOf: SerializationError }).path, 'result.last')
})

test('values nested beyond the stack are refused as such', (t) => {
  let deep: unknown = 1
  for (let i = 0; i < 100_000; i++) deep = { deep }
  const error = t.throws(() => encodedArguments([1, deep]), { instanceOf: SerializationError })
  t.is(error.path, 'args[1]')
  t.regex(error.message, /too deeply nested/)
  t.true(error.cause instanceof RangeError)
  t.is(t.throws(() => encodedResult(deep), { instanceOf: SerializationError }).path, 'result')
})

test('getters that make up new objects for ever end in an error', (t) => {
  const endless = (): object => ({
    get next() {
      return endless()
    },
  })
  const error = t.throws(() => encodedResult(endless()), { instanceOf: SerializationError })
  t.regex(error.message, /too deeply nested|could not be cloned/)
})

test('proxies are never asked', (t) => {
  const handler = new Proxy({}, { get: () => t.fail('a trap was called') })
  const hostile = new Proxy(class {}, handler)
  t.throws(() => encodedResult({ hostile: new Proxy([], handler) }), { instanceOf: SerializationError })
  t.throws(() => encodedResult({ hostile, a: {} }), { instanceOf: SerializationError })
  const inherits = Object.setPrototypeOf({ a: {} }, new Proxy({}, handler))
  t.deepEqual(sendResult(inherits), { a: {} })
})

test("instances of the user's own classes are plain data, whatever they extend", (t) => {
  class Emitter extends EventEmitter {
    size = 3
  }
  class Target extends EventTarget {
    size = 3
  }
  t.is(sendResult(new Emitter()).size, 3)
  t.deepEqual(sendResult({ target: new Target(), empty: new (class Empty {})() }), {
    target: { size: 3 },
    empty: {},
  } as any)
  class Special extends URL {}
  t.is(
    t.throws(() => encodedResult([{}, new Special('http://localhost')]), { instanceOf: SerializationError }).path,
    'result[1]',
  )
})

test('data that only looks like a trace of a lost object is not refused', (t) => {
  const value = {
    _events: {},
    _options: undefined,
    text: 'o{\0 DOMException',
    empty: {},
    list: [{}, [], new Map(), null],
  }
  t.deepEqual(sendArguments([value, {}]), [value, {}])
})

test('empty Buffers and views beside an empty object are not lost', (t) => {
  const value = [new Map(), {}, Buffer.alloc(0), new Uint8Array(), new DataView(new ArrayBuffer(0))]
  t.deepEqual(sendResult(value), value)
})

test('a lost object is found among much data, too', (t) => {
  const rows: unknown[] = Array.from({ length: 20_000 }, (_, i) => ({ i, text: `row ${i}` }))
  rows[19_999] = { signal: new AbortController().signal }
  const error = t.throws(() => encodedArguments([rows]), { instanceOf: SerializationError })
  t.is(error.path, 'args[0][19999].signal')
  const numbers: unknown[] = Array.from({ length: 20_000 }, (_, i) => i / 3)
  t.deepEqual(sendArguments([numbers, {}]), [numbers, {}])
})

test('paths are written as a programmer would write them', (t) => {
  const fn = () => 1
  const paths: [unknown, string][] = [
    [{ $a_1: fn }, 'result.$a_1'],
    [{ größe: fn }, 'result.größe'],
    [{ '': fn }, 'result[""]'],
    [{ 'a"b\n': fn }, 'result["a\\"b\\n"]'],
    [{ 12: fn }, 'result[12]'],
    [{ '012': fn }, 'result["012"]'],
    [JSON.parse('{"__proto__":1}', (key, value) => (key === '__proto__' ? fn : value)), 'result.__proto__'],
    [new Map([[3, fn]]), 'result.get(3)'],
    [new Map([[-0, fn]]), 'result.get(0)'],
    [new Map([[5n, fn]]), 'result.get(5n)'],
    [new Map([[null, fn]]), 'result.get(null)'],
    [new Map([[undefined, fn]]), 'result.get(undefined)'],
    [new Map([[{}, fn]]), 'result.values()[0]'],
    [new Set([fn]), 'result.values()[0]'],
    [[, , fn], 'result[2]'],
  ]
  for (const [value, path] of paths) {
    t.is(t.throws(() => encodedResult(value), { instanceOf: SerializationError }).path, path)
  }
})

test('after a refusal the next payload is encoded as ever', (t) => {
  t.throws(() => encodedArguments([() => 1]))
  t.deepEqual(sendArguments([1, { a: 'x' }]), [1, { a: 'x' }])
})
