// The cases: what is measured, with which figures. A case runs in the process of one contender and returns its figures
// by name. Most cases use the session that the contender has started (see contenders/index.mjs), some start sessions of
// their own. contenders/cpython.py has the same cases in Python.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { etl, readChunks, total } from './etl.mjs'
import { bytes, named, record, text } from './functions.mjs'
import { calibrate, checkEqual, latencies, percentile, sleep, startWarm, throughput } from './measure.mjs'
import { memory } from './proc.mjs'

/** Calls in flight, in the cases of small calls. */
const IN_FLIGHT = 256

/** Items per chunk, for a contender whose user cuts the chunks. */
const CHUNK = 1000

/**
 * @typedef {object} Figure
 * @property {string} title
 * @property {string} unit
 * @property {'more' | 'less'} better
 */

/** @typedef {Record<string, number> | undefined} Found - Undefined: the case does not apply here. */

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

/** @type {Record<string, Figure>} */
const PROCESSOR = {
  host: { title: 'processor time of the host thread', unit: 'µs/call', better: 'less' },
  all: { title: 'processor time of all', unit: 'µs/call', better: 'less' },
}

/**
 * @param {{ title: string, about: string, name: string, args: (plan: import('./measure.mjs').Plan) => unknown[],
 *   inFlight: number, cpu?: boolean }} options
 * @returns {Case}
 */
function busy({ title, about, name, args, inFlight, cpu = false }) {
  return {
    title: `${title}, ${inFlight} in flight`,
    about,
    figures: cpu ? { ...RATE, ...PROCESSOR } : RATE,
    local: true,
    async run(session, plan) {
      const made = args(plan)
      checkEqual(await session.call(name, made), named(name)(...made))
      const found = await throughput(session, name, made, inFlight, plan)
      return cpu ? found : { rate: found.rate }
    },
  }
}

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
    figures: { efficiency: { title: 'of the ideal', unit: '%', better: 'more' } },
    local: true,
    async run(session, plan) {
      const { steps, milliseconds: alone } = calibrate(milliseconds)
      checkEqual(await session.call('spin', [steps]), named('spin')(steps))
      const { rate } = await throughput(session, 'spin', [steps], inFlight, plan)
      return { efficiency: (rate * alone) / 10 / Math.min(plan.workers, plan.cores) }
    },
  }
}

/**
 * A map over chunks cut by hand, for a contender without `map`.
 *
 * @param {import('./contenders/index.mjs').Session} session
 * @param {number[]} items
 */
