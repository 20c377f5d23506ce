// Finalizers of objects that are collected. Needs --expose-gc.

import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import { isMainThread, parentPort, threadId, Worker, workerData } from 'node:worker_threads'
import { Finalize, runFinalizers, runFinalizersAsync } from 'millrace'
import { Random } from '../helpers/random.mjs'
import { say } from './observe.mjs'

/** @param {() => boolean} condition */
async function collectUntil(condition) {
  while (!condition()) {
    await sleep(2)
    globalThis.gc?.()
  }
}

/** Collects for longer than any expected collection takes, while something must not happen. */
async function collectForLong() {
  for (let round = 0; round < 20; round++) {
    await sleep(2)
    globalThis.gc?.()
  }
}

/** @type {Record<string, () => unknown>} */
const scenarios = {
  /** test_finalize of CPython's _test_multiprocessing.py. */
  'as in Python': async () => {
    /** @type {string[]} */
    const calls = []
    const send = (/** @type {string} */ name) => calls.push(name)
    const make = (/** @type {string} */ name, /** @type {number} */ exitPriority) => {
      const obj = {}
      new Finalize(obj, send, { args: [name], exitPriority })
      return obj
    }
    ;(() => new Finalize({}, send, { args: ['a'] }))()
    await collectUntil(() => calls.length > 0)
    ;(() => {
      const closeB = new Finalize({}, send, { args: ['b'] })
      closeB.call()
      closeB.call()
    })()
    await collectForLong()
    const c = {}
    new Finalize(c, send, { args: ['c'] })
    const rest = [make('d10', 1), make('d01', 0), make('d02', 0), make('d03', 0)]
    new Finalize(null, send, { args: ['e'], exitPriority: -10 })
    process.on('exit', () => say([calls, typeof c, rest.length]))
    process.exit()
  },

  'each trigger': async () => {
    /** @type {unknown[]} */
    const calls = []
    const send = (/** @type {unknown[]} */ ...args) => calls.push(args)
    /** @type {Finalize<any>[]} */
    const finalizers = []
    const keep = {}
    ;(() => {
      const circle = { self: {} }
      circle.self = circle
      finalizers.push(new Finalize(circle, send, { args: ['a circle', 1] }))
      finalizers.push(new Finalize(() => {}, send, { args: ['a function'], exitPriority: 5 }))
      const twice = {}
      finalizers.push(new Finalize(twice, send, { args: ['first of two'] }))
      finalizers.push(new Finalize(twice, send, { args: ['second of two'] }))
      // Nobody holds this finalizer.
      new Finalize({}, send, { args: ['dropped'] })
      new Finalize({}, send, { args: ['cancelled'] }).cancel()
      new Finalize({}, send, { args: ['called'], exitPriority: 1 }).call()
      new Finalize({}, send, { args: ['passed'], exitPriority: 100 })
      runFinalizers(100)
      finalizers.push(new Finalize(keep, send, { args: ['kept'] }))
    })()
    await collectUntil(() => calls.length >= 7)
    await collectForLong()
    runFinalizers(0)
    const active = finalizers.map((one) => one.stillActive())
    say({ calls: calls.map((args) => /** @type {unknown[]} */ (args).join(' ')).sort(), active, kept: typeof keep })
  },

  'what the callback throws': async () => {
    /** @type {string[]} */
    const warnings = []
    process.removeAllListeners('warning').on('warning', ({ message }) => warnings.push(message))
    ;(() => {
      new Finalize({}, function thrower() {
        throw new Error('boom')
      })
      new Finalize({}, async function rejecter() {
        throw new Error('boom')
      })
      new Finalize({}, async function patient() {
        await turn()
      })
    })()
    await collectUntil(() => warnings.length >= 2)
    await collectForLong()
    say(warnings.sort())
  },

  /** An entry that is over holds nothing, although its Finalize and its object live. */
  'what is over': async () => {
    const obj = {}
    /** @type {Finalize<any>[]} */
    const over = []
    const big = ((/** @type {WeakRef<object>[]} */ refs) => {
      for (const end of ['call', 'cancel', 'pass', 'forgotten']) {
        const arg = { end }
        refs.push(new WeakRef(arg))
        const exitPriority = end === 'pass' ? { exitPriority: 0 } : {}
        const one = new Finalize(obj, (/** @type {object} */ given) => typeof given, { args: [arg], ...exitPriority })
        if (end === 'call') one.call()
        if (end === 'cancel') one.cancel()
        over.push(one)
      }
      runFinalizers()
      return refs
    })([])
    await collectUntil(() => big.every((ref) => ref.deref() === undefined))
    say([typeof obj, over.map((one) => one.stillActive())])
  },

  storm: async () => say(await storm()),

  'storms in threads': async () => {
    const threads = Array.from({ length: 3 }, () => new Worker(new URL(import.meta.url), { workerData: input }))
    const theirs = threads.map((thread) => new Promise((resolve) => thread.once('message', resolve)))
    say(await Promise.all([storm(), ...theirs]))
  },
}

