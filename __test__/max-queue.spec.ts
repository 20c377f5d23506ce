// maxQueue, the limit of calls that no worker has claimed: QueueFullError, ready(), 'drain'.

import { type Future, QueueFullError, ShutdownError } from 'millrace'
import { exits } from './fixtures/exits.mjs'
import { tasks } from './fixtures/basic.mjs'
import { test } from './helpers/leaks.js'
import { claimed, failureOf, Gate, makePool } from './helpers/pool.js'
import { moment, until, within } from './helpers/waiting.js'

test('beyond maxQueue submit() throws QueueFullError, and nothing of the call is kept', async (t) => {
  const pool = makePool(t, { maxWorkers: 1, maxQueue: 3 })
  const gate = new Gate(t)
  const held = pool.submit(tasks.hold, gate.path, 0)
  await claimed(held)
  const waiting = [1, 2, 3].map((n) => pool.submit(tasks.identity, n))
  for (const call of [() => pool.submit(tasks.identity, 4), () => pool.run(tasks.identity, [4])]) {
    const error = t.throws(call, { instanceOf: QueueFullError, code: 'ERR_MILLRACE_QUEUE_FULL' })
    t.is(error?.maxQueue, 3)
    t.regex(error?.message ?? '', /3 calls.*ready\(\)/)
  }
  t.is(pool.stats().queued, 3)
  gate.open()
  t.deepEqual(await Promise.all(waiting), [1, 2, 3])
  t.is(pool.stats().failed, 0)
  t.is(pool.stats().completed, 4)
})

test('a call that a worker has claimed does not count', async (t) => {
  const pool = makePool(t, { maxWorkers: 2, maxQueue: 1 })
  const gate = new Gate(t)
  for (let index = 0; index < 2; index++) {
    await pool.ready()
    await claimed(pool.submit(tasks.hold, gate.path, index))
  }
  const third = pool.submit(tasks.identity, 3)
  t.throws(() => pool.submit(tasks.identity, 4), { instanceOf: QueueFullError })
  gate.open()
  t.is(await third, 3)
})

test('ready() resolves at once while there is room, and otherwise when there is again', async (t) => {
  const pool = makePool(t, { maxWorkers: 1, maxQueue: 2 })
  const gate = new Gate(t)
  await within('ready() of a new pool', pool.ready())
  await claimed(pool.submit(tasks.hold, gate.path, 0))
  pool.submit(tasks.identity, 1)
  await within('ready() with room for one', pool.ready())
  pool.submit(tasks.identity, 2)
  let ready = false
  const waiting = pool.ready().then(() => (ready = true))
  await moment()
  t.false(ready)
  gate.open()
  await within('ready()', waiting, () => pool.dumpState())
  t.is(await pool.submit(tasks.identity, 3), 3)
})

test('a cancelled call makes room', async (t) => {
  const pool = makePool(t, { maxWorkers: 1, maxQueue: 2 })
  const gate = new Gate(t)
  await claimed(pool.submit(tasks.hold, gate.path, 0))
  pool.submit(tasks.identity, 1)
  const second = pool.submit(tasks.identity, 2)
  const ready = pool.ready()
  t.true(second.cancel())
  await within('ready()', ready, () => pool.dumpState())
  const third = pool.submit(tasks.identity, 3)
  t.throws(() => pool.submit(tasks.identity, 4), { instanceOf: QueueFullError })
  gate.open()
  t.is(await third, 3)
})

test("'drain' comes when the queue has room again after it was full, refused or not", async (t) => {
  for (const refused of [true, false]) {
    const pool = makePool(t, { maxWorkers: 1, maxQueue: 2 })
    let drains = 0
    pool.on('drain', () => drains++)
    const gate = new Gate(t)
    await claimed(pool.submit(tasks.hold, gate.path, 0))
    const futures = [pool.submit(tasks.identity, 1)]
    await moment(20)
    t.is(drains, 0)
    futures.push(pool.submit(tasks.identity, 2))
    if (refused) t.throws(() => pool.submit(tasks.identity, 3), { instanceOf: QueueFullError })
    await moment(20)
    t.is(drains, 0)
    gate.open()
    await within(
      `'drain' (refused: ${refused})`,
      new Promise((resolve) => (drains > 0 ? resolve(0) : pool.once('drain', () => resolve(0)))),
    )
    await Promise.all(futures)
    t.is(drains, 1)
  }
})

