// Workers that are replaced while all goes well: maxTasksPerChild, maxMemoryPerWorker, idleTimeout.

import type { Future } from 'millrace'
import { exits } from './fixtures/exits.mjs'
import { tasks } from './fixtures/basic.mjs'
import { test } from './helpers/leaks.js'
import { workersOf } from './helpers/processes.mjs'
import { claimed, failureOf, Gate, Log, makePool, record } from './helpers/pool.js'
import { moment, until, within } from './helpers/waiting.js'

test('maxTasksPerChild: 1 gives every call a process of its own', async (t) => {
  const pool = makePool(t, { maxWorkers: 1, maxTasksPerChild: 1 })
  const pids = await Promise.all(Array.from({ length: 6 }, () => pool.submit(tasks.pid)))
  t.is(new Set(pids).size, 6)
})

test('a worker is replaced after exactly as many calls as it may have', async (t) => {
  const pool = makePool(t, { maxWorkers: 1, maxTasksPerChild: 3 })
  const pids = await Promise.all(Array.from({ length: 9 }, () => pool.submit(tasks.pid)))
  const counts = new Map<number, number>()
  for (const pid of pids) counts.set(pid, (counts.get(pid) ?? 0) + 1)
  t.deepEqual([...counts.values()], [3, 3, 3])
})

test('failed calls count, those whose arguments cannot travel do not', async (t) => {
  const pool = makePool(t, { maxWorkers: 1, maxTasksPerChild: 3 })
  const first = await pool.submit(tasks.pid)
  await failureOf(pool.submit(tasks.identity, () => {}))
  await failureOf(pool.submit(tasks.fail, 'counts'))
  t.is(await pool.submit(tasks.pid), first)
  t.not(await pool.submit(tasks.pid), first)
})

test('cancelled calls do not count', async (t) => {
  const pool = makePool(t, { maxWorkers: 1, maxTasksPerChild: 3 })
  const first = await pool.submit(tasks.pid)
  const gate = new Gate(t)
  const held = pool.submit(tasks.hold, gate.path, 0)
  await claimed(held)
  for (let index = 0; index < 20; index++) t.true(pool.submit(tasks.add, index, 1).cancel())
  const third = pool.submit(tasks.pid)
  gate.open()
  t.is(await third, first)
  t.not(await pool.submit(tasks.pid), first)
})

test('a burst over recycled workers loses nothing and runs nothing twice', async (t) => {
  const log = new Log(t)
  for (const maxTasksPerChild of [1, 4]) {
    const pool = makePool(t, { maxWorkers: 2, maxTasksPerChild })
    const count = maxTasksPerChild * 8
    const futures = Array.from({ length: count }, (_, index) =>
      pool.submit(tasks.append, log.path, `${maxTasksPerChild}.${index}`),
    )
    await within('the burst', Promise.all(futures), () => pool.dumpState())
    const mine = log.lines.filter((line) => line.startsWith(`${maxTasksPerChild}.`))
    t.deepEqual(mine.sort(), futures.map((_, index) => `${maxTasksPerChild}.${index}`).sort())
  }
})

test('recycling under cancels, errors and kills strands nothing', async (t) => {
  const pool = makePool(t, { maxWorkers: 2, maxTasksPerChild: 2, onWorkerDeath: 'isolate' })
  const log = new Log(t)
  const futures: Future<unknown>[] = []
  for (let round = 0; round < 6; round++) {
    futures.push(pool.submit(tasks.append, log.path, round))
    futures.push(pool.submit(tasks.fail, 'no'))
    futures.push(pool.submit(tasks.append, log.path, round))
    futures.push(pool.submit(tasks.append, log.path, 'cancelled'))
    futures.at(-1)!.cancel()
    if (round % 3 === 0) futures.push(pool.submit(exits.exit, 3))
    if (round % 3 === 1) futures.push(pool.submit(exits.reallyExit, 3))
    await Promise.race([futures.at(-3), moment(10)]).catch(() => {})
  }
  await within('all', Promise.all(futures.map((future) => future.exception().catch(() => {}))), () => pool.dumpState())
  t.true(futures.every((future) => future.done()))
  t.is(log.lines.filter((line) => line !== 'cancelled').length, 12)
  t.is(
    log.lines.filter((line) => line === 'cancelled').length,
    futures.filter(({ outcome }, index) => index % 1 === 0 && outcome === 'value').length - 12,
  )
})

