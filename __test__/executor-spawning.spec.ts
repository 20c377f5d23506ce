// The starts of workers: on demand, idle workers first, never more than maxWorkers; and starts that fail.

import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { BrokenProcessPool, type Future, type ProcessPoolExecutor, WorkerSpawnError } from 'millrace'
import { exits } from './fixtures/exits.mjs'
import { tasks } from './fixtures/basic.mjs'
import { spawnTest, test } from './helpers/leaks.js'
import { workersOf } from './helpers/processes.mjs'
import { claimed, failureOf, Gate, Log, makePool, record, startBoth, tempDirectory } from './helpers/pool.js'
import { moment, until, within } from './helpers/waiting.js'

const pids = (): number[] => workersOf().map(({ pid }) => pid)

test('the first call starts one worker, and three calls one after the other use that', async (t) => {
  const pool = makePool(t, { maxWorkers: 4 })
  const starts = record(pool, 'workerStart')
  const used = [await pool.submit(tasks.pid), await pool.submit(tasks.pid), await pool.submit(tasks.pid)]
  t.is(new Set(used).size, 1)
  t.deepEqual(pids(), [used[0]])
  t.deepEqual(starts, [{ pid: used[0], workerId: 1 }])
})

test('a call does not wait while fewer than maxWorkers live and none of them is idle', async (t) => {
  const pool = makePool(t, { maxWorkers: 3 })
  const gate = new Gate(t)
  const futures: Future<number>[] = []
  for (let index = 0; index < 3; index++) {
    const future = pool.submit(tasks.hold, gate.path, index)
    futures.push(future)
    await claimed(future)
    t.is(pids().length, index + 1)
  }
  const fourth = pool.submit(tasks.identity, 3)
  await moment()
  t.false(fourth.running())
  t.is(pids().length, 3)
  gate.open()
  t.deepEqual(await Promise.all([...futures, fourth]), [0, 1, 2, 3])
})

test('an idle worker is used before a new one is started', async (t) => {
  const pool = makePool(t, { maxWorkers: 3 })
  await startBoth(t, pool)
  const before = pids().sort()
  for (let index = 0; index < 10; index++) await pool.submit(tasks.add, index, 1)
  const second = new Gate(t)
  const again = [pool.submit(tasks.hold, second.path, 0), pool.submit(tasks.hold, second.path, 1)]
  await claimed(...again)
  t.deepEqual(pids().sort(), before)
  second.open()
  await Promise.all(again)
})

test('never more than maxWorkers live, whatever is submitted', async (t) => {
  const pool = makePool(t, { maxWorkers: 3 })
  let live = 0
  let most = 0
  pool.on('workerStart', () => (most = Math.max(most, ++live)))
  pool.on('workerExit', () => live--)
  let mostSeen = 0
  for (let round = 0; round < 5; round++) {
    const futures = Array.from({ length: 60 }, (_, index) => pool.submit(tasks.block, index % 7 === 0 ? 3 : 0, index))
    mostSeen = Math.max(mostSeen, pids().length)
    t.deepEqual(
      await Promise.all(futures),
      futures.map((_, index) => index),
    )
    mostSeen = Math.max(mostSeen, pids().length)
  }
  t.true(most <= 3 && mostSeen <= 3, `${most}, ${mostSeen}`)
  t.is(most, 3)
})

test('running() means that a worker has claimed the call: one of six with one worker', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const gate = new Gate(t)
  const futures = Array.from({ length: 6 }, (_, index) => pool.submit(tasks.hold, gate.path, index))
  t.deepEqual(
    futures.map((future) => future.running()),
    [false, false, false, false, false, false],
  )
  await claimed(futures[0]!)
  await moment()
  t.deepEqual(
    futures.map((future) => future.state),
    ['running', 'pending', 'pending', 'pending', 'pending', 'pending'],
  )
  t.is(pool.stats().queued, 5)
  // Calls in the lane of the worker can be taken back, too.
  t.deepEqual(
    futures.map((future) => future.cancel()),
    [false, true, true, true, true, true],
  )
  gate.open()
  t.is(await futures[0], 0)
})

