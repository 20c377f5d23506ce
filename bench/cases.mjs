// The cases: what is measured, with which figures. A case runs in the process of one contender and returns its figures
// by name. Most cases use the session that the contender has started (see contenders/index.mjs), some start sessions of
// their own. contenders/cpython.py has the same cases in Python.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { etl, readChunks, total as totalOf } from './etl.mjs'
import { bytes, named, record, text } from './functions.mjs'
import {
  awaitInLoops,
  calibrate,
  checkEqual,
  firstCalls,
  latencies,
  measured,
  percentile,
  sleep,
  startWarm,
  throughput,
} from './measure.mjs'
import { memory, processorTime } from './proc.mjs'

/** Calls in flight, in the cases of small calls. */
const IN_FLIGHT = 256

/** Calls of a new pool that are its first, of small payloads and of large ones. */
const FIRST = 2000
const FIRST_LARGE = 150

/** Items per chunk, for a contender whose user cuts the chunks. */
const CHUNK = 1000

/**
 * @typedef {object} Figure
 * @property {string} title
 * @property {string} unit
 * @property {'more' | 'less'} better
 */

/** @typedef {Record<string, number | undefined> | undefined} Found - Undefined: the case does not apply here. */

/**
 * @typedef {object} Case
 * @property {string} title
 * @property {string} about - What is measured, in a sentence of the page.
 * @property {Record<string, Figure>} figures
 * @property {boolean} [local] - Also measured for a contender that calls in its own thread.
 * @property {(session: import('./contenders/index.mjs').Session, plan: import('./measure.mjs').Plan) => Promise<Found>}
 * [run]
 * @property {(contender: import('./contenders/index.mjs').Contender, plan: import('./measure.mjs').Plan) =>
 *   Promise<Found>} [alone] - In place of `run`: starts sessions of its own.
 */

/** @type {Record<string, Figure>} */
const RATE = { rate: { title: 'rate', unit: 'calls/s', better: 'more' } }

/**
 * The processor time of host and all, by what is counted.
 *
 * @param {string} unit
 * @returns {Record<string, Figure>}
 */
const processor = (unit) => ({
  host: { title: 'processor time of the host thread', unit, better: 'less' },
  all: { title: 'processor time of all', unit, better: 'less' },
})

const CALLS = { ...RATE, ...processor('µs/call') }

/** @typedef {{ title: string, about: string, name: string, args: (plan: import('./measure.mjs').Plan) => unknown[] }} Call */

/** What is called, in one case or several. */
const calls = {
  /** @type {Call} */
  add: { title: 'add(1, 2)', about: 'The smallest call.', name: 'add', args: () => [1, 2] },
  /** @type {Call} */
  record: {
    title: 'echo of a record',
    about: 'A plain object with nested objects, numbers, strings and a list: 240 bytes as JSON.',
    name: 'echo',
    args: () => [record],
  },
  /** @type {Call} */
  text: { title: 'echo of a string of 1 KiB', about: 'ASCII.', name: 'echo', args: () => [text] },
  /** @type {Call} */
  block: {
    title: 'echo of 64 KiB',
    about: 'A Uint8Array (in CPython bytes), sent by copy.',
    name: 'echo',
    args: () => [bytes(65_536)],
  },
  /** @type {Call} */
  large: {
    title: 'echo of 1 MiB',
    about: 'A Uint8Array (in CPython bytes).',
    name: 'echo',
    args: () => [bytes(1 << 20)],
  },
  /** @type {Call} */
  huge: {
    title: 'echo of 64 MiB',
    about: 'A Uint8Array, with fewer calls in flight.',
    name: 'echo',
    args: (plan) => [bytes(plan.huge)],
  },
}

/**
 * @param {Call} call
 * @param {number} inFlight
 * @returns {Case}
 */
const busy = ({ title, about, name, args }, inFlight) => ({
  title: `${title}, ${inFlight} in flight`,
  about,
  figures: CALLS,
  local: true,
  async run(session, plan) {
    const made = args(plan)
    checkEqual(await session.call(name, made), named(name)(...made))
    return throughput(session, name, made, inFlight, plan)
  },
})

/**
 * @param {Call} call
 * @param {number} loops
 * @returns {Case}
 */
const awaiting = ({ title, name, args }, loops) => ({
  title: `${title}, ${loops} loops of await`,
  about:
    'Each loop awaits its call before it makes the next, as people write it. In the case without loops, the next call is made in `.then`. CPython has no such loops. To `await` an object that is no promise but has a `then`, as the futures of Millrace are, takes a job and a promise more.',
  figures: CALLS,
  async run(session, plan) {
    const made = args(plan)
    checkEqual(await session.call(name, made), named(name)(...made))
    return throughput(session, name, made, loops, plan, awaitInLoops)
  },
})