/**
 * bpo-24484, made worse: one actor runs passes, others register, call, cancel and drop, and so do the callbacks.
 *
 * @returns What was wrong, and how often each thing happened.
 */
async function storm() {
  const { seconds, seed } = input
  const random = new Random(seed + threadId)
  const chance = (/** @type {number} */ share) => random.next() < share
  const priority = () => random.below(20) - 10
  /**
   * @type {{ finalizer: Finalize<any>, runs: number, cancelled: boolean, hasPriority: boolean, obj: object | null }[]}
   */
  const made = []
  const counts = { called: 0, cancelled: 0, collected: 0, passed: 0, thrown: 0, warnings: 0, strays: 0 }
  let calls = 0
  process.removeAllListeners('warning').on('warning', () => counts.warnings++)
  process.on('uncaughtException', () => counts.strays++)

  const pass = () => {
    if (chance(0.05)) runFinalizers()
    else runFinalizers(priority())
  }
  const act = () => {
    // One of those that may still be active.
    const one = made[made.length - 1 - random.below(Math.min(made.length, 100))]
    const kind = random.next()
    if (kind < 0.4 || one === undefined) register()
    else if (kind < 0.55) {
      if (one.finalizer.stillActive()) {
        one.cancelled = true
        counts.cancelled++
      }
      one.finalizer.cancel()
    } else if (kind < 0.7) {
      calls++
      try {
        one.finalizer.call()
      } catch {
        counts.thrown++
      }
      calls--
    } else one.obj = null
  }
  const run = (/** @type {number} */ index) => {
    const one = /** @type {typeof made[number]} */ (made[index])
    one.runs++
    if (calls > 0) counts.called++
    else if (one.hasPriority) counts.passed++
    else counts.collected++
    if (chance(0.3)) act()
    if (chance(0.02)) pass()
    if (chance(0.1)) globalThis.gc?.({ type: 'minor' })
    if (chance(0.05)) throw new Error('boom')
    return undefined
  }
  const register = () => {
    const hasPriority = chance(0.6)
    const obj = {}
    const args = /** @type {[number]} */ ([made.length])
    const finalizer = new Finalize(obj, run, { args, ...(hasPriority ? { exitPriority: priority() } : {}) })
    made.push({ finalizer, runs: 0, cancelled: false, hasPriority, obj: chance(0.7) ? obj : null })
  }

  const deadline = performance.now() + seconds * 1000
  const until = async (/** @type {() => unknown} */ step) => {
    while (performance.now() < deadline) {
      step()
      await turn()
    }
  }
  await Promise.all([
    until(pass),
    until(() => runFinalizersAsync(priority())),
    until(() => {
      for (let index = 0; index < 20; index++) act()
    }),
    until(() => chance(0.05) && globalThis.gc?.()),
  ])
  await runFinalizersAsync()
  runFinalizers()
  await turn()
  const wrong = made.filter(
    ({ finalizer, runs, cancelled, hasPriority }) =>
      finalizer.stillActive() || runs > 1 || (cancelled && runs > 0) || (hasPriority && !cancelled && runs !== 1),
  )
  return { ...counts, made: made.length, wrong: wrong.length }
}

const input = isMainThread ? JSON.parse(process.argv[2] ?? '{}') : workerData
if (isMainThread) await scenarios[input.scenario]?.()
else parentPort?.postMessage(await storm())
