// Pools in workers: they work, ten levels deep, and leave nothing behind.

import { NestingError } from 'millrace'
import { nesting } from './fixtures/nesting.mjs'
import { tasks } from './fixtures/basic.mjs'
import { test } from './helpers/leaks.js'
import { isAlive, processTable } from './helpers/processes.mjs'
import { claimed, failureOf, Log, makePool } from './helpers/pool.js'
import { until, within } from './helpers/waiting.js'

test('a pool in a worker works, for single calls, maps and resultSync()', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  t.true(await pool.submit(nesting.worker))
  const [outer, inner] = await pool.submit(nesting.descend, 1)
  t.is(outer, await pool.submit(tasks.pid))
  t.not(inner, outer)
  t.deepEqual(
    await pool.submit(nesting.spread, 20),
    Array.from({ length: 20 }, (_, index) => 2 * index),
  )
  t.is(await pool.submit(nesting.sync), 42)
})

test('the workers of an inner pool are children of the worker, and gone after its shutdown', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const pids = await pool.submit(nesting.descend, 2)
  t.is(new Set(pids).size, 3)
  for (const pid of pids.slice(1)) t.false(isAlive(pid))
})

test('pools nest ten levels deep; the eleventh is a NestingError that says so', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  // The first pool is this process's. The worker at the bottom would have the eleventh.
  const pids = await within('ten levels', pool.submit(nesting.descend, 9))
  t.is(new Set(pids).size, 10)
  const error = (await within('eleven levels', failureOf(pool.submit(nesting.descend, 10)))) as NestingError
  t.true(error instanceof NestingError, String(error))
  t.is(error.code, 'ERR_MILLRACE_NESTING')
  t.is(error.depth, 11)
  await until('all to be gone', () => pids.slice(1).every((pid) => !isAlive(pid)))
})

test('an inner pool that is forgotten does not keep its worker from leaving', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const inner = await pool.submit(nesting.forget)
  t.true(isAlive(inner))
  await within('shutdown()', pool.shutdown(), () => pool.dumpState())
  await until('the inner worker to be gone', () => !isAlive(inner))
})

test('killing a call takes the inner pool of its worker down, too', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const log = new Log(t)
  const future = pool.submit(nesting.hangInside, log.path)
  await claimed(future)
  await until('the inner task to run', () => log.lines.length === 1)
  const inner = Number(log.lines[0])
  t.true(future.cancel({ kill: true }))
  await until('the inner worker to be gone', () => !isAlive(inner))
  t.is(await pool.submit(tasks.add, 1, 2), 3)
})

test('killWorkers() takes inner pools down, too', async (t) => {
  const pool = makePool(t, { maxWorkers: 2 })
  const log = new Log(t)
  pool.submit(nesting.hangInside, log.path)
  pool.submit(nesting.hangInside, log.path)
  await until('both inner tasks to run', () => log.lines.length === 2)
  await within('killWorkers()', pool.killWorkers())
  const inner = log.lines.map(Number)
  await until('the inner workers to be gone', () => {
    const table = processTable()
    return inner.every((pid) => !table.some((info) => info.pid === pid && info.state !== 'Z'))
  })
  t.pass()
})