/**
 * @param {Call} call
 * @param {number} inFlight
 * @param {number} count
 * @returns {Case}
 */
const first = ({ title, name, args }, inFlight, count) => ({
  title: `the first ${count.toLocaleString('en')} calls: ${title}, ${inFlight} in flight`,
  about:
    'The first calls of their kind in a new pool, whose workers have answered others. The program runs already. The figures are the medians of several pools.',
  figures: CALLS,
  async alone(contender, plan) {
    if (contender.start === undefined) return undefined
    const made = args(plan)
    const found = []
    for (let pool = 0; pool < plan.pools; pool++) {
      const session = await startWarm(contender, plan)
      found.push(await firstCalls(session, name, made, inFlight, Math.ceil(count * plan.share)))
      checkEqual(await session.call(name, made), named(name)(...made))
      await session.stop()
    }
    return medians(found)
  },
})

/**
 * @param {string} title
 * @param {string} about
 * @param {(session: import('./contenders/index.mjs').Session, items: number[]) => PromiseLike<number>} sum - The sum of
 *   all results.
 * @returns {Case}
 */
const mapping = (title, about, sum) => ({
  title,
  about,
  figures: { rate: { title: 'rate', unit: 'items/s', better: 'more' }, ...processor('ns/item') },
  local: true,
  async run(session, plan) {
    const items = Array.from({ length: plan.items }, (_, index) => index)
    const expected = (plan.items * (plan.items + 1)) / 2
    // The warm-up.
    checkEqual(await sum(session, items), expected)
    const { rate, host, all } = await measured(async () => {
      const started = performance.now()
      let passes = 0
      do {
        checkEqual(await sum(session, items), expected)
        passes++
      } while (performance.now() - started < plan.milliseconds)
      return passes * plan.items
    })
    return { rate, host: times(host, 1000), all: times(all, 1000) }
  },
})

/**
 * @param {string} title
 * @param {number} milliseconds
 * @param {number} inFlight
 * @returns {Case}
 */
function task(title, milliseconds, inFlight) {
  return {
    title: `tasks of ${title}, ${inFlight} in flight`,
    about:
      'A fixed number of steps of arithmetic; the host measures their time just before. At 100 % every processor, or every worker if there are fewer, would do nothing else. The host works on the same processors, so no contender can reach 100 %.',
    figures: { efficiency: { title: 'of the ideal', unit: '%', better: 'more' }, ...processor('µs/call') },
    local: true,
    async run(session, plan) {
      const { steps, milliseconds: alone } = calibrate(milliseconds)
      checkEqual(await session.call('spin', [steps]), named('spin')(steps))
      const { rate, ...used } = await throughput(session, 'spin', [steps], inFlight, plan)
      return { efficiency: (rate * alone) / 10 / Math.min(plan.workers, plan.cores), ...used }
    },
  }
}

/**
 * The calls of a map whose chunks are cut by hand.
 *
 * @param {import('./contenders/index.mjs').Session} session
 * @param {number[]} items
 */
function chunksByHand(session, items) {
  const calls = []
  for (let at = 0; at < items.length; at += CHUNK) {
    calls.push(session.call('incrementAll', [items.slice(at, at + CHUNK)]))
  }
  return Promise.all(/** @type {PromiseLike<number[]>[]} */ (calls))
}

/**
 * @param {import('./contenders/index.mjs').Session} session
 * @param {number[]} items
 */
async function sumByHand(session, items) {
  let sum = 0
  for (const values of await chunksByHand(session, items)) sum += total(values)
  return sum
}

/** @param {number[]} values */
function total(values) {
  let sum = 0
  for (const value of values) sum += value
  return sum
}

/**
 * Waiting calls that the workers finish per second while `wait` runs. The workers count them, not the host.
 *
 * @param {import('./contenders/index.mjs').Session} session
 * @param {import('./measure.mjs').Plan} plan
 * @param {(milliseconds: number) => unknown} wait
 */
