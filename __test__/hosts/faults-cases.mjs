// Cases of faults other than kills. Runs one case and says what was seen; the test judges.

import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { defineTasks, isWorker, ProcessPoolExecutor } from 'millrace'
import { children } from '../helpers/holdings.mjs'
import { isAlive, workersOf } from '../helpers/processes.mjs'
import { startMethod } from '../helpers/start-method.mjs'
import { until } from '../helpers/patience.mjs'

const word = new Int32Array(new SharedArrayBuffer(4))

/** What a worker keeps. @type {Uint8Array[]} */
const kept = []

const tasks = defineTasks(import.meta.url, {
  /** @type {(path: string, id: number, ms?: number, gate?: string) => Promise<number>} */
  note: async (path, id, ms = 0, gate) => {
    appendFileSync(path, `${id}\n`)
    const isShut = () => gate !== undefined && !existsSync(gate)
    while (isShut()) await sleep(2)
    if (ms > 0) await sleep(ms)
    return id
  },
  /** @type {(bytes: Uint8Array) => number} */
  keep: (bytes) => kept.push(bytes),
})

/** Bytes of large arguments, which the worker keeps. */
const LARGE = 5_000_000

/**
 * @typedef {{ pool: ProcessPoolExecutor, submit: (id: number, options?: any) => import('millrace').Future<number>,
 * gate: string }} Tools
 */

/** Waits until a worker has stopped. @param {Tools} tools */
const stopped = ({ pool }) =>
  until(
    'a worker to stop',
    () => workersOf().some(({ state }) => state === 'T'),
    () => pool.dumpState(),
  )

/** The calls of each case. */
const cases = {
  /** The second call does not end in time. @param {Tools} tools */
  timeout: async ({ submit }) => [submit(0), submit(1, { timeout: 200 }), submit(2)],

  /** The same, with time enough for what it does before it is delayed. @param {Tools} tools */
  late: async ({ submit }) => [submit(0), submit(1, { timeout: 1000 }), submit(2)],

  /** @param {Tools} tools */
  kill: async (tools) => {
    const futures = [tools.submit(0), tools.submit(1), tools.submit(2)]
    await stopped(tools)
    return [...futures, futures[1]?.cancel(), futures[1]?.cancel({ kill: true })]
  },

  /** The worker stops before a claim, so no clock runs yet. @param {Tools} tools */
  unclaimed: async (tools) => {
    const futures = [tools.submit(0), tools.submit(1, { timeout: 200 })]
    await stopped(tools)
    await sleep(600)
    const { state } = futures[1] ?? {}
    const cancelled = futures[1]?.cancel()
    await tools.pool.killWorkers()
    return [...futures, state, cancelled]
  },

  /** Arguments for which there are no pages yet. @param {Tools} tools */
  large: async ({ pool }) =>
    Promise.all(Array.from({ length: 4 }, () => pool.submit(tasks.keep, new Uint8Array(LARGE)))),

  /** @param {Tools} tools */
  terminate: async (tools) => {
    const futures = [tools.submit(0), tools.submit(1), tools.submit(2)]
    await stopped(tools)
    await tools.pool.terminateWorkers()
    return futures
  },

  /** @param {Tools} tools */
  shutdown: async (tools) => {
    const futures = [tools.submit(0), tools.submit(1), tools.submit(2)]
    await stopped(tools)
    await tools.pool.shutdown({ timeout: 200, kill: true })
    return futures
  },

  /** Cancels four calls while the worker is on the way to the claim of the first. @param {Tools} tools */
  cancelBefore: async ({ submit }) => {
    await submit(0)
    const futures = [1, 2, 3, 4].map((id) => submit(id))
    await sleep(50)
    return [...futures, ...futures.map((future) => future.cancel())]
  },

  /** Cancels four calls once the first of them is claimed. @param {Tools} tools */
  cancelAfter: async ({ pool, submit }) => {
    await submit(0)
    const futures = [1, 2, 3, 4].map((id) => submit(id))
    await until(
      'the claim',
      () => futures[0]?.running(),
      () => pool.dumpState(),
    )
    return [...futures, ...futures.map((future) => future.cancel())]
  },

  /** Starts that fail: the thrown errors, and the outcome of a later call. @param {Tools} tools */
  spawn: async ({ pool, submit }) => {
    const seen = []
    try {
      seen.push(submit(0))
    } catch (error) {
      const { queued, running, failed, workers } = pool.stats()
      seen.push(described(error), { queued, running, failed, workers: workers.length })
    }
    return [...seen, submit(1), submit(2)]
  },

  /** A call that only a second worker can run, because the first one is busy. @param {Tools} tools */
  second: async ({ submit }) => {
    const busy = submit(0, { ms: 600_000 })
    await until('the call to run', () => busy.running())
    const other = submit(1)
    await other
    return [other, busy.cancel({ kill: true })]
  },

  /** A worker that cannot be replaced. @param {Tools} tools */
  respawn: async ({ submit }) => {
    const futures = [submit(0), submit(1, { timeout: 100, ms: 60_000 }), submit(2), submit(3)]
    await Promise.allSettled(futures)
    try {
      return [...futures, submit(4)]
    } catch (error) {
      return [...futures, described(error)]
    }
  },

  /** Two calls, about which the host hears nothing before both workers have ended. @param {Tools} tools */
  both: async ({ pool, submit, gate }) => {
    const futures = [submit(0, { gate }), submit(1, { gate })]
    await until(
      'both to run',
      () => futures.every((future) => future.running()),
      () => pool.dumpState(),
    )
    const { workers } = pool.stats()
    writeFileSync(gate, '')
    while (workers.some(({ pid }) => isAlive(pid))) Atomics.wait(word, 0, 0, 5)
    return futures
  },

  /** @param {Tools} tools */
  calls: async ({ submit }) => Array.from({ length: 6 }, (_, id) => submit(id)),
}

