// hardMemoryLimit: a call that grows its worker beyond the limit costs itself and the worker, and nothing else.

import type { ExecutionContext } from 'ava'
import {
  BrokenProcessPool,
  type MapIterator,
  type ProcessPoolOptions,
  type ProcessPoolExecutor,
  TaskMemoryError,
  WorkerDiedError,
} from 'millrace'
import { tasks } from './fixtures/basic.mjs'
import { memory } from './fixtures/memory.mjs'
import { exits } from './fixtures/exits.mjs'
import { test } from './helpers/leaks.js'
import { forkable, runHost } from './helpers/hosts.js'
import { claimed, failureOf, Gate, Log, makePool, record } from './helpers/pool.js'
import { failureOf as failureOfJob, startPool } from './helpers/pools.js'
import { hasProc, isAlive } from './helpers/processes.mjs'
import { untilSync, within } from './helpers/waiting.js'

/** Several times what a worker needs for itself. */
const LIMIT = 256 << 20

const limited = (t: ExecutionContext, options: ProcessPoolOptions = {}): ProcessPoolExecutor =>
  makePool(t, { maxWorkers: 1, hardMemoryLimit: LIMIT, ...options })

/** Checks that a failure is that of a worker which was killed for its size. Returns the failure. */
function outgrown(t: ExecutionContext, error: unknown, pid?: number): TaskMemoryError {
  if (!(error instanceof TaskMemoryError)) throw error
  t.true(error instanceof WorkerDiedError)
  t.is(error.limit, LIMIT)
  t.is(error.signal, 'SIGKILL')
  t.true(error.rss! > LIMIT, `${error.rss}`)
  if (pid !== undefined) t.is(error.pid, pid)
  return error
}

/** Each item's result, or the name of its error. */
async function outcomes(results: MapIterator<number>, count: number): Promise<(number | string)[]> {
  const all: (number | string)[] = []
  for (let index = 0; index < count; index++) {
    const outcome = results.next().then(
      ({ value }) => value as number,
      (error: Error) => error.name,
    )
    all.push(await within(`item ${index}`, outcome))
  }
  return all
}

test('a call whose buffers grow beyond the limit fails with its size, and its worker is replaced', async (t) => {
  const pool = limited(t)
  const exited = record(pool, 'workerExit')
  const replaced = record(pool, 'workerReplace')
  const pid = await pool.submit(tasks.pid)
  const hungry = pool.submit(memory.growBuffers)
  const behind = [pool.submit(tasks.pid), pool.submit(tasks.pid)]
  const error = outgrown(t, await failureOf(hungry), pid)
  t.regex(
    error.message,
    new RegExp(`^Worker ${pid} \\(killed because its memory of [\\d.]+ MiB exceeds hardMemoryLimit, `),
  )
  t.regex(error.message, /256 MiB, running 'growBuffers' \(task 2\)\) died\. .*raise hardMemoryLimit$/)
  t.deepEqual(error.workers, [{ pid, exitCode: null, signal: 'SIGKILL', task: { taskId: 2, name: 'growBuffers' } }])
  for (const other of await Promise.all(behind)) t.not(other, pid)
  t.deepEqual(
    exited.map(({ pid, reason }) => [pid, reason]),
    [[pid, 'died']],
  )
  t.is(replaced[0]!.oldPid, pid)
})

test('a call whose heap grows beyond the limit fails, whether V8 or the host is first', async (t) => {
  const pool = limited(t, { stdio: 'ignore' })
  const error = await failureOf(pool.submit(memory.growHeap))
  t.true(error instanceof TaskMemoryError, `${error}`)
  t.is(await pool.submit(tasks.add, 1, 2), 3)
})

test('a worker that V8 ends because its heap is full fails its call in the same way, without a size', async (t) => {
  const pool = limited(t, { stdio: 'ignore', execArgv: ['--max-old-space-size=32'], hardMemoryLimit: 2 ** 32 })
  const error = await failureOf(pool.submit(memory.growHeap))
  if (!(error instanceof TaskMemoryError)) throw error
  t.deepEqual([error.limit, error.rss, error.signal], [2 ** 32, undefined, 'SIGABRT'])
  t.regex(error.message, /ended by V8 because its heap was full, under hardMemoryLimit, 4096 MiB, running 'growHeap'/)
  // An abort that has nothing to do with the heap is a death like any other.
  const other = await failureOf(pool.submit(exits.abort))
  t.true(other instanceof WorkerDiedError && !(other instanceof TaskMemoryError), `${other}`)
})

