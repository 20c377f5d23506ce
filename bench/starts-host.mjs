// Measures one start method once, and prints the figures as JSON.
//
//   node bench/starts-host.mjs METHOD MODULE PLAN
//
// Workers are started by METHOD, and load the file MODULE of workers/ before their first call.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'

import { importTasks, ProcessPoolExecutor } from '../dist/index.js'
import { workerFile } from './contenders/installed.mjs'
import { sleep } from './measure.mjs'
import { memory, processorTime } from './proc.mjs'

/** @typedef {typeof import('./workers/starts.mjs')} Tasks */

/**
 * @typedef {object} StartsPlan
 * @property {number} workers - Workers that are started at once, at first and again at the end.
 * @property {number} more - Workers that are started one after the other in between.
 * @property {number} steps - Steps of arithmetic in a task.
 * @property {number} objects - Objects that a task makes.
 * @property {number} milliseconds - For each rate.
 * @property {number} results - Pools that are started for their first result.
 */

const [method, name = '', text = '{}'] = process.argv.slice(2)
const startMethod = /** @type {import('../dist/index.js').StartMethod} */ (method)
const plan = /** @type {StartsPlan} */ (JSON.parse(text))
const url = workerFile(name)
const tasks = /** @type {Tasks} */ (/** @type {unknown} */ (importTasks(url)))

/** @param {import('../dist/index.js').ProcessPoolOptions} options */
const open = (options) => new ProcessPoolExecutor({ execArgv: [], preload: [url], startMethod, ...options })

/** The times that a growing pool takes to start workers, and the memory of its workers. */
async function growth() {
  const before = memory()
  const pool = open({ maxWorkers: 2 * plan.workers + plan.more })
  /** @type {import('../dist/index.js').Future<unknown>[]} */
  const calls = []
  /**
   * Submits calls that never return, and waits until a worker has claimed each one.
   *
   * @param {number} count
   * @param {() => void} [onFirst]
   */
  const add = async (count, onFirst) => {
    const before = calls.length
    const started = performance.now()
    for (let call = 0; call < count; call++) calls.push(pool.submit(tasks.stay))
    for (let { running } = pool.stats(); running < before + count; { running } = pool.stats()) {
      if (running > before) onFirst?.()
      await sleep(0.5)
    }
    return performance.now() - started
  }
  let first = 0
  const started = performance.now()
  const all = await add(plan.workers, () => (first ||= performance.now() - started))
  first ||= all
  const after = memory()
  const more = []
  for (let worker = 0; worker < plan.more; worker++) more.push(await add(1))
  const again = await add(plan.workers)
  await pool.killWorkers()
  await Promise.allSettled(calls)
  const pss = before === undefined || after === undefined ? undefined : (after - before) / 1e6
  return { first, all, more: more.toSorted((a, b) => a - b)[more.length >> 1], again, pss }
}

/**
 * Calls per second, and milliseconds of processor time per call in all processes, when every worker is warm.
 *
 * @param {import('../dist/index.js').ProcessPoolOptions} options
 * @param {(pool: ProcessPoolExecutor) => import('../dist/index.js').Future<unknown>} call
 */
async function measure(options, call) {
  const maxWorkers = availableParallelism()
  const pool = open({ maxWorkers, ...options })
  /** @param {number} milliseconds */
  const run = async (milliseconds) => {
    const started = performance.now()
    let calls = 0
    const chain = async () => {
      do {
        await call(pool)
        calls++
      } while (performance.now() - started < milliseconds)
    }
    await Promise.all(Array.from({ length: maxWorkers * 2 }, chain))
    return { calls, rate: calls / ((performance.now() - started) / 1000) }
  }
  await run(plan.milliseconds / 2)
  const before = processorTime()
  const { calls, rate } = await run(plan.milliseconds)
  const after = processorTime()
  await pool.shutdown()
  const processor = before === undefined || after === undefined ? undefined : (after.all - before.all) / 1000 / calls
  return { rate, processor }
}

/** The processor time of all children that have ended, in milliseconds, if the system tells. It has ticks of 10 ms. */
function usedByChildren() {
  if (process.platform !== 'linux') return undefined
  const stat = readFileSync('/proc/self/stat', 'utf8')
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(13, 15)
  return 10 * (Number(user) + Number(system))
}

/** A task that comes as text. */
const inline = () => process.pid

/** @param {number[]} values */
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN

/**
 * The time from the making of a pool to its first result, for a task in a module and for a function of this program,
 * and `node -e 0` in alternation. The pools preload nothing.
 */
async function firstResults() {
  /** @type {Record<'node' | 'module' | 'inline' | 'used', number[]>} */
  const times = { node: [], module: [], inline: [], used: [] }
  let nodeUsed = 0
  for (let round = 0; round < plan.results; round++) {
    let started = performance.now()
    const before = usedByChildren()
    spawnSync(process.execPath, ['-e', '0'])
    times.node.push(performance.now() - started)
    nodeUsed += (usedByChildren() ?? Number.NaN) - (before ?? Number.NaN)
    for (const kind of /** @type {const} */ (['module', 'inline'])) {
      started = performance.now()
      const pool = new ProcessPoolExecutor({ execArgv: [], startMethod, maxWorkers: 1 })
      const result = await pool.submit(kind === 'module' ? tasks.used : inline)
      times[kind].push(performance.now() - started)
      if (kind === 'module') times.used.push(result)
      await pool.shutdown()
    }
  }
  const node = median(times.node)
  return {
    result: median(times.module),
    ratio: median(times.module) / node,
    inlineRatio: median(times.inline) / node,
    // What a forked worker has used is not what its server has used.
    usedRatio: startMethod === 'spawn' && nodeUsed > 0 ? median(times.used) / (nodeUsed / plan.results) : undefined,
  }
}

const results = await firstResults()
const grown = await growth()
const compute = await measure({}, (pool) => pool.submit(tasks.compute, plan.steps))
const allocate = await measure({}, (pool) => pool.submit(tasks.allocate, plan.objects))
const recycling = await measure({ maxTasksPerChild: 1 }, (pool) => pool.submit(tasks.pid))
console.log(
  JSON.stringify({
    ...results,
    ...grown,
    compute: compute.rate,
    computing: compute.processor,
    allocate: allocate.rate,
    allocating: allocate.processor,
    recycling: recycling.rate,
  }),
)