test('short calls that were queued behind a long one go to another worker', async (t) => {
  const pool = makePool(t, { maxWorkers: 2 })
  const gate = new Gate(t)
  // Calls that take no time teach the pool to queue many calls ahead.
  await Promise.all(Array.from({ length: 2000 }, (_, index) => pool.submit(tasks.add, index, 1)))
  const quick = Array.from({ length: 50 }, (_, index) => pool.submit(tasks.add, index, 1))
  const long = pool.submit(tasks.hold, gate.path, 'long')
  for (let index = 0; index < 200; index++) quick.push(pool.submit(tasks.add, index, 1))
  await within('the quick calls', Promise.all(quick), () => pool.dumpState())
  t.false(long.done())
  gate.open()
  t.is(await long, 'long')
})

test('a call that was queued behind a long one is not overtaken by all that come later', async (t) => {
  const pool = makePool(t, { maxWorkers: 2 })
  const log = new Log(t)
  const [first, second] = [new Gate(t), new Gate(t)]
  await Promise.all(Array.from({ length: 20 }, (_, index) => pool.submit(tasks.appendSlowly, log.path, index)))
  await until('both workers to be idle', () => pool.stats().idle === 2)
  const before = log.lines.length
  const held = [pool.submit(tasks.hold, first.path, 0), pool.submit(tasks.hold, second.path, 0)]
  const lines = Array.from({ length: 150 }, (_, index) => index)
  const appended = lines.map((line) => pool.submit(tasks.appendSlowly, log.path, line))
  await claimed(...held)
  second.open()
  await within('the calls', Promise.all(appended), () => pool.dumpState())
  t.false(held[0]!.done())
  const order = log.lines.slice(before).map(Number)
  t.true(order.indexOf(0) < 100 && order.indexOf(1) < 100, order.join(' '))
  first.open()
  await Promise.all(held)
})

test('a start that fails with no worker left makes submit() throw, and nothing of the call is kept', async (t) => {
  const cwd = join(tempDirectory(t), 'later')
  const pool = makePool(t, { maxWorkers: 2, cwd })
  for (let attempt = 0; attempt < 3; attempt++) {
    const error = t.throws(() => pool.submit(tasks.add, 1, 2), {
      instanceOf: WorkerSpawnError,
      code: 'ERR_MILLRACE_WORKER_SPAWN',
    })
    const cause = error?.cause as NodeJS.ErrnoException
    t.true(cause instanceof Error)
    t.is(cause.code, 'ENOENT')
    t.true(typeof cause.errno === 'number' && cause.errno < 0)
    t.is(cause.syscall, 'chdir')
    t.true(error?.message.includes('chdir'), error?.message)
  }
  t.deepEqual([pool.stats().queued, pool.stats().workers.length, pool.stats().failed], [0, 0, 0])
  mkdirSync(cwd)
  const log = new Log(t)
  await pool.submit(tasks.append, log.path, 'ran')
  t.deepEqual(log.lines, ['ran'])
  t.is(pool.stats().completed, 1)
})

// A fork server keeps its directory from the start, so the next three starts could not fail there.
spawnTest('a start that fails with a worker left is a warning, and less capacity', async (t) => {
  const cwd = join(tempDirectory(t), 'going')
  mkdirSync(cwd)
  const pool = makePool(t, { maxWorkers: 2, cwd })
  const warnings = record(pool, 'warning')
  const gate = new Gate(t)
  const held = pool.submit(tasks.hold, gate.path, 'held')
  await claimed(held)
  rmSync(cwd, { recursive: true })
  const waiting = pool.submit(tasks.add, 1, 2)
  await until('the warning', () => warnings.length > 0)
  t.true(warnings[0] instanceof WorkerSpawnError)
  t.is((warnings[0]!.cause as NodeJS.ErrnoException).code, 'ENOENT')
  t.is(pids().length, 1)
  gate.open()
  t.deepEqual(await Promise.all([held, waiting]), ['held', 3])
})

