// Faults that hang or kill Python's Pool, and fail only one job here: workers that die, tasks that exit, values that
// cannot travel.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { type AsyncResult, RemoteError, WorkerDiedError } from 'millrace'
import { tasks } from './fixtures/basic.mjs'
import { exits } from './fixtures/exits.mjs'
import { kinds, throws } from './fixtures/throws.mjs'
import { Gate, Log, tempDirectory } from './helpers/pool.js'
import { failureOf, finish, rejection, startPool } from './helpers/pools.js'
import { isAlive } from './helpers/processes.mjs'
import { until, within } from './helpers/waiting.js'

test('a job whose worker is killed fails with its pid and signal, the others do not, and the pool ends in order', async (t) => {
  const gate = new Gate(t)
  const pool = startPool(t, 2)
  const held = pool.applyAsync(tasks.hold, [gate.path, 'held'])
  await until('it runs', () => pool.stats().running === 1)
  const victim = pool.stats().workers.find(({ task }) => task !== undefined)!.pid
  const others = Array.from({ length: 30 }, (_, n) => pool.applyAsync(tasks.double, [n]))
  process.kill(victim, 'SIGKILL')
  const error: WorkerDiedError = await failureOf(held)
  t.true(error instanceof WorkerDiedError)
  t.deepEqual([error.pid, error.signal, error.exitCode], [victim, 'SIGKILL', null])
  t.deepEqual(
    await Promise.all(others),
    others.map((_, n) => 2 * n),
  )
  await until('it is replaced', () => pool.stats().workers.length === 2)
  await finish(pool)
})

test('a map whose worker is killed loses the item that ran, and no other item of its chunk', async (t) => {
  const gate = new Gate(t)
  const pool = startPool(t, 1)
  const log = new Log(t)
  const hold = (log: string, gate: string, n: number): number => {
    const { appendFileSync, existsSync } = process.getBuiltinModule('node:fs')
    appendFileSync(log, `${n}\n`)
    while (existsSync(gate));
    return n
  }
  const items = Array.from({ length: 6 }, (_, n) => [log.path, gate.path, n] as const)
  const mapped = pool.starmapAsync(hold, items, { chunksize: 2 })
  // A worker that dies before an item has begun costs none.
  await until('an item to run', () => log.lines.length === 1)
  process.kill(pool.stats().workers[0]!.pid, 'SIGKILL')
  gate.open()
  t.is((await failureOf(mapped)).signal, 'SIGKILL')
  t.is(mapped.errors.length, 1)
  const seen: unknown[] = []
  const kill = (n: number): number => (n === 2 ? (process.kill(process.pid, 'SIGKILL'), n) : n)
  const iterator = pool.imap(kill, [0, 1, 2, 3, 4, 5], { chunksize: 2 })
  for (let n = 0; n < 6; n++)
    seen.push(
      await iterator.next().then(
        ({ value }) => value,
        (error) => error.code,
      ),
    )
  t.deepEqual(seen, [0, 1, 'ERR_MILLRACE_WORKER_DIED', 3, 4, 5])
  await finish(pool)
})

test('with a single worker, too, a death in the middle of many jobs stops nothing', async (t) => {
  const pool = startPool(t, 1)
  const results = Array.from({ length: 30 }, (_, n) =>
    n % 10 === 5 ? pool.applyAsync(exits.reallyExit, [0]) : pool.applyAsync(tasks.double, [n]),
  ) as AsyncResult<unknown>[]
  for (const [n, result] of results.entries()) {
    await within('its end', result.wait(), () => pool.dumpState())
    if (n % 10 === 5) t.is((await failureOf(result)).exitCode, 0)
    else t.is(await result, 2 * n)
  }
})

for (const [name, code] of [
  ['exit', 3],
  ['exitInPromise', 4],
  ['exitInTimer', 5],
] as const) {
  test(`process.exit() in a task (${name}) fails that task only`, async (t) => {
    const pool = startPool(t, 1)
    const result = pool.applyAsync(exits[name] as (code: number) => unknown, [code])
    t.is((await failureOf(result)).exitCode, code)
    t.is(await pool.apply(tasks.add, [1, 2]), 3)
    await finish(pool)
  })
}

