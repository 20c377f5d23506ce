// Measures how much processor time values take to become bytes and to come back, by codec.
//
// Each codec runs in a thread of its own, so that no codec finds code that another has made general. One thread works
// at a time. The rounds are interleaved, and each figure is the median of its rounds. All kinds of values share a
// thread, as one program uses all kinds.

import { once } from 'node:events'
import { parseArgs } from 'node:util'
import v8 from 'node:v8'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'

import { record } from './functions.mjs'
import { checkEqual } from './measure.mjs'

const HELP = `node bench/codec.mjs [--smoke] [--rounds N] [--milliseconds N] [--only KIND,…] [--ways WAY,…] [--help]

Processor time of values that become bytes and come back, in ns, by codec:
  Millrace          as it is
  without code      Millrace without code for shapes (MILLRACE_SHAPE_CODE=off)
  node:v8           v8.serialize, v8.deserialize
  JSON              as text
  JSON as bytes     as UTF-8
  structuredClone   one figure for both directions
  MessagePack       @msgpack/msgpack, where it is installed (npm ci --prefix bench)

  --smoke           one short round, to see that everything works; the figures mean nothing
  --rounds N        9 by default
  --milliseconds N  for each figure of a round, 20 by default
  --only KIND,…     some kinds of values: see the rows of a table
  --ways WAY,…      some codecs: see the columns of a table`