/** @param {any} error */
function described(error) {
  const { name, code, pid, exitCode, signal, stage, workers, hint, cause } = error
  const { syscall, code: causeCode } = cause ?? {}
  const task = workers?.[0]?.task?.taskId
  return { name, code, pid, exitCode, signal, stage, task, hint, syscall, causeCode, message: error.message }
}

/** @param {unknown} seen */
async function told(seen) {
  if (seen === null || typeof (/** @type {any} */ (seen)?.exception) !== 'function') return seen
  const future = /** @type {import('millrace').Future<unknown>} */ (seen)
  if (future.outcome === 'cancelled') return 'cancelled'
  const error = await future.exception()
  return future.outcome === 'value' ? await future : described(error)
}

/** @param {{ name: keyof typeof cases, options?: import('millrace').ProcessPoolOptions, fault?: string }} input */
async function main({ name, options = {}, fault }) {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-faults-'))
  const path = join(directory, 'log')
  const env = fault === undefined ? {} : { env: { ...process.env, MILLRACE_FAULT: fault } }
  let pool
  try {
    pool = new ProcessPoolExecutor({
      maxWorkers: 1,
      onWorkerDeath: 'isolate',
      execArgv: [],
      startMethod,
      ...env,
      ...options,
    })
  } catch (error) {
    return console.log(JSON.stringify({ refused: described(error) }))
  }
  const exits = /** @type {unknown[]} */ ([])
  const warnings = /** @type {unknown[]} */ ([])
  pool.on('workerExit', ({ reason, exitCode, signal }) => exits.push(`${reason} ${exitCode ?? signal}`))
  pool.on('warning', (error) => warnings.push(described(error)))
  /** @type {Tools['submit']} */
  const submit = (id, { ms, gate, ...limits } = {}) => pool.run(tasks.note, [path, id, ms, gate], limits)
  const seen = await cases[name]({ pool, submit, gate: join(directory, 'gate') })
  const all = Promise.all(seen.map((each) => told(each)))
  let settled = false
  void all.then(() => (settled = true))
  await until(
    name,
    () => settled,
    () => pool.dumpState(),
    () => exits.length + warnings.length,
  )
  let stopped = false
  void pool.shutdown().then(() => (stopped = true))
  await until(
    'the shutdown',
    () => stopped,
    () => pool.dumpState(),
    () => exits.length,
  )
  const ran = existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1).map(Number) : []
  rmSync(directory, { recursive: true })
  console.log(JSON.stringify({ seen: await all, ran, exits, warnings, left: children() }))
}

if (!isWorker) await main(JSON.parse(process.argv[2] ?? '{}'))
