// Measures how many nanoseconds values take to become bytes and to come back, by codec.
//
//   node bench/codec.mjs [--smoke] [--rounds N] [--milliseconds N] [--only KIND,…]
//
// The codecs: Millrace's, node:v8, JSON as text, JSON as bytes, structuredClone (one figure for both directions), and
// MessagePack. All measurements share one process, as one program uses all kinds of values. The rounds are interleaved,
// and each figure is the median of its rounds.

import { parseArgs } from 'node:util'
import v8 from 'node:v8'

import * as msgpack from '@msgpack/msgpack'

import { record } from './functions.mjs'
import { checkEqual } from './measure.mjs'

// A URL that the compiler does not follow: the compiled module and its declarations lie in different folders.
const codec = new URL('../build/js/codec/index.js', import.meta.url).href
/** @type {typeof import('../dist/codec/index.js')} */
const { decodeResult, encodeResult, Outbox } = await import(codec)

const { values: options } = parseArgs({
  options: {
    smoke: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    milliseconds: { type: 'string' },
    only: { type: 'string' },
  },
})
const rounds = Number(options.rounds ?? (options.smoke ? 1 : 9))
const milliseconds = Number(options.milliseconds ?? (options.smoke ? 1 : 20))

/** @param {number} index */
const row = (index) => ({ ...structuredClone(record), id: index, note: `row ${index}` })

const config = {
  name: 'service',
  server: { host: '127.0.0.1', port: 8080, tls: { enabled: false, cert: null, versions: ['1.2', '1.3'] } },
  retry: { attempts: 3, backoff: { kind: 'exponential', base: 1.5, limit: 30_000 } },
  features: { search: true, export: false, beta: { flags: ['a', 'b'], since: undefined } },
  logging: { level: 'info', targets: [{ kind: 'file', path: '/var/log/service.log' }, { kind: 'console' }] },
}

/** @type {Record<string, unknown>} */
const kinds = {
  record,
  '10 records': Array.from({ length: 10 }, (_, index) => row(index)),
  '1,000 records': Array.from({ length: 1000 }, (_, index) => row(index)),
  '5,000 records': Array.from({ length: 5000 }, (_, index) => row(index)),
  config,
  point: { x: 1, y: -0.5 },
  pair: [7, [42, 1.5]],
  '1,000 integers': Array.from({ length: 1000 }, (_, index) => index * 3),
  '1,000 doubles': Array.from({ length: 1000 }, (_, index) => index / 3),
  '1,000 strings': Array.from({ length: 1000 }, (_, index) => `item number ${index}`),
  '100 strings': Array.from({ length: 100 }, (_, index) => `item ${index}`),
  '100 integers': Array.from({ length: 100 }, (_, index) => index),
  texts: { title: 'A title of some length', body: 'Lorem ipsum dolor sit amet. '.repeat(20), wide: 'жизнь — ' },
  'dictionary of 1,000': Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`key-${index * 7}`, index])),
}

/**
 * @typedef {object} Way
 * @property {string} title
 * @property {(value: unknown) => any} encode
 * @property {((bytes: any) => unknown) | undefined} decode
 * @property {((value: unknown) => any) | undefined} [take] - The input of `decode`, where it is not the result of
 * `encode`.
 * @property {boolean} [isLossy]
 */

const out = new Outbox()

/** @type {Way[]} */
const ways = [
  {
    title: 'Millrace',
    encode: (value) => encodeResult(value, out),
    take: (value) => {
      encodeResult(value, out)
      return { codec: out.codec, bytes: out.copy() }
    },
    decode: ({ codec, bytes }) => decodeResult(codec, bytes),
  },
  { title: 'node:v8', encode: (value) => v8.serialize(value), decode: (bytes) => v8.deserialize(bytes) },
  { title: 'JSON', encode: (value) => JSON.stringify(value), decode: (text) => JSON.parse(text), isLossy: true },
  {
    title: 'JSON, bytes',
    encode: (value) => Buffer.from(JSON.stringify(value)),
    decode: (bytes) => JSON.parse(bytes.toString()),
    isLossy: true,
  },
  { title: 'structuredClone', encode: (value) => structuredClone(value), decode: undefined },
  {
    title: 'MessagePack',
    encode: (value) => msgpack.encode(value),
    decode: (bytes) => msgpack.decode(bytes),
    isLossy: true,
  },
]
let sink = 0

/**
 * Nanoseconds for one call.
 *
 * @param {(value: any) => unknown} call
 * @param {unknown} value
 */
function time(call, value) {
  const deadline = performance.now() + milliseconds
  let calls = 0
  let batch = 1
  let spent = 0
  do {
    const started = performance.now()
    for (let i = 0; i < batch; i++) if (call(value) === out) sink++
    spent += performance.now() - started
    calls += batch
    batch = Math.min(2 * batch, 1000)
  } while (performance.now() < deadline)
  return (spent / calls) * 1e6
}

/** @param {number[]} figures */
const median = (figures) => figures.sort((a, b) => a - b)[figures.length >> 1] ?? Number.NaN

/** @type {Map<string, number[]>} */
const figures = new Map()
/**
 * @param {string} name
 * @param {number} figure
 */
const note = (name, figure) => figures.set(name, [...(figures.get(name) ?? []), figure])

const chosen = options.only?.split(',') ?? Object.keys(kinds)
for (let round = 0; round < rounds; round++) {
  for (const kind of chosen) {
    const value = kinds[kind]
    for (const { title, encode, take = encode, decode, isLossy } of ways) {
      note(`${kind} ${title} encode`, time(encode, value))
      if (decode === undefined) continue
      const bytes = take(value)
      // Compares a clone: a comparison may change V8's representation of an array, and so all figures.
      if (round === 0 && !isLossy) checkEqual(decode(bytes), structuredClone(value))
      note(`${kind} ${title} decode`, time(decode, bytes))
    }
  }
}

console.log(`Node ${process.version}; encode / decode in ns, median of ${rounds} rounds of ${milliseconds} ms`)
const width = Math.max(...chosen.map((kind) => kind.length))
console.log(''.padEnd(width), ...ways.map(({ title }) => title.padStart(19)))
for (const kind of chosen) {
  const cells = ways.map(({ title, decode }) => {
    const both = decode === undefined ? ['encode'] : ['encode', 'decode']
    return both.map((way) => Math.round(median(figures.get(`${kind} ${title} ${way}`) ?? []))).join(' / ')
  })
  console.log(kind.padEnd(width), ...cells.map((cell) => cell.padStart(19)))
}
if (sink > 0) throw new Error('An encoder has returned what it cannot have')
