// Has a worker die at a step of its journal, and checks the outcome of each item. Says one line for each combination.

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { isDeepStrictEqual } from 'node:util'
import { BrokenProcessPool, isWorker, ProcessPoolExecutor, WorkerDiedError } from 'millrace'
import { payload, tasks } from '../fixtures/chunk-faults.mjs'
import { startMethod } from '../helpers/start-method.mjs'
import { patience } from '../helpers/patience.mjs'

/**
 * @typedef {object} Combination
 * @property {string} point The step; `native:POINT` for a fault point of the binding.
 * @property {'first' | 'middle' | 'last'} where The item of the chunk.
 * @property {'scalar' | 'object' | 'rest'} size The outcome of that item.
 * @property {'isolate' | 'break'} policy
 * @property {boolean} later Whether items return promises.
 */

const ITEMS = 30
const CHUNK = 10
const indexes = { first: 0, middle: 5, last: CHUNK - 1 }

/** Steps before the first item. */
const beforeItems = new Set(['native:after-claim', 'native:mid-args', 'native:before-call'])

/**
 * The items that are lost, by their index, and how often they ran. Only the first chunk meets the fault.
 *
 * @param {Combination} combination
 * @returns {{ lost: number, ran: number } | undefined}
 */
function expected({ point, where, size }) {
  const index = indexes[where]
  switch (point) {
    case 'begun':
      return { lost: 0, ran: 0 }
    case 'headed':
    case 'kept':
    case 'ended':
      return { lost: index, ran: 1 }
    case 'advanced':
      if (size === 'rest') return { lost: index, ran: 1 }
      return where === 'last' ? undefined : { lost: index + 1, ran: 0 }
    case 'native:result-reserved':
    case 'native:mid-result':
    case 'native:before-commit':
    case 'before-answer':
      return size === 'rest' ? { lost: index, ran: 1 } : undefined
    case 'before-begin':
    case 'answered':
    case 'closed':
    case 'native:before-ring':
    case 'native:after-ring':
      return undefined
    default:
      throw new Error(`${point} is not known here`)
  }
}

/** @param {Combination} combination @param {string} directory */
async function run(combination, directory) {
  const { point, where, size, policy, later } = combination
  const problems = /** @type {string[]} */ ([])
  /** @type {(holds: unknown, problem: string) => void} */
  const check = (holds, problem) => void (holds || problems.push(problem))
  const log = join(directory, 'log')
  const once = join(directory, 'once')
  for (const path of [log, once]) rmSync(path, { force: true })
  const isNative = point.startsWith('native:')
  const fault = { point, index: indexes[where], once }
  const pool = new ProcessPoolExecutor({
    maxWorkers: 1,
    onWorkerDeath: policy,
    execArgv: [],
    startMethod,
    env: {
      ...process.env,
      // The first call of a worker is a chunk; its replacement may die by the same fault.
      ...(isNative ? { MILLRACE_FAULT: `${point.slice(7)}:kill@1` } : {}),
      ...(isNative ? {} : { MILLRACE_TEST_CHUNK_FAULT: JSON.stringify(fault) }),
    },
  })
  let deaths = 0
  pool.on('workerExit', ({ reason }) => (deaths += Number(reason === 'died')))
  const items = Array.from({ length: ITEMS }, (_, id) => {
    const isTarget = id % CHUNK === indexes[where] && (id < CHUNK || isNative)
    return { log, id, size: isTarget ? size : 'scalar' }
  })
  const results = pool.map(later ? tasks.noteLater : tasks.note, items, { chunksize: CHUNK })
  const failed = /** @type {number[]} */ ([])
  const timer = setTimeout(() => {
    throw new Error(`${JSON.stringify(combination)} hangs\n${pool.dumpState()}`)
  }, 6 * patience())
  for (const { id, size } of items) {
    try {
      const { value } = await results.next()
      check(isDeepStrictEqual(value, payload(id, size)), `item ${id} has another value`)
    } catch (error) {
      failed.push(id)
      const Wanted = policy === 'isolate' ? WorkerDiedError : BrokenProcessPool
      check(error instanceof Wanted, `item ${id}: ${String(error)}`)
    }
  }
  // The error that ends a map may come again.
  const end = await results.next().catch(() => ({ done: policy === 'break' }))
  check(end.done === true, 'there are more results than items')
  clearTimeout(timer)
  await pool.shutdown()

  const counts = Array(ITEMS).fill(0)
  for (const line of existsSync(log) ? readFileSync(log, 'utf8').split('\n').slice(0, -1) : []) counts[Number(line)]++
  for (const [id, count] of counts.entries()) {
    check(count <= 1, `item ${id} ran ${count} times`)
    check(count === 1 || failed.includes(id), `item ${id} has a value and did not run`)
  }
  check(deaths >= 1, 'no worker died')
  if (!isNative) {
    check(deaths === 1, `${deaths} workers died`)
    const loss = expected(combination)
    if (loss !== undefined) check(counts[loss.lost] === loss.ran, `the lost item ran ${counts[loss.lost]} times`)
    // An outcome that is larger than the journal ends its chunk.
    const answered = size === 'rest' ? indexes[where] + 1 : CHUNK
    const finished = loss?.lost ?? (point === 'before-begin' ? 0 : answered)
    const wanted =
      policy === 'isolate'
        ? loss === undefined
          ? []
          : [loss.lost]
        : Array.from({ length: ITEMS - finished }, (_, at) => finished + at)
    check(isDeepStrictEqual(failed, wanted), `failed: ${failed.join(' ')}, and not ${wanted.join(' ')}`)
  } else if (beforeItems.has(point)) {
    check(failed.length === ITEMS && counts.every((count) => count === 0), `${failed.length} items failed`)
    // Three deaths for the first item of each chunk, and one for each other item.
    check(deaths === ITEMS + (2 * ITEMS) / CHUNK, `${deaths} workers died`)
  } else if (policy === 'isolate') {
    // Each worker dies with its first answer.
    const wanted =
      expected(combination) === undefined ? [] : items.filter((item) => item.size === 'rest').map(({ id }) => id)
    check(isDeepStrictEqual(failed, wanted), `failed: ${failed.join(' ')}, and not ${wanted.join(' ')}`)
    // The last worker may end with the pool.
    check(deaths >= ITEMS / CHUNK - 1, `${deaths} workers died`)
  }
  return { ...combination, failed: failed.length, deaths, problems }
}

async function main() {
  /** @type {Combination[]} */
  const combinations = JSON.parse(process.argv[2] ?? '[]')
  const directory = mkdtempSync(join(tmpdir(), 'millrace-chunks-'))
  for (const combination of combinations) console.log(JSON.stringify(await run(combination, directory)))
  rmSync(directory, { recursive: true })
}

if (!isWorker) await main()
