// How it is measured: for a fixed time, after a warm-up of the same kind.

import { isDeepStrictEqual } from 'node:util'

/**
 * @typedef {object} Plan
 * @property {number} workers
 * @property {number} warmup - Milliseconds.
 * @property {number} milliseconds - For each figure.
 * @property {number} items - Of the input of `map`.
 */

/** @typedef {import('./contenders/index.mjs').Session} Session */

/**
 * Calls a second, with so many in flight.
 *
 * @param {Session} session
 * @param {string} name
 * @param {unknown[]} args
 * @param {number} inFlight
 * @param {Plan} plan
 */
export async function throughput(session, name, args, inFlight, plan) {
  const flood = session.flood?.bind(session) ?? floodByPromises.bind(undefined, session)
  await flood(name, args, inFlight, plan.warmup)
  const started = performance.now()
  const calls = await flood(name, args, inFlight, plan.milliseconds)
  return calls / ((performance.now() - started) / 1000)
}

/**
 * Keeps so many calls in flight for some time, and resolves to their number when all are answered.
 *
 * @param {Session} session
 * @param {string} name
 * @param {unknown[]} args
 * @param {number} inFlight
 * @param {number} milliseconds
 * @returns {Promise<number>}
 */
function floodByPromises(session, name, args, inFlight, milliseconds) {
  return new Promise((resolve, reject) => {
    const deadline = performance.now() + milliseconds
    let made = 0
    let answered = 0
    let over = false
    const make = () => {
      made++
      session.call(name, args).then(answer, reject)
    }
    const answer = () => {
      // The clock is not read at each call: it costs about as much as one.
      if ((++answered & 63) === 0 && performance.now() > deadline) over = true
      if (!over) make()
      else if (answered === made) resolve(answered)
    }
    for (let call = 0; call < inFlight; call++) make()
  })
}

/**
 * The duration of each call in microseconds, one call after the other; sorted.
 *
 * @param {Session} session
 * @param {string} name
 * @param {unknown[]} args
 * @param {Plan} plan
 */
export async function latencies(session, name, args, plan) {
  const warm = performance.now() + plan.warmup
  while (performance.now() < warm) await session.call(name, args)
  const durations = []
  const deadline = performance.now() + plan.milliseconds
  for (let started = performance.now(); started < deadline;) {
    await session.call(name, args)
    const ended = performance.now()
    durations.push((ended - started) * 1000)
    started = ended
  }
  return durations.sort((a, b) => a - b)
}

/**
 * @param {number[]} sorted
 * @param {number} share
 */
export function percentile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

/**
 * A contender that answers wrongly has no figures.
 *
 * @param {unknown} actual
 * @param {unknown} expected
 */
export function checkEqual(actual, expected) {
  const same =
    actual instanceof Uint8Array && expected instanceof Uint8Array ? Buffer.compare(actual, expected) === 0 : undefined
  if (!(same ?? isDeepStrictEqual(actual, expected))) {
    throw new Error(`The answer is ${String(actual).slice(0, 100)}, not ${String(expected).slice(0, 100)}`)
  }
}
