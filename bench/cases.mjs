// What is measured. A case runs inside the process of one contender, on a session that its contender has started (see
// contenders/index.mjs), and returns its figures by name.

import { block, record } from './functions.mjs'
import { checkEqual, latencies, percentile, throughput } from './measure.mjs'

/** Calls without an answer, at most, in the cases that keep workers busy. */
const IN_FLIGHT = 256

/**
 * @typedef {object} Case
 * @property {string} title
 * @property {Record<string, { unit: string, better: 'more' | 'less' }>} figures
 * @property {(session: import('./contenders/index.mjs').Session, plan: import('./measure.mjs').Plan) =>
 *   Promise<Record<string, number> | undefined>} run - Undefined: not for this contender.
 */

/**
 * @param {string} title
 * @param {string} name - Of the function.
 * @param {unknown[]} args
 * @param {unknown} result - What it must return.
 * @returns {Case}
 */
function busy(title, name, args, result) {
  return {
    title,
    figures: { rate: { unit: 'calls/s', better: 'more' } },
    async run(session, plan) {
      checkEqual(await session.call(name, args), result)
      return { rate: await throughput(session, name, args, IN_FLIGHT, plan) }
    },
  }
}

/** @type {Record<string, Case>} */
export const cases = {
  add: busy(`add(1, 2), ${IN_FLIGHT} in flight`, 'add', [1, 2], 3),
  hot: {
    title: 'add(1, 2), one at a time',
    figures: { p50: { unit: 'µs', better: 'less' }, p99: { unit: 'µs', better: 'less' } },
    async run(session, plan) {
      checkEqual(await session.call('add', [1, 2]), 3)
      const sorted = await latencies(session, 'add', [1, 2], plan)
      return { p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) }
    },
  },
  record: busy(`echo of a 240-byte record, ${IN_FLIGHT} in flight`, 'echo', [record], record),
  block: busy(`echo of 64 KiB, ${IN_FLIGHT} in flight`, 'echo', [block], block),
  map: {
    title: 'map over numbers',
    figures: { rate: { unit: 'items/s', better: 'more' } },
    async run(session, plan) {
      if (session.map === undefined) return undefined
      const items = Array.from({ length: plan.items }, (_, index) => index)
      const expected = (plan.items * (plan.items + 1)) / 2
      // The first time is for warming up.
      checkEqual(await session.map('increment', items), expected)
      const started = performance.now()
      let passes = 0
      do {
        checkEqual(await session.map('increment', items), expected)
        passes++
      } while (performance.now() - started < plan.milliseconds)
      return { rate: (passes * plan.items) / ((performance.now() - started) / 1000) }
    },
  },
}