spawnTest('calls that wait fail with WorkerSpawnError when the last worker dies and none can be started', async (t) => {
  const cwd = join(tempDirectory(t), 'going')
  mkdirSync(cwd)
  const pool = makePool(t, { maxWorkers: 1, cwd, onWorkerDeath: 'isolate' })
  const gate = new Gate(t)
  const held = pool.submit(tasks.hold, gate.path, 0)
  await claimed(held)
  const waiting = [pool.submit(tasks.add, 1, 2), pool.submit(tasks.add, 3, 4)]
  // A callback of the first call waits for the other one, whose failure is known by then.
  let nested: unknown
  waiting[0]!.addDoneCallback(() => {
    try {
      waiting[1]!.resultSync({ timeout: 20_000 })
    } catch (error) {
      nested = error
    }
  })
  rmSync(cwd, { recursive: true })
  process.kill(pids()[0]!, 'SIGKILL')
  t.is(((await failureOf(held)) as NodeJS.ErrnoException).code, 'ERR_MILLRACE_WORKER_DIED')
  const errors = await Promise.all(waiting.map(failureOf))
  for (const error of errors) t.true(error instanceof WorkerSpawnError, String(error))
  t.is(nested, errors[1])
  mkdirSync(cwd)
  t.is(await within('a later call', pool.submit(tasks.add, 5, 6)), 11)
})

for (const onWorkerDeath of ['break', 'isolate'] as const) {
  spawnTest(
    `workers that end three times in a row before they are ready break the pool (${onWorkerDeath})`,
    async (t) => {
      const pool = makePool(t, {
        maxWorkers: 1,
        onWorkerDeath,
        stdio: 'ignore',
        env: { ...process.env, NODE_OPTIONS: '--no-such-option' },
      })
      const starts = record(pool, 'workerStart')
      const warnings = record(pool, 'warning')
      const broken = record(pool, 'broken')
      const future = pool.submit(tasks.add, 1, 2)
      const error = (await failureOf(future)) as BrokenProcessPool
      t.true(error instanceof BrokenProcessPool, String(error))
      t.is(starts.length, 3)
      t.is(warnings.length, 2)
      t.true(warnings.every((warning) => warning instanceof WorkerSpawnError))
      t.is(broken.length, 1)
      t.is(error.workers.length, 1)
      t.is(error.workers[0]!.pid, starts[2]!.pid)
      t.is(error.workers[0]!.exitCode, 9)
      for (const { pid } of starts) t.true(error.message.includes(`worker ${pid} (exited with code 9)`), error.message)
      for (const part of ['starts in a row failed', 'standard error', 'execArgv', 'initializer']) {
        t.true(error.message.includes(part), `${part} in ${error.message}`)
      }
      t.false(error.message.includes('isolate'), error.message)
    },
  )
}

test('a pool of many workers starts as many as it has calls for, and no more', async (t) => {
  const pool = makePool(t, { maxWorkers: 8 })
  const gate = new Gate(t)
  const futures = Array.from({ length: 4 }, () => pool.submit(tasks.holdAsync, gate.path, 0))
  await claimed(...futures)
  t.is(pids().length, 4)
  gate.open()
  await Promise.all(futures)
})

test('a worker of a pool can outlive many pools: nothing is shared between them', async (t) => {
  const pools: ProcessPoolExecutor[] = Array.from({ length: 3 }, () => makePool(t, { maxWorkers: 1 }))
  const seen = await Promise.all(pools.map((pool) => pool.submit(tasks.pid)))
  t.is(new Set(seen).size, 3)
  await pools[0]!.shutdown()
  t.is(await pools[1]!.submit(tasks.pid), seen[1]!)
  const dead = await failureOf(pools[1]!.submit(exits.reallyExit, 3))
  t.true(dead instanceof BrokenProcessPool)
  t.is(await pools[2]!.submit(tasks.pid), seen[2]!)
})