test("a queue that is never full never sends 'drain'", async (t) => {
  const pool = makePool(t, { maxWorkers: 1, maxQueue: 1000 })
  let drains = 0
  pool.on('drain', () => drains++)
  await Promise.all(Array.from({ length: 300 }, (_, index) => pool.submit(tasks.add, index, 1)))
  t.is(drains, 0)
})

test('a producer that awaits ready() gets everything through, never beyond the bound', async (t) => {
  const pool = makePool(t, { maxWorkers: 2, maxQueue: 5 })
  const futures: Future<number>[] = []
  let most = 0
  for (let index = 0; index < 400; index++) {
    for (;;) {
      await within('ready()', pool.ready(), () => pool.dumpState())
      try {
        futures.push(pool.submit(tasks.double, index))
        break
      } catch (error) {
        t.true(error instanceof QueueFullError)
      }
    }
    most = Math.max(most, pool.stats().queued)
  }
  t.deepEqual(
    await Promise.all(futures),
    futures.map((_, index) => 2 * index),
  )
  t.true(most <= 5, `${most} calls queued`)
})

test('several who wait for ready() all hear of it', async (t) => {
  const pool = makePool(t, { maxWorkers: 1, maxQueue: 1 })
  const gate = new Gate(t)
  await claimed(pool.submit(tasks.hold, gate.path, 0))
  pool.submit(tasks.identity, 1)
  const waiting = Promise.all([pool.ready(), pool.ready(), pool.ready()])
  gate.open()
  await within('all', waiting, () => pool.dumpState())
  t.pass()
})

test('ready() rejects when the pool is shut down or broken meanwhile', async (t) => {
  const pool = makePool(t, { maxWorkers: 1, maxQueue: 1 })
  const gate = new Gate(t)
  await claimed(pool.submit(tasks.hold, gate.path, 0))
  pool.submit(tasks.identity, 1)
  const waiting = pool.ready()
  void pool.shutdown({ wait: false })
  await t.throwsAsync(within('ready()', waiting), { instanceOf: ShutdownError, code: 'ERR_MILLRACE_SHUTDOWN' })
  gate.open()

  const fragile = makePool(t, { onWorkerDeath: 'break', maxWorkers: 1, maxQueue: 1 })
  const second = new Gate(t)
  const held = fragile.submit(tasks.hold, second.path, 0)
  await claimed(held)
  fragile.submit(exits.reallyExit, 1)
  const room = fragile.ready()
  process.kill(fragile.stats().workers[0]!.pid, 'SIGKILL')
  await t.throwsAsync(within('ready()', room), { code: 'ERR_MILLRACE_BROKEN_PROCESS_POOL' })
  await failureOf(held)
})

test('arguments that cannot travel do not take up room', async (t) => {
  const pool = makePool(t, { maxWorkers: 1, maxQueue: 1 })
  const gate = new Gate(t)
  await claimed(pool.submit(tasks.hold, gate.path, 0))
  for (let index = 0; index < 5; index++) await failureOf(pool.submit(tasks.identity, () => {}))
  const last = pool.submit(tasks.identity, 'there was room')
  gate.open()
  t.is(await last, 'there was room')
})

test('map() waits for room by itself', async (t) => {
  const pool = makePool(t, { maxWorkers: 2, maxQueue: 3 })
  const seen: number[] = []
  for await (const value of pool.map(
    tasks.double,
    Array.from({ length: 100 }, (_, index) => index),
  ))
    seen.push(value)
  t.deepEqual(
    seen,
    Array.from({ length: 100 }, (_, index) => 2 * index),
  )
  await until('the queue to be empty', () => pool.stats().queued === 0)
})