for (const thrown of [undefined, null, 0, '', false, 7n, 'text']) {
  test(`a task may throw ${String(thrown)} (${typeof thrown}), which is a failure`, async (t) => {
    const pool = startPool(t, 1)
    const fail = (value: unknown): never => {
      throw value
    }
    const result = pool.applyAsync(fail, [thrown])
    t.is(await rejection(result), thrown)
    t.false(result.successful())
    const mapped = pool.mapAsync(fail, [thrown, thrown], { chunksize: 2 })
    t.is(await rejection(mapped), thrown)
    t.deepEqual(mapped.errors, [thrown, thrown])
    t.is(await rejection(pool.imap(fail, [thrown]).next()), thrown)
  })
}

test('whatever a task throws fails that job alone: errors that cannot be rebuilt, and awkward ones', async (t) => {
  const pool = startPool(t, 1)
  const before = await pool.apply(tasks.pid)
  for (const kind of kinds) {
    for (const task of [throws.sync, throws.async]) {
      const result = pool.applyAsync(task, [kind])
      await within(`${kind} ends`, result.wait(), () => pool.dumpState())
      t.false(result.successful(), kind)
    }
  }
  const error = await failureOf(pool.applyAsync(throws.sync, ['needsMore']))
  t.is(error.message, 'no answer from example:80')
  const remote = await failureOf(pool.applyAsync(throws.sync, ['custom']))
  t.true(remote instanceof RemoteError)
  t.deepEqual([remote.name, remote.query], ['DatabaseError', 'select 1'])
  t.is(await pool.apply(tasks.pid), before)
})

test('results that cannot travel fail their jobs, twenty times in a row, in the same worker', async (t) => {
  const pool = startPool(t, 1)
  const before = await pool.apply(tasks.pid)
  for (let n = 0; n < 20; n++) {
    const error = await failureOf(pool.applyAsync(() => ({ fn: () => {} })))
    t.deepEqual([error.code, error.stage, error.path], ['ERR_MILLRACE_SERIALIZATION', 'result', 'result.fn'])
    t.is((await failureOf(pool.applyAsync(tasks.identity, [Symbol('x')]))).stage, 'arguments')
  }
  t.is(await pool.apply(tasks.pid), before)
})

test('recycling goes on under kills: nothing is lost and nothing hangs', async (t) => {
  const log = new Log(t)
  const pool = startPool(t, 3, { maxtasksperchild: 3 })
  pool.on('warning', () => {})
  const results = Array.from({ length: 300 }, (_, n) => pool.applyAsync(tasks.appendSlowly, [log.path, n]))
  const killer = setInterval(() => {
    const { workers } = pool.stats()
    const busy = workers.filter(({ tasksDone, task }) => tasksDone > 0 && task !== undefined)
    if (busy.length > 0) process.kill(busy[0]!.pid, 'SIGKILL')
  }, 40)
  t.teardown(() => clearInterval(killer))
  await within('all end', Promise.all(results.map((result) => result.wait())), () => pool.dumpState())
  clearInterval(killer)
  t.is(new Set(log.lines).size, log.lines.length)
  t.true(results.filter((result) => result.successful()).length + pool.stats().failed === 300)
  await finish(pool)
})

test('workers may have children, and terminate() ends these too', async (t) => {
  const path = join(tempDirectory(t), 'children')
  const pool = startPool(t, 2)
  const results = [0, 1].map(() => pool.applyAsync(exits.startGrandchild, [path]))
  const pids = (): number[] => {
    try {
      return readFileSync(path, 'utf8').trim().split('\n').map(Number)
    } catch {
      return []
    }
  }
  await until('both children are there', () => pids().filter(isAlive).length === 2)
  await pool.terminate()
  await until('they are gone', () => !pids().some(isAlive))
  t.is((await failureOf(results[0]!)).code, 'ERR_MILLRACE_POOL_TERMINATED')
})

test('a module that does not load fails its calls only', async (t) => {
  const pool = startPool(t, 1)
  const { importTasks } = await import('millrace')
  const broken = importTasks<{ any(): void }>(new URL('./fixtures/throws-at-load.mjs', import.meta.url))
  t.is((await failureOf(pool.applyAsync(broken.any))).code, 'ERR_MILLRACE_TASK_LOAD')
  t.is(await pool.apply(tasks.add, [1, 2]), 3)
})