test('queued work is never stranded when the last worker is recycled', async (t) => {
  // The calls come one after the other, so that each recycling is met at another moment.
  const pool = makePool(t, { maxWorkers: 1, maxTasksPerChild: 1 })
  for (let index = 0; index < 8; index++) {
    t.is(await within('the call', pool.submit(tasks.identity, index), () => pool.dumpState()), index)
    if (index % 2 === 0) await moment(index)
  }
})

test('a chunk of map() counts as one call', async (t) => {
  const pool = makePool(t, { maxWorkers: 1, maxTasksPerChild: 2 })
  const pids: number[] = []
  const results = pool.map(
    () => process.pid,
    Array.from({ length: 8 }, (_, index) => index),
    { chunksize: 2 },
  )
  for await (const pid of results) pids.push(pid)
  t.deepEqual(
    pids.map((pid) => pids.indexOf(pid)),
    [0, 0, 0, 0, 4, 4, 4, 4],
  )
})

test('stats().restarts counts replacements', async (t) => {
  const pool = makePool(t, { maxWorkers: 1, maxTasksPerChild: 1 })
  for (let index = 0; index < 3; index++) await pool.submit(tasks.add, index, 1)
  t.true(pool.stats().restarts >= 2, `${pool.stats().restarts}`)
})

test('maxMemoryPerWorker: a worker that grew beyond it is replaced between calls', async (t) => {
  const pool = makePool(t, { maxWorkers: 1, maxMemoryPerWorker: 300 << 20 })
  const exited = record(pool, 'workerExit')
  const pid = await pool.submit(tasks.pid)
  for (let index = 0; index < 5; index++) await pool.submit(tasks.add, index, 1)
  t.is(await pool.submit(tasks.pid), pid)
  const grow = (bytes: number): number => {
    ;(globalThis as { kept?: Buffer }).kept = Buffer.alloc(bytes, 1)
    return process.pid
  }
  t.is(await pool.submit(grow, 400 << 20), pid)
  await until('the exit', () => exited.length > 0)
  t.deepEqual([exited[0]!.pid, exited[0]!.exitCode, exited[0]!.reason], [pid, 0, 'recycled'])
  t.not(await pool.submit(tasks.pid), pid)
})

test('idleTimeout: a worker that has nothing to do for so long leaves, and one is started when needed', async (t) => {
  const pool = makePool(t, { maxWorkers: 2, idleTimeout: 40 })
  const exited = record(pool, 'workerExit')
  const gate = new Gate(t)
  const held = [pool.submit(tasks.hold, gate.path, 0), pool.submit(tasks.hold, gate.path, 1)]
  await claimed(...held)
  // The workers are busy for longer than the timeout.
  await moment(120)
  t.is(workersOf().length, 2)
  gate.open()
  await Promise.all(held)
  await until('both to leave', () => exited.length === 2)
  t.deepEqual(workersOf(), [])
  t.deepEqual(
    exited.map(({ reason, exitCode }) => [reason, exitCode]),
    [
      ['idle', 0],
      ['idle', 0],
    ],
  )
  t.is(await pool.submit(tasks.add, 1, 2), 3)
})

test('idleTimeout: calls that come at the very moment are not lost', async (t) => {
  const pool = makePool(t, { maxWorkers: 1, idleTimeout: 1 })
  for (let index = 0; index < 12; index++) {
    t.is(await within('the call', pool.submit(tasks.identity, index), () => pool.dumpState()), index)
    await moment(index % 4)
  }
})

test('idleTimeout: 0 lets a worker go as soon as it has nothing to do', async (t) => {
  const pool = makePool(t, { maxWorkers: 1, idleTimeout: 0 })
  const pid = await pool.submit(tasks.pid)
  await until('it to leave', () => workersOf().length === 0)
  t.not(await pool.submit(tasks.pid), pid)
})
