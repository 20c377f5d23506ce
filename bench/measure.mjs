// How cases measure: for a fixed time, after a warm-up of the same kind; or the first calls of a new pool.

import { isDeepStrictEqual } from 'node:util'

import { named } from './functions.mjs'
import { processorTime } from './proc.mjs'

/**
 * @typedef {object} Plan
 * @property {number} workers
 * @property {number} cores
 * @property {number} warmup - Milliseconds before each figure.
 * @property {number} milliseconds - For each figure.
 * @property {number} items - Items of the input of `map`.
 * @property {number} huge - Bytes of the largest payload.
 * @property {number[]} scale - Numbers of workers.
 * @property {number} pending - Calls that wait when the host is blocked.
 * @property {number} starts - Pools that are started for the time to the first result.
 * @property {number} pools - Pools that are started for their first calls.
 * @property {number} share - Of the first calls of a pool, how many are made: 1 but in a smoke run.
 * @property {string | undefined} flights - The file of flights, if the data set is installed.
 * @property {string} node - The program whose start is compared with the start of pools.
 */

/** @typedef {import('./contenders/index.mjs').Session} Session */

/** @typedef {{ milliseconds: number } | { calls: number }} Limit - When no further call is made. */

/**
 * Keeps `inFlight` calls in flight up to the limit, and resolves to the number of calls when all are answered.
 *
 * @typedef {(session: Session, name: string, args: unknown[], inFlight: number, limit: Limit) => Promise<number>} Flood
 */

/** @typedef {{ rate: number, host?: number, all?: number }} Measured - Calls per second; microseconds a call. */

/**
 * Starts a session, and resolves when each of its workers has answered.
 *
 * @param {import('./contenders/index.mjs').Contender} contender
 * @param {Plan} plan
 */
export async function startWarm(contender, plan) {
  if (contender.start === undefined) throw new Error('it does not run in JavaScript')
  const session = await contender.start(plan)
  if (contender.local) return session
  const workers = new Set()
  const deadline = performance.now() + 60_000
  while (workers.size < plan.workers) {
    if (performance.now() > deadline) throw new Error(`only ${workers.size} of ${plan.workers} workers answer`)
    const calls = Array.from({ length: plan.workers * 2 }, () => session.call('rest', [10]))
    for (const worker of await Promise.all(calls)) workers.add(worker)
  }
  if (workers.size > plan.workers) throw new Error(`${workers.size} workers answer, not ${plan.workers}`)
  return session
}

/**
 * The rate of what `run` does, and the processor time of a call if it is known.
 *
 * @param {() => Promise<number>} run - Resolves to the number of calls.
 * @param {() => unknown} [settle] - Waits until all threads are at rest. Before and after a short run, because the
 *   system counts the time of a thread that runs at its ticks only.
 * @returns {Promise<Measured>}
 */
export async function measured(run, settle) {
  await settle?.()
  const before = processorTime()
  const started = performance.now()
  const calls = await run()
  const seconds = (performance.now() - started) / 1000
  await settle?.()
  const after = processorTime()
  const rate = calls / seconds
  if (before === undefined || after === undefined) return { rate }
  return { rate, host: (after.host - before.host) / calls, all: (after.all - before.all) / calls }
}

/**
 * Calls with `inFlight` calls in flight, after a warm-up.
 *
 * @param {Session} session
 * @param {string} name
 * @param {unknown[]} args
 * @param {number} inFlight
 * @param {Plan} plan
 * @param {Flood} [keep]
 */
export async function throughput(session, name, args, inFlight, plan, keep = flood) {
  await keep(session, name, args, inFlight, { milliseconds: plan.warmup })
  return await measured(() => keep(session, name, args, inFlight, { milliseconds: plan.milliseconds }))
}

/**
 * The first calls of a session, whose workers have answered other calls.
 *
 * @param {Session} session
 * @param {string} name
 * @param {unknown[]} args
 * @param {number} inFlight
 * @param {number} calls
 */
export const firstCalls = (session, name, args, inFlight, calls) =>
  measured(
    () => flood(session, name, args, inFlight, { calls }),
    () => sleep(20),
  )

/**
 * Whether no further call is to be made. With many calls in flight the clock is not read at each call: it costs about
 * as much as a call.
 *
 * @param {number} inFlight
 * @param {Limit} limit
 * @returns {(made: number) => boolean}
 */
export function untilOver(inFlight, limit) {
  if ('calls' in limit) return (made) => made >= limit.calls
  const deadline = performance.now() + limit.milliseconds
  const mask = inFlight >= 256 ? 63 : 0
  let over = false
  return (made) => {
    if ((made & mask) === 0 && performance.now() > deadline) over = true
    return over
  }
}

/** @type {Flood} */
function flood(session, name, args, inFlight, limit) {
  return (
    session.flood?.(name, args, inFlight, limit) ??
    new Promise((resolve, reject) => {
      const isOver = untilOver(inFlight, limit)
      let made = 0
      let answered = 0
      const make = () => {
        made++
        session.call(name, args).then(answer, reject)
      }
      const answer = () => {
        answered++
        if (!isOver(made)) make()
        else if (answered === made) resolve(answered)
      }
      for (let call = 0; call < inFlight && !isOver(made); call++) make()
    })
  )
}

/**
 * As many loops as calls in flight. Each awaits its call before it makes the next.
 *
 * @type {Flood}
 */
export async function awaitInLoops(session, name, args, inFlight, limit) {
  const isOver = untilOver(inFlight, limit)
  let made = 0
  const loop = async () => {
    while (!isOver(made)) {
      made++
      await session.call(name, args)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, loop))
  return made
}

/**
 * The durations of calls in microseconds, sorted. One call follows the other.
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
 * How many steps `spin` makes in `milliseconds` here and now, and how long these steps really take. The shortest of
 * several attempts counts: the others were interrupted.
 *
 * @param {number} milliseconds
 */
export function calibrate(milliseconds) {
  const spin = named('spin')
  /** @param {number} steps */
  const time = (steps) => {
    let least = Infinity
    for (let attempt = 0; attempt < 7; attempt++) {
      const started = performance.now()
      spin(steps)
      least = Math.min(least, performance.now() - started)
    }
    return least
  }
  // Has the optimizing compiler compile `spin`.
  time(1_000_000)
  const steps = Math.round((milliseconds * 1_000_000) / time(1_000_000))
  // Short tasks are timed by the dozen, so that a tick of the clock does not matter.
  const times = Math.max(1, Math.round(1 / milliseconds))
  return { steps, milliseconds: time(steps * times) / times }
}

/**
 * @param {number[]} sorted
 * @param {number} share
 */
export function percentile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

/**
 * Throws if an answer is wrong: a contender with wrong answers has no figures.
 *
 * @param {unknown} actual
 * @param {unknown} expected
 */
export function checkEqual(actual, expected) {
  const same =
    actual instanceof Uint8Array && expected instanceof Uint8Array ? Buffer.compare(actual, expected) === 0 : undefined
  if (!(same ?? isDeepStrictEqual(actual, expected))) {
    throw new Error(`the answer is ${String(actual).slice(0, 100)}, not ${String(expected).slice(0, 100)}`)
  }
}

/** @param {number} milliseconds */
export const sleep = (milliseconds) =>
  new Promise((resolve) => {
    setTimeout(resolve, milliseconds)
  })