test('an asynchronous call that grows fails, too', async (t) => {
  const pool = limited(t)
  outgrown(t, await failureOf(pool.submit(memory.growSlowly)))
})

test('of a chunk only the item that grows fails: the others are delivered, and none runs twice', async (t) => {
  for (const chunksize of [1, 5, 1000]) {
    const pool = limited(t, { maxWorkers: 2 })
    const log = new Log(t)
    const items = Array.from({ length: 60 }, (_, n) => ({ log: log.path, n, hungry: n === 17 || n === 40 }))
    const expected = items.map(({ n, hungry }) => (hungry ? 'TaskMemoryError' : n))
    t.deepEqual(await outcomes(pool.map(memory.item, items, { chunksize }), items.length), expected)
    t.deepEqual(
      log.lines.map(Number).sort((a, b) => a - b),
      items.map(({ n }) => n),
    )
  }
})

test('an item that finds its worker a little too large is not to blame: it ends, and the rest runs elsewhere', async (t) => {
  const items = [[0], [LIMIT - (8 << 20)], [LIMIT + (8 << 20)], [0, 300], [0], [0]] as [number, number?][]
  for (;;) {
    const pool = limited(t)
    const results = await outcomes(pool.starmap(memory.growTo, items, { chunksize: items.length }), items.length)
    const pids = results.filter((result) => typeof result === 'number')
    if (results[2] === 'TaskMemoryError') {
      // A look came in the middle of the third item.
      t.is(pids.length, items.length - 1)
      continue
    }
    t.is(pids.length, items.length, `${results}`)
    // The worker leaves after the third item or after the fourth, whichever was seen first.
    const [first, , third, , ...last] = pids
    t.is(third, first)
    for (const pid of last) t.not(pid, first)
    return
  }
})

test('retries count it as a death', async (t) => {
  const pool = limited(t)
  const exited = record(pool, 'workerExit')
  const error = outgrown(t, await failureOf(pool.run(memory.growBuffers, [], { retries: 1 })))
  t.regex(error.message, /It was the last of 2 attempts/)
  t.is(exited.length, 2)
})

test('under break the pool breaks, and the error of the call is the cause', async (t) => {
  const pool = limited(t, { onWorkerDeath: 'break' })
  const pid = await pool.submit(tasks.pid)
  const hungry = pool.submit(memory.growBuffers)
  const behind = pool.submit(tasks.add, 1, 2)
  for (const future of [hungry, behind]) {
    const error = await failureOf(future)
    t.true(error instanceof BrokenProcessPool)
    t.false(error instanceof TaskMemoryError)
    const { cause, message } = error as BrokenProcessPool
    outgrown(t, cause, pid)
    t.regex(message, /exceeds hardMemoryLimit/)
  }
  t.throws(() => pool.submit(tasks.pid), { instanceOf: BrokenProcessPool })
})

test('under break the error of an item is the cause, too, and finished items keep their outcomes', async (t) => {
  const pool = limited(t, { onWorkerDeath: 'break' })
  const log = new Log(t)
  const items = Array.from({ length: 20 }, (_, n) => ({ log: log.path, n, hungry: n === 3 }))
  const results = pool.map(memory.item, items, { chunksize: 20 })
  for (const n of [0, 1, 2]) t.is((await within(`item ${n}`, results.next())).value, n)
  const error: unknown = await within('item 3', results.next()).catch((error: unknown) => error)
  t.true(error instanceof BrokenProcessPool)
  outgrown(t, (error as BrokenProcessPool).cause)
  t.is(log.lines.length, 4)
})

test('a worker that is too large when a call would begin is replaced first', async (t) => {
  const pool = limited(t)
  const exited = record(pool, 'workerExit')
  // A call that is seen in the middle fails itself, and its successor tries again.
  let pid: number | undefined
  while (pid === undefined) pid = await pool.submit(memory.growTo, LIMIT + (4 << 20)).catch(() => undefined)
  const before = exited.length
  for (let call = 0; call < 5; call++) t.not(await pool.submit(tasks.pid), pid)
  t.deepEqual(
    exited.slice(before).map(({ pid, reason, exitCode }) => [pid, reason, exitCode]),
    [[pid, 'recycled', 0]],
  )
})

