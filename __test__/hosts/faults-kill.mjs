// Has workers killed at a point, and checks the outcome of each call. Says one line for each given combination.

import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { BrokenProcessPool, defineTasks, isWorker, ProcessPoolExecutor, WorkerDiedError } from 'millrace'
import { children, holdings, holdingsInTheEnd } from '../helpers/holdings.mjs'
import { startMethod } from '../helpers/start-method.mjs'
import { until } from '../helpers/patience.mjs'

const tasks = defineTasks(import.meta.url, {
  /** Keeps a worker from its first call until the gate is open. @param {string} gate */
  wait: async (gate) => {
    while (existsSync(gate)) await sleep(2)
  },
  /** @type {<T>(path: string, id: number, payload: T) => T} */
  note: (path, id, payload) => {
    appendFileSync(path, `${id} ${Date.now()}\n`)
    return payload
  },
})

const CALLS = 8

/** Points at which a call has not been claimed. */
const unclaimed = ['before-claim']

/** Points at which a call is claimed, and its task has not been called. */
const uncalled = ['after-claim', 'mid-args', 'block-borrowed', 'before-call']

/** Points at which the task has returned, and nothing is committed. */
const uncommitted = ['pages-populated', 'result-reserved', 'mid-result', 'before-commit']

/** Points at which the result is committed. */
const committed = ['before-ring', 'after-ring']

const claimed = [...uncalled, ...uncommitted]

/** The payload of call `id` and of its result: in the slot, in the arena, or lent in the arena. */
const payloads = {
  /** @param {number} id */
  small: (id) => `call ${id}`,
  /** @param {number} id */
  large: (id) => Buffer.alloc(100_000 + id, id + 1),
  /** @param {number} id */
  lent: (id) => Buffer.alloc(4_200_000 + id, id + 1),
}

/**
 * @param {{ point: string, policy: 'break' | 'isolate', size: 'small' | 'large' | 'lent' }} combination
 * @param {string} directory
 */