async function mapByHand(session, items) {
  const calls = []
  for (let at = 0; at < items.length; at += CHUNK) {
    calls.push(session.call('incrementAll', [items.slice(at, at + CHUNK)]))
  }
  let sum = 0
  for (const values of await Promise.all(calls)) for (const value of /** @type {number[]} */ (values)) sum += value
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

/** @type {Record<string, Case>} */
export const cases = {
  add: busy({
    title: 'add(1, 2)',
    about: 'The smallest call.',
    name: 'add',
    args: () => [1, 2],
    inFlight: IN_FLIGHT,
    cpu: true,
  }),
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
  record: busy({
    title: 'echo of a record',
    about: 'A plain object with nested objects, numbers, strings and a list: 240 bytes as JSON.',
    name: 'echo',
    args: () => [record],
    inFlight: IN_FLIGHT,
    cpu: true,
  }),
  text: busy({
    title: 'echo of a string of 1 KiB',
    about: 'ASCII.',
    name: 'echo',
    args: () => [text],
    inFlight: IN_FLIGHT,
    cpu: true,
  }),
  block: busy({
    title: 'echo of 64 KiB',
    about: 'A Uint8Array (in CPython bytes), sent by copy.',
    name: 'echo',
    args: () => [bytes(65_536)],
    inFlight: IN_FLIGHT,
    cpu: true,
  }),
  large: busy({
    title: 'echo of 1 MiB',
    about: 'A Uint8Array, with fewer calls in flight.',
    name: 'echo',
    args: () => [bytes(1 << 20)],
    inFlight: 16,
  }),
  huge: busy({
    title: 'echo of 64 MiB',
    about: 'A Uint8Array, with fewer calls in flight.',
    name: 'echo',
    args: (plan) => [bytes(plan.huge)],
    inFlight: 2,
  }),
  task10us: task('10 µs', 0.01, IN_FLIGHT),
  task1ms: task('1 ms', 1, 32),
  task10ms: task('10 ms', 10, 8),
  map: {
    title: 'map over a million numbers',
    about: `Millrace (with \`chunksize: 'auto'\`) and CPython have a \`map\`; for the others the items are cut into chunks of ${CHUNK} by hand.`,
    figures: { rate: { title: 'rate', unit: 'items/s', better: 'more' } },
    local: true,
    async run(session, plan) {
      const items = Array.from({ length: plan.items }, (_, index) => index)
      const expected = (plan.items * (plan.items + 1)) / 2
      const map = async () =>
        checkEqual(await (session.map?.('increment', items) ?? mapByHand(session, items)), expected)
      // The warm-up.
      await map()
      const started = performance.now()
      let passes = 0
      do {
        await map()
        passes++
      } while (performance.now() - started < plan.milliseconds)
      return { rate: (passes * plan.items) / ((performance.now() - started) / 1000) }
    },
  },
  cold: {
    title: 'first result of a new pool',
    about:
      'The time from the making of a pool to the result of its first call, in a program that has loaded its library already; and the same as a multiple of the run time of `node -e 0`, measured in alternation.',
    figures: {
      first: { title: 'first result', unit: 'ms', better: 'less' },
      ratio: { title: 'in starts of Node', unit: '× node -e 0', better: 'less' },
    },
    async alone(contender, plan) {
      if (contender.start === undefined) return undefined
      const [first, node] = [/** @type {number[]} */ ([]), /** @type {number[]} */ ([])]
      for (let start = 0; start < plan.starts; start++) {
        let started = performance.now()
        spawnSync(plan.node, ['-e', '0'])
        node.push(performance.now() - started)
        started = performance.now()
        const session = await contender.start(plan)
        checkEqual(await session.call('add', [1, 2]), 3)
        first.push(performance.now() - started)
        await session.stop()
      }
      return { first: median(first), ratio: median(first) / median(node) }
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
    about: 'Processor time of the host and all workers for each call: the cost of more workers than there is work for.',
    figures: Object.fromEntries(
      [1, 2, 4, 16, 64].map((workers) => [
        `w${workers}`,
        { title: workers === 1 ? '1 worker' : `${workers} workers`, unit: 'µs/call', better: 'less' },
      ]),
    ),
    async alone(contender, plan) {
      /** @type {Record<string, number>} */
      const found = {}
      for (const workers of plan.scale) {
        const session = await startWarm(contender, { ...plan, workers })
        const { all } = await throughput(session, 'add', [1, 2], IN_FLIGHT, plan)
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
    },
    async run(session, plan) {
      const rate = await progress(session, plan, sleep)
      return { kept: ((await progress(session, plan, block)) / rate) * 100, rate }
    },
  },
  etl: {
    title: 'a job: 2 MB of flights as CSV',
    about:
      'Workers parse, aggregate, compress and hash chunks of 64 kB; the host adds up the results. `inline` is the same in one thread.',
    figures: { time: { title: 'the job', unit: 'ms', better: 'less' } },
    local: true,
    async run(session, plan) {
      if (plan.flights === undefined) return undefined
      const chunks = await readChunks(plan.flights)
      const expected = total(chunks.map(etl))
      const job = async () => {
        const parts = await Promise.all(chunks.map((chunk) => session.call('etl', [chunk])))
        return total(/** @type {import('./etl.mjs').Part[]} */ (parts))
      }
      // Also the warm-up.
      checkEqual(await job(), expected)
      const times = []
      const deadline = performance.now() + plan.milliseconds
      do {
        const started = performance.now()
        await job()
        times.push(performance.now() - started)
      } while (performance.now() < deadline)
      return { time: median(times) }
    },
  },
}