test('calls within the limit are left alone, and maxMemoryPerWorker still replaces between calls', async (t) => {
  const pool = limited(t, { hardMemoryLimit: 4 * LIMIT, maxMemoryPerWorker: LIMIT })
  const exited = record(pool, 'workerExit')
  const pid = await pool.submit(memory.growTo, LIMIT + (50 << 20))
  t.not(await pool.submit(tasks.pid), pid)
  t.deepEqual(
    exited.map(({ pid, reason }) => [pid, reason]),
    [[pid, 'recycled']],
  )
})

test('a Pool fails the job, and goes on', async (t) => {
  const pool = startPool(t, 2, { hardMemoryLimit: LIMIT })
  const hungry = pool.applyAsync(memory.growBuffers)
  const others = Array.from({ length: 30 }, (_, n) => pool.applyAsync(tasks.double, [n]))
  outgrown(t, await failureOfJob(hungry))
  t.deepEqual(
    await Promise.all(others),
    others.map((_, n) => 2 * n),
  )
})

if (hasProc) {
  test('a worker that grows is killed while the thread of the host is blocked, whether calls wait or not', async (t) => {
    for (const waiting of [0, 100]) {
      const pool = limited(t)
      const pid = await pool.submit(tasks.pid)
      const hungry = pool.submit(memory.growBuffers)
      const behind = Array.from({ length: waiting }, (_, n) => pool.submit(tasks.double, n))
      await claimed(hungry)
      untilSync('the worker to be killed', () => !isAlive(pid))
      t.false(hungry.done())
      outgrown(t, await failureOf(hungry), pid)
      await Promise.all(behind)
    }
  })

  test('processes that a task starts do not count', async (t) => {
    const pool = limited(t)
    const gate = new Gate(t)
    const child = async (bytes: number, path: string): Promise<number> => {
      const { spawn } = await import('node:child_process')
      const { existsSync, readFileSync } = await import('node:fs')
      const program = `const b = Buffer.alloc(${bytes}, 1); setInterval(() => b.length, 1000)`
      const started = spawn(process.execPath, ['-e', program])
      const resident = (): number => Number(readFileSync(`/proc/${started.pid}/statm`, 'latin1').split(' ')[1]) * 4096
      while (resident() < bytes || existsSync(path)) await new Promise((resolve) => setTimeout(resolve, 5))
      started.kill('SIGKILL')
      return bytes
    }
    const call = pool.submit(child, 2 * LIMIT, gate.path)
    await claimed(call)
    setTimeout(() => gate.open(), 1000)
    t.is(await call, 2 * LIMIT)
  })

  test('forked workers are looked at as well', async (t) => {
    const pool = limited(t, { startMethod: 'forkserver' })
    outgrown(t, await failureOf(pool.submit(memory.growBuffers)))
    t.is(await pool.submit(tasks.add, 1, 2), 3)
  })

  test('forks of the program are looked at, and not replaced', async (t) => {
    const { failed, left, none } = await runHost<any>(t, 'fork', { scenario: 'memory' }, forkable)
    t.is(failed.code, 'ERR_MILLRACE_TASK_MEMORY')
    t.is(left, 1)
    t.is(none.code, 'ERR_MILLRACE_BROKEN_PROCESS_POOL')
  })
}

test('the heap fits the limit, unless the program has limited it, and children of a task do not inherit that', async (t) => {
  // V8 adds its young space, whose size depends on the version of Node.
  const plain = await limited(t, { hardMemoryLimit: 1 << 29 }).submit(memory.heap)
  t.true(plain.limit > 448 << 20 && plain.limit < 1 << 30, `${plain.limit}`)
  t.deepEqual(plain.execArgv, [])
  for (const option of ['--max-old-space-size=123', '--max_old_space_size=123']) {
    const given = await limited(t, { execArgv: [option] }).submit(memory.heap)
    t.true(given.limit < 448 << 20, `${given.limit}`)
    t.deepEqual(given.execArgv, [option])
  }
  const env = { ...process.env, NODE_OPTIONS: '--max-old-space-size=123' }
  const inherited = await limited(t, { env }).submit(memory.heap)
  t.true(inherited.limit < 448 << 20, `${inherited.limit}`)
})