async function run({ point, policy, size }, directory) {
  const problems = /** @type {string[]} */ ([])
  /** @type {(holds: unknown, problem: string) => void} */
  const check = (holds, problem) => void (holds || problems.push(problem))
  const path = join(directory, `${point} ${policy} ${size}`)
  const leaving = point === 'exit-handshake'
  const gate = `${path}.gate`
  writeFileSync(gate, '')
  const pool = new ProcessPoolExecutor({
    initializer: tasks.wait,
    initargs: [gate],
    maxWorkers: 2,
    onWorkerDeath: policy,
    execArgv: [],
    startMethod,
    // Every worker, replacements included, runs one call in peace.
    env: { ...process.env, MILLRACE_FAULT: `${point}:kill@${leaving ? 1 : 2}` },
    ...(leaving ? { maxTasksPerChild: 2 } : {}),
  })
  const started = /** @type {number[]} */ ([])
  const exits = /** @type {import('millrace').ProcessPoolEvents['workerExit'][0][]} */ ([])
  let events = 0
  let broken
  pool.on('workerStart', ({ pid }) => started.push(pid))
  pool.on('workerExit', (exit) => exits.push(exit))
  pool.on('broken', (error) => (broken = error))
  pool.on('warning', () => events++)

  const settledAt = /** @type {number[]} */ ([])
  const futures = Array.from({ length: CALLS }, (_, id) =>
    pool.submit(tasks.note, path, id, payloads[size](id)).addDoneCallback(() => {
      settledAt[id] = Date.now()
      events++
    }),
  )
  rmSync(gate)
  const describe = () => `${point} ${policy} ${size}\n${problems.join('\n')}\n${pool.dumpState()}`
  const progress = () => events + started.length + exits.length
  await until('the calls', () => futures.every((future) => future.done()), describe, progress)
  if (policy === 'break' && !leaving) await until('the pool to break', () => broken, describe, progress)

  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : []
  const ran = lines.map((line) => line.split(' ').map(Number))
  const delays = /** @type {number[]} */ ([])
  const errors = new Set()
  for (const [id, future] of futures.entries()) {
    const starts = ran.filter(([other]) => other === id)
    check(starts.length <= 1, `call ${id} ran ${starts.length} times`)
    if (future.outcome === 'value') {
      check(starts.length === 1, `call ${id} has a value and did not run`)
      check(isDeepStrictEqual(await future, payloads[size](id)), `call ${id} has another value`)
      continue
    }
    const error = await future.exception()
    errors.add(error)
    if (starts[0] !== undefined) delays.push((settledAt[id] ?? 0) - (starts[0][1] ?? 0))
    check(error instanceof BrokenProcessPool, `call ${id}: ${String(error)}`)
    if (policy === 'isolate') {
      const { pid, exitCode, signal, workers } = /** @type {WorkerDiedError} */ (error)
      const task = workers[0]?.task
      check(error instanceof WorkerDiedError, `call ${id}: ${String(error)}`)
      check(claimed.includes(point), `call ${id} failed, and no worker died that had claimed one`)
      check(starts.length === (uncommitted.includes(point) ? 1 : 0), `call ${id} failed after ${starts.length} starts`)
      check(started.includes(pid) && exitCode === null && signal === 'SIGKILL', `call ${id}: ${pid} ${signal}`)
      check(task?.name === 'note' && task.taskId === id + 1, `call ${id}: ${JSON.stringify(task)}`)
    }
  }
  const failed = errors.size
  const { completed, failed: counted, cancelled } = pool.stats()
  check(completed + counted === CALLS && counted === failed && cancelled === 0, 'the books do not balance')

  if (leaving) {
    check(failed === 0 && broken === undefined, `${failed} calls failed of workers that were leaving`)
  } else if (policy === 'isolate') {
    const deaths = exits.filter(({ reason }) => reason === 'died').length
    check(deaths >= 1, 'no worker died')
    check(failed === (claimed.includes(point) ? deaths : 0), `${deaths} workers died and ${failed} calls failed`)
  } else {
    const { workers } = /** @type {BrokenProcessPool} */ (/** @type {unknown} */ (broken))
    check(CALLS - failed >= 1, 'no call got through')
    check(workers.length >= 1, 'the error names no worker')
    for (const { pid, exitCode, signal, task } of workers) {
      check(started.includes(pid) && exitCode === null && signal === 'SIGKILL', `the error says ${pid} ${signal}`)
      if (!claimed.includes(point)) {
        check(task === undefined, `worker ${pid} ran ${JSON.stringify(task)} when it died`)
        continue
      }
      const id = (task?.taskId ?? 0) - 1
      check(task?.name === 'note' && futures[id]?.outcome === 'error', `worker ${pid} ran ${JSON.stringify(task)}`)
      const starts = ran.filter(([other]) => other === id).length
      check(starts === (uncommitted.includes(point) ? 1 : 0), `the call that died ran ${starts} times`)
    }
    for (const error of errors) check(isDeepStrictEqual(error.workers, workers), 'two errors tell different stories')
    try {
      pool.submit(tasks.note, path, -1, '')
      check(false, 'a broken pool takes calls')
    } catch (error) {
      check(error instanceof BrokenProcessPool, String(error))
    }
  }
  check([...unclaimed, ...claimed, ...committed, 'exit-handshake'].includes(point), `${point} is not known here`)

  let stopped = false
  const shutdown = pool.shutdown().then(() => (stopped = true))
  await until('the shutdown', () => stopped, describe, progress)
  await shutdown
  check(exits.length === started.length, `${started.length} workers started, ${exits.length} ended`)
  for (const { pid, exitCode, signal, reason } of exits) {
    const graceful = reason === 'recycled' || reason === 'shutdown'
    const right = leaving ? graceful : graceful || signal === 'SIGKILL'
    check(right, `worker ${pid} ended by ${reason}, ${exitCode} ${signal}`)
  }
  const left = children()
  check(left.length === 0, `left behind: ${left.join(', ')}`)
  return { problems, workers: started.length, failed, delay: Math.max(0, ...delays) }
}

async function main() {
  /** @type {Parameters<typeof run>[0][]} */
  const combinations = JSON.parse(process.argv[2] ?? '[]')
  const directory = mkdtempSync(join(tmpdir(), 'millrace-faults-'))
  const pool = new ProcessPoolExecutor({ maxWorkers: 1, execArgv: [], startMethod })
  await pool.submit(tasks.note, join(directory, 'first'), 0, '')
  await pool.shutdown()
  // Node opens this stream at its first use.
  process.stdout.write('')
  const before = holdings()
  for (const combination of combinations) {
    const began = performance.now()
    const result = await run(combination, directory)
    const now = await holdingsInTheEnd(before)
    if (!isDeepStrictEqual(now, before)) result.problems.push(`${JSON.stringify(before)} became ${JSON.stringify(now)}`)
    console.log(JSON.stringify({ ...combination, ...result, ms: Math.round(performance.now() - began) }))
  }
  rmSync(directory, { recursive: true })
}

if (!isWorker) await main()