async function progress(session, plan, wait) {
  const directory = mkdtempSync(join(tmpdir(), 'bench-'))
  const file = join(directory, 'count')
  writeFileSync(file, '')
  try {
    const calls = Array.from({ length: plan.pending }, () => session.call('restAndCount', [file, 1]))
    const counted = () => statSync(file).size
    while (counted() < plan.pending / 20) await sleep(1)
    // A call takes at least a millisecond, so half of the calls are left at the end.
    const milliseconds = (plan.pending / plan.workers) * 0.4
    const before = counted()
    const started = performance.now()
    await wait(milliseconds)
    const rate = (counted() - before) / (performance.now() - started)
    await Promise.all(calls)
    checkEqual(counted(), plan.pending)
    return rate * 1000
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** @param {number} milliseconds */
function block(milliseconds) {
  const deadline = performance.now() + milliseconds
  while (performance.now() < deadline);
}

/** @param {number[]} values */
const median = (values) =>
  percentile(
    values.toSorted((a, b) => a - b),
    0.5,
  )

/** @param {number | undefined} value @param {number} factor */
const times = (value, factor) => (value === undefined ? undefined : value * factor)

/**
 * The median of each figure.
 *
 * @param {import('./measure.mjs').Measured[]} found
 */
const medians = (found) =>
  Object.fromEntries(
    Object.keys(CALLS).flatMap((figure) => {
      const values = found.flatMap((each) => each[/** @type {keyof typeof each} */ (figure)] ?? [])
      return values.length === 0 ? [] : [[figure, median(values)]]
    }),
  )

/**
 * In this order they are measured: those that start sessions of their own come together.
 *
 * @type {Record<string, Case>}
 */
export const cases = {
  add: busy(calls.add, IN_FLIGHT),
  addAwait: awaiting(calls.add, IN_FLIGHT),
  hot: {
    title: 'add(1, 2), one at a time',
    about: 'The time from the call to its result, with no other call in flight.',
    figures: {
      p50: { title: 'p50', unit: 'µs', better: 'less' },
      p99: { title: 'p99', unit: 'µs', better: 'less' },
    },
    async run(session, plan) {
      checkEqual(await session.call('add', [1, 2]), 3)
      const sorted = await latencies(session, 'add', [1, 2], plan)
      return { p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) }
    },
  },
  record: busy(calls.record, IN_FLIGHT),
  recordAwait: awaiting(calls.record, IN_FLIGHT),
  text: busy(calls.text, IN_FLIGHT),
  textAwait: awaiting(calls.text, IN_FLIGHT),
  block: busy(calls.block, IN_FLIGHT),
  block16: busy(calls.block, 16),
  block8: busy(calls.block, 8),
  blockAwait: awaiting(calls.block, IN_FLIGHT),
  large256: busy(calls.large, IN_FLIGHT),
  large: busy(calls.large, 16),
  large8: busy(calls.large, 8),
  largeAwait: awaiting(calls.large, 16),
  huge: busy(calls.huge, 2),
  task10us: task('10 µs', 0.01, IN_FLIGHT),
  task1ms: task('1 ms', 1, 32),
  task10ms: task('10 ms', 10, 8),
  map: mapping(
    'map over a million numbers, one result after the other',
    `Millrace (with \`chunksize: 'auto'\` and \`for await\`) and CPython have a \`map\`; for the others the items are cut into chunks of ${CHUNK} by hand.`,
    (session, items) => session.map?.('increment', items) ?? sumByHand(session, items),
  ),
  mapArray: mapping(
    'map over a million numbers, all results in a list',
    `Millrace (with \`chunksize: 'auto'\` and \`toArray()\`) and CPython have a \`map\`; for the others the items are cut into chunks of ${CHUNK} by hand.`,
    async (session, items) =>
      total((await session.mapArray?.('increment', items)) ?? (await chunksByHand(session, items)).flat()),
  ),
  mapByHand: mapping(
    'a million numbers in chunks cut by hand',
    `The items are cut into chunks of ${CHUNK} by hand for all contenders, also for those that have a \`map\`: a call for each chunk.`,
    sumByHand,
  ),
  addFirst: first(calls.add, IN_FLIGHT, FIRST),
  recordFirst: first(calls.record, IN_FLIGHT, FIRST),
  textFirst: first(calls.text, IN_FLIGHT, FIRST),
  blockFirst: first(calls.block, IN_FLIGHT, FIRST),
  largeFirst: first(calls.large, 16, FIRST_LARGE),
  cold: {
    title: 'first result of a new pool',
    about:
      'The time from the making of a pool to the result of its first call, in a program that has loaded its library already; and the same as a multiple of the run time of `node -e 0`, measured in alternation.',
    figures: {
      first: { title: 'first result', unit: 'ms', better: 'less' },
      ratio: { title: 'in starts of Node', unit: '× node -e 0', better: 'less' },
      all: { title: 'processor time of all', unit: 'ms', better: 'less' },
    },
    async alone(contender, plan) {
      if (contender.start === undefined) return undefined
      const [first, node, all] = [
        /** @type {number[]} */ ([]),
        /** @type {number[]} */ ([]),
        /** @type {number[]} */ ([]),
      ]
      for (let start = 0; start < plan.starts; start++) {
        let started = performance.now()
        spawnSync(plan.node, ['-e', '0'])
        node.push(performance.now() - started)
        const before = processorTime()
        started = performance.now()
        const session = await contender.start(plan)
        checkEqual(await session.call('add', [1, 2]), 3)
        first.push(performance.now() - started)
        const after = processorTime()
        if (before !== undefined && after !== undefined) all.push((after.all - before.all) / 1000)
        await session.stop()
      }
      return {
        first: median(first),
        ratio: median(first) / median(node),
        all: all.length === 0 ? undefined : median(all),
      }
    },
  },
  memory: {
    title: 'memory of a worker',
    about:
      'The growth of the proportional set size of the program and all its processes by a pool of idle workers, for each worker. Memory that several processes share counts once.',
    figures: { pss: { title: 'a worker', unit: 'MB', better: 'less' } },
    async alone(contender, plan) {
      const before = memory()
      const session = await startWarm(contender, plan)
      const after = memory()
      await session.stop()
      if (before === undefined || after === undefined) return undefined
      return { pss: (after - before) / plan.workers / 1e6 }
    },
  },
  scale: {
    title: `more workers: add(1, 2), ${IN_FLIGHT} in flight`,
    about:
      'Processor time of the host and all workers for each call: the cost of more workers than there is work for. The more workers, the longer the warm-up.',
    figures: Object.fromEntries(
      [1, 2, 4, 8, 16, 64].map((workers) => [
        `w${workers}`,
        { title: workers === 1 ? '1 worker' : `${workers} workers`, unit: 'µs/call', better: 'less' },
      ]),
    ),
    async alone(contender, plan) {
      /** @type {Record<string, number>} */
      const found = {}
      for (const workers of plan.scale) {
        const session = await startWarm(contender, { ...plan, workers })
        // Each worker compiles its code by itself: many need more time for that.
        const warmup = plan.warmup * (1 + workers / 8)
        const { all } = await throughput(session, 'add', [1, 2], IN_FLIGHT, { ...plan, warmup })
        await session.stop()
        if (all === undefined) return undefined
        found[`w${workers}`] = all
      }
      return found
    },
  },
  blocked: {
    title: 'the host thread is blocked',
    about:
      'At the beginning 2,000 calls wait. Each call rests for a millisecond and counts itself in a file. The figure is the rate of finished calls while the host thread is in a busy loop, as a share of the rate while the thread is free. Resting uses no processor, so the processor that the busy loop takes does not count.',
    figures: {
      kept: { title: 'of the free rate', unit: '%', better: 'more' },
      rate: { title: 'free rate', unit: 'calls/s', better: 'more' },
      all: { title: 'processor time of all while the thread is free', unit: 'µs/call', better: 'less' },
    },
    async run(session, plan) {
      let rate = 0
      const { all } = await measured(async () => {
        rate = await progress(session, plan, sleep)
        return plan.pending
      })
      const kept = ((await progress(session, plan, block)) / rate) * 100
      return { kept, rate, all }
    },
  },
  etl: {
    title: 'a job: 2 MB of flights as CSV',
    about:
      'Workers parse, aggregate, compress and hash chunks of 64 kB; the host adds up the results. `inline` is the same in one thread.',
    figures: { time: { title: 'the job', unit: 'ms', better: 'less' }, ...processor('ms') },
    local: true,
    async run(session, plan) {
      if (plan.flights === undefined) return undefined
      const chunks = await readChunks(plan.flights)
      const expected = totalOf(chunks.map(etl))
      const job = async () => {
        const parts = await Promise.all(chunks.map((chunk) => session.call('etl', [chunk])))
        return totalOf(/** @type {import('./etl.mjs').Part[]} */ (parts))
      }
      // Also the warm-up.
      checkEqual(await job(), expected)
      /** @type {number[]} */
      const durations = []
      const { host, all } = await measured(async () => {
        const deadline = performance.now() + plan.milliseconds
        do {
          const started = performance.now()
          await job()
          durations.push(performance.now() - started)
        } while (performance.now() < deadline)
        return durations.length
      })
      return { time: median(durations), host: times(host, 0.001), all: times(all, 0.001) }
    },
  },
}