const { values: options } = parseArgs({
  options: {
    smoke: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    milliseconds: { type: 'string' },
    only: { type: 'string' },
    ways: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

// ---- values ---------------------------------------------------------------------------------------------------------

/**
 * Values of one kind, not all the same: a codec could not keep what it knows of one value.
 *
 * @template T
 * @param {(index: number) => T} make
 * @returns {T[]}
 */
const several = (make, count = 64) => Array.from({ length: count }, (_, index) => make(index))

/** @param {number} index */
const row = (index) => ({ ...structuredClone(record), id: index, note: `row ${index}` })

/** @param {number} index */
const flat = (index) => ({
  id: index,
  name: `customer ${index % 40}`,
  email: `someone-${index}@example.com`,
  country: ['CH', 'FR', 'JP'][index % 3],
  balance: index * 1.5,
  visits: index * 7,
  isActive: index % 2 === 0,
  note: null,
})

/** @param {number} index */
const nested = (index) => ({
  order: { id: index, lines: { first: { sku: 'A-1', count: 2 }, second: { sku: `B-${index}`, count: 1 } } },
  customer: { name: { given: 'Ada', family: 'Lovelace' }, address: { city: 'London', geo: { lat: 51.5, lng: -0.13 } } },
})

/** @param {number} index */
const wide = (index) => Object.fromEntries(several((column) => entry(`column_${column}`, index * column), 60))

/**
 * @param {string} key
 * @param {unknown} value
 * @returns {[string, unknown]}
 */
const entry = (key, value) => [key, value]

/**
 * A record of which most fields are optional.
 *
 * @param {number} index
 */
const sparse = (index) => {
  /** @type {Record<string, unknown>} */
  const value = { id: index, kind: 'event' }
  for (const [bit, key] of ['user', 'session', 'reason', 'detail', 'source'].entries()) {
    if (((index * 2_654_435_761) >>> (20 + bit)) % 3 === 0) value[key] = `${key} ${index % 10}`
  }
  return value
}

/** @param {number} index */
const config = (index) => ({
  name: 'service',
  server: { host: '127.0.0.1', port: 8080 + index, tls: { enabled: false, cert: null, versions: ['1.2', '1.3'] } },
  retry: { attempts: 3, backoff: { kind: 'exponential', base: 1.5, limit: 30_000 } },
  features: { search: true, export: false, beta: { flags: ['a', 'b'], since: undefined } },
  logging: { level: 'info', targets: [{ kind: 'file', path: '/var/log/service.log' }, { kind: 'console' }] },
})

/**
 * A string that no other has made: text that was put together is not yet in one piece.
 *
 * @param {string} text
 * @param {number} index
 */
const text = (text, index) => Buffer.from(text.replace('#', String(index % 10))).toString()

/** @type {Record<string, () => unknown[]>} */
const kinds = {
  record: () => several((index) => ({ ...structuredClone(record), id: index })),
  flat: () => several(flat),
  nested: () => several(nested),
  'wide (60 keys)': () => several(wide),
  'sparse (optional keys)': () => several(sparse),
  config: () => several(config),
  point: () => several((index) => ({ x: index, y: index - 0.5 })),
  pair: () => several((index) => [index, [42, 1.5]]),
  '10 records': () => several((index) => several((i) => row(10 * index + i), 10), 8),
  '1000 records': () => [several(row, 1000)],
  '10 integers': () => several((index) => several((i) => index * i, 10)),
  '100 integers': () => several((index) => several((i) => index * i, 100)),
  '1000 integers': () => [several((index) => index * 3, 1000)],
  '1000 doubles': () => [several((index) => index / 3, 1000)],
  '100 strings': () => several((index) => several((i) => `item ${index * i}`, 100)),
  '1000 strings': () => [several((index) => `item number ${index}`, 1000)],
  'text of 20': () => several((index) => text('a text of # words. ..', index)),
  'text of 1 KiB': () => several((index) => text('Lorem ipsum dolor # '.repeat(52).slice(0, 1024), index)),
  'text of 1 KiB (accents)': () => several((index) => text('Jérôme déjeuna à # '.repeat(54).slice(0, 1024), index)),
  'text of 1 KiB (Cyrillic)': () => several((index) => text('жизнь прошла # — '.repeat(61).slice(0, 1024), index)),
  'text of 64 KiB': () => several((index) => text('Lorem ipsum dolor # '.repeat(3277).slice(0, 65_536), index), 8),
  'dictionary of 1000': () => [Object.fromEntries(several((index) => entry(`key-${index * 7}`, index), 1000))],
}

// ---- codecs ---------------------------------------------------------------------------------------------------------

/**
 * @typedef {object} Codec
 * @property {(value: unknown) => any} encode
 * @property {(bytes: any) => unknown} [decode]
 * @property {(value: unknown) => any} [take] - The input of `decode`, where it is not the result of `encode`.
 * @property {boolean} [isLossy]
 */

async function millrace() {
  // A URL that the compiler does not follow: the compiled module and its declarations lie in different folders.
  const url = new URL('../build/js/codec/index.js', import.meta.url).href
  /** @type {typeof import('../dist/codec/index.js')} */
  const { decodeResult, encodeResult, Outbox } = await import(url)
  const out = new Outbox()
  // Payloads come in staging memory, one behind the other.
  const staging = new Uint8Array(1 << 20)
  let at = 0
  return {
    /** @param {unknown} value */
    encode: (value) => encodeResult(value, out),
    /** @param {unknown} value */
    take: (value) => {
      encodeResult(value, out)
      const payload = out.copy()
      const isLong = payload.length > staging.length / 64
      const start = isLong ? 0 : at
      const bytes = isLong ? payload : staging
      if (!isLong) {
        staging.set(payload, start)
        at = (at + payload.length) % (staging.length - staging.length / 64)
      }
      return { codec: out.codec, bytes, start, end: start + payload.length }
    },
    /** @param {{ codec: number, bytes: Uint8Array, start: number, end: number }} payload */
    decode: ({ codec, bytes, start, end }) => decodeResult(codec, bytes, false, start, end),
  }
}

/** @type {Record<string, { make: () => Promise<Codec> | Codec, env?: Record<string, string> }>} */
const ways = {
  Millrace: { make: millrace, env: { MILLRACE_SHAPE_CODE: '' } },
  'without code': { make: millrace, env: { MILLRACE_SHAPE_CODE: 'off' } },
  'node:v8': { make: () => ({ encode: (value) => v8.serialize(value), decode: (bytes) => v8.deserialize(bytes) }) },
  JSON: {
    make: () => ({ encode: (value) => JSON.stringify(value), decode: (json) => JSON.parse(json), isLossy: true }),
  },
  'JSON as bytes': {
    make: () => ({
      encode: (value) => Buffer.from(JSON.stringify(value)),
      decode: (bytes) => JSON.parse(bytes.toString()),
      isLossy: true,
    }),
  },
  structuredClone: { make: () => ({ encode: (value) => structuredClone(value) }) },
  MessagePack: {
    make: async () => {
      const { decode, encode } = await import('@msgpack/msgpack')
      return { encode: (value) => encode(value), decode: (bytes) => decode(bytes), isLossy: true }
    },
  },
}

// ---- a thread -------------------------------------------------------------------------------------------------------

/**
 * What was made last: V8 may not leave out a call.
 *
 * @type {unknown}
 */
export let sink

/**
 * Nanoseconds of processor time for one call. All threads but this one wait meanwhile.
 *
 * @param {(value: any) => unknown} call
 * @param {unknown[]} values
 * @param {number} milliseconds
 */
function time(call, values, milliseconds) {
  const deadline = performance.now() + milliseconds
  const before = process.cpuUsage()
  let calls = 0
  let batch = 1
  do {
    for (let i = 0; i < batch; i++) sink = call(values[(calls + i) % values.length])
    calls += batch
    batch = Math.min(2 * batch, 1000)
  } while (performance.now() < deadline)
  const { user, system } = process.cpuUsage(before)
  return ((user + system) * 1000) / calls
}

/** Measurements of each kind that do not count. */
const WARM_UP = 10

/** @param {string} way */
async function work(way) {
  const { encode, decode, take = encode, isLossy } = await /** @type {any} */ (ways[way]).make()
  /** @type {Map<string, { values: unknown[], payloads: unknown[] }>} */
  const known = new Map()
  /**
   * @param {string} kind
   * @param {number} milliseconds
   */
  const prepare = (kind, milliseconds) => {
    const values = /** @type {any} */ (kinds[kind])()
    // Compares a clone: a comparison may change V8's representation of an array, and so all figures.
    if (decode !== undefined && !isLossy) checkEqual(decode(take(values[0])), structuredClone(values[0]))
    const payloads = decode === undefined ? [] : values.map((/** @type {unknown} */ value) => take(value))
    // V8 takes some time to find the best code, and may do so while something else is measured.
    for (let i = 0; i < WARM_UP; i++) {
      time(encode, values, milliseconds)
      if (decode !== undefined) time(decode, payloads, milliseconds)
    }
    const prepared = { values, payloads }
    known.set(kind, prepared)
    return prepared
  }
  parentPort?.on('message', ({ kind, milliseconds }) => {
    const { values, payloads } = known.get(kind) ?? prepare(kind, milliseconds)
    const figures = [time(encode, values, milliseconds)]
    if (decode !== undefined) figures.push(time(decode, payloads, milliseconds))
    parentPort?.postMessage(figures)
  })
  parentPort?.postMessage('ready')
}

// ---- the measurement ------------------------------------------------------------------------------------------------

/** @param {number[]} figures */
const median = (figures) => figures.sort((a, b) => a - b)[figures.length >> 1] ?? Number.NaN

/**
 * The next message of a thread. Throws the error that ends the thread.
 *
 * @param {Worker} worker
 */
const answer = async (worker) => (await once(worker, 'message'))[0]

async function measure() {
  const rounds = Number(options.rounds ?? (options.smoke ? 1 : 9))
  const milliseconds = Number(options.milliseconds ?? (options.smoke ? 1 : 20))
  const chosen = options.only?.split(',') ?? Object.keys(kinds)
  /** @type {Map<string, Worker>} */
  const workers = new Map()
  for (const [way, { env }] of Object.entries(ways)) {
    if (options.ways !== undefined && !options.ways.split(',').includes(way)) continue
    const worker = new Worker(new URL(import.meta.url), { workerData: way, env: { ...process.env, ...env } })
    try {
      await answer(worker)
      workers.set(way, worker)
    } catch (error) {
      if (way !== 'MessagePack') throw error
      console.log('MessagePack is not installed: npm ci --prefix bench')
    }
  }
  /** @type {Map<string, number[]>} */
  const figures = new Map()
  for (let round = 0; round < rounds; round++) {
    for (const kind of chosen) {
      for (const [way, worker] of workers) {
        worker.postMessage({ kind, milliseconds })
        for (const [direction, figure] of (await answer(worker)).entries()) {
          const name = `${kind} ${way} ${direction}`
          figures.set(name, [...(figures.get(name) ?? []), figure])
        }
      }
    }
  }
  const title = `Node ${process.version}; encode / decode, processor time in ns`
  console.log(`${title}, median of ${rounds} rounds of ${milliseconds} ms`)
  const width = Math.max(...chosen.map((kind) => kind.length))
  console.log(''.padEnd(width), ...[...workers.keys()].map((way) => way.padStart(17)))
  for (const kind of chosen) {
    const cells = [...workers.keys()].map((way) => {
      const both = [0, 1].map((direction) => figures.get(`${kind} ${way} ${direction}`) ?? [])
      return both
        .filter((list) => list.length > 0)
        .map((list) => Math.round(median(list)))
        .join(' / ')
    })
    console.log(kind.padEnd(width), ...cells.map((cell) => cell.padStart(17)))
  }
  await Promise.all([...workers.values()].map((worker) => worker.terminate()))
}

if (!isMainThread) await work(workerData)
else if (options.help) console.log(HELP)
else await measure()
