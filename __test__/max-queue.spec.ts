// maxQueue, the limit of calls that wait beyond the workers there are or can be: QueueFullError, ready(), 'drain'.

import type { ExecutionContext } from 'ava'
import { type Future, type ProcessPoolExecutor, QueueFullError, ShutdownError } from 'millrace'
import { exits } from './fixtures/exits.mjs'
import { tasks } from './fixtures/basic.mjs'
import { test } from './helpers/leaks.js'
import { claimed, dispose, failureOf, Gate, makePool } from './helpers/pool.js'
import { startPool } from './helpers/pools.js'
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
    most = Math.max(most, futures.filter((future) => !future.done()).length)
  }
  t.deepEqual(
    await Promise.all(futures),
    futures.map((_, index) => 2 * index),
  )
  t.true(most <= 7, `${most} calls unfinished`)
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

/** Submits until the queue is full, or `most` calls are accepted. */
function fill(submit: () => Future<unknown>, most = 20): Future<unknown>[] {
  const futures: Future<unknown>[] = []
  try {
    while (futures.length < most) futures.push(submit())
  } catch (error) {
    if (!(error instanceof QueueFullError)) throw error
  }
  return futures
}

test('in one turn a pool takes a call for each worker and maxQueue more, whatever its workers do and however short the calls are', async (t) => {
  const workers = 3
  for (const maxQueue of [0, 1, 4]) {
    for (const state of ['not started', 'one started', 'idle', 'one busy', 'all busy']) {
      const pool = makePool(t, { maxWorkers: workers, maxQueue })
      const gate = new Gate(t)
      const started = state === 'not started' ? 0 : state === 'one started' ? 1 : workers
      const held = Array.from({ length: started }, (_, index) => pool.submit(tasks.hold, gate.path, index))
      await claimed(...held)
      gate.open()
      await Promise.all(held)
      const second = new Gate(t)
      const busy = state === 'all busy' ? workers : state === 'one busy' ? 1 : 0
      const running = Array.from({ length: busy }, (_, index) => pool.submit(tasks.hold, second.path, index))
      await claimed(...running)
      const taken = fill(() => pool.submit(tasks.identity, 1))
      t.is(taken.length, workers - busy + maxQueue, `maxQueue ${maxQueue}, ${state}`)
      second.open()
      await Promise.all([...running, ...taken])
      await dispose(pool)
    }
  }
})

test('with maxQueue 0 a call is taken whenever a worker has none, and map() goes through', async (t) => {
  const pool = makePool(t, { maxWorkers: 1, maxQueue: 0 })
  for (let index = 0; index < 20; index++) t.is(await pool.submit(tasks.identity, index), index)
  const gate = new Gate(t)
  const held = pool.submit(tasks.hold, gate.path, 0)
  const error = t.throws(() => pool.submit(tasks.identity, 1), { instanceOf: QueueFullError })
  t.is(error?.maxQueue, 0)
  gate.open()
  await pool.ready()
  t.is(await pool.submit(tasks.identity, 2), 2)
  await held
  const doubled: number[] = []
  for await (const value of pool.map(tasks.double, [1, 2, 3])) doubled.push(value)
  t.deepEqual(doubled, [2, 4, 6])
})

test('the place of a worker that died, was recycled or timed out is one that can be taken', async (t) => {
  const pool = makePool(t, { maxWorkers: 2, maxQueue: 0, onWorkerDeath: 'isolate', maxTasksPerChild: 2 })
  for (let round = 0; round < 3; round++) {
    await failureOf(pool.submit(exits.reallyExit, 1))
    await failureOf(pool.run(tasks.hold, [new Gate(t).path, 0], { timeout: 50 }))
    await until('the workers to be gone', () => pool.stats().running === 0)
    await within('room', pool.ready())
    const futures = fill(() => pool.submit(tasks.identity, 1))
    t.true(futures.length >= 1 && futures.length <= 2)
    await Promise.all(futures)
  }
  for (let taken = 0; taken < 2;) {
    await within('room', pool.ready())
    taken = (await Promise.all(fill(() => pool.submit(tasks.identity, 1)))).length
  }
})

test('room that a waiter has taken late is not kept a second time', async (t) => {
  for (const [maxWorkers, maxQueue] of [
    [2, 0],
    [1, 1],
    [2, 3],
  ] as const) {
    const pool = makePool(t, { maxWorkers, maxQueue })
    for (let waiters = 1; waiters <= 3; waiters++) {
      // Behind further promises: the reactions of ready() are over.
      await Promise.race([Promise.all(Array.from({ length: waiters }, () => pool.ready())), new Promise(() => {})])
      const futures = fill(() => pool.submit(tasks.identity, 1))
      t.is(futures.length, maxWorkers + maxQueue)
      await Promise.all(futures)
    }
  }
})

/** A pool of one worker whose call ends at the gate's opening, with a full queue. */
async function fullPool(
  t: ExecutionContext,
  maxQueue = 0,
): Promise<{ pool: ProcessPoolExecutor; gate: Gate; held: Future<number> }> {
  const pool = makePool(t, { maxWorkers: 1, maxQueue })
  const gate = new Gate(t)
  const held = pool.submit(tasks.hold, gate.path, 0)
  await claimed(held)
  for (let index = 0; index < maxQueue; index++) pool.submit(tasks.identity, index)
  return { pool, gate, held }
}

test('of many producers that await ready() none is refused', async (t) => {
  for (const [maxWorkers, maxQueue] of [
    [2, 2],
    [1, 0],
    [2, 7],
  ]) {
    const pool = makePool(t, { maxWorkers, maxQueue })
    const waysToWait: (() => Promise<unknown>)[] = [
      () => pool.ready(),
      async () => pool.ready(),
      async () => {
        await pool.ready()
      },
      () => Promise.race([pool.ready(), new Promise(() => {})]),
      () => Promise.all([pool.ready(), 1]),
    ]
    const produce = async (_: unknown, way: number) => {
      for (let index = 0; index < 10; index++) {
        await waysToWait[way % waysToWait.length]!()
        await pool.submit(tasks.double, index)
      }
    }
    await within('the producers', Promise.all(Array.from({ length: 20 }, produce)), () => pool.dumpState())
    t.is(pool.stats().completed, 200)
  }
})

test('waiters are told in the order of their calls, and only as many as there is room for', async (t) => {
  const { pool, gate } = await fullPool(t)
  const second = new Gate(t)
  const told: number[] = []
  for (let index = 0; index < 3; index++) {
    void pool.ready().then(() => {
      told.push(index)
      pool.submit(tasks.hold, second.path, index)
    })
  }
  gate.open()
  await until('the first', () => told.length > 0)
  await moment()
  t.deepEqual(told, [0])
  second.open()
  await until('all', () => told.length === 3)
  t.deepEqual(told, [0, 1, 2])
})

test('who has not waited is refused while others wait for room', async (t) => {
  const { pool, gate, held } = await fullPool(t)
  const outcomes: string[] = []
  const intrude = (where: string) => {
    try {
      pool.submit(tasks.identity, 0)
      outcomes.push(`${where} taken`)
    } catch (error) {
      outcomes.push(error instanceof QueueFullError ? `${where} refused` : String(error))
    }
  }
  held.addDoneCallback(() => intrude('callback'))
  void held.then(() => intrude('reaction'))
  pool.on('drain', () => intrude('drain'))
  const waits = pool.ready().then(() => {
    outcomes.push('told')
    return pool.submit(tasks.identity, 7)
  })
  gate.open()
  t.is(await within('the call of the waiter', waits), 7)
  await until('drain', () => outcomes.includes('drain taken'))
  t.deepEqual(outcomes, ['callback refused', 'reaction refused', 'told', 'drain taken'])
})

test('room that a waiter does not take goes to the next, and is free in the end', async (t) => {
  const { pool, gate, held } = await fullPool(t)
  const told: number[] = []
  for (let index = 0; index < 3; index++) void pool.ready().then(() => told.push(index))
  gate.open()
  await held
  await until('all', () => told.length === 3)
  t.deepEqual(told, [0, 1, 2])
  await until('the last room to lapse', () => {
    const futures = fill(() => pool.submit(tasks.identity, 1), 1)
    return futures.length === 1
  })
  // Also where no call is unfinished, and nothing else holds the event loop.
  const other = makePool(t, { maxWorkers: 1, maxQueue: 0 })
  await within('both', Promise.all([other.ready(), other.ready()]))
})

test('room is kept for a waiter that submits in the next turn', async (t) => {
  const { pool, gate } = await fullPool(t)
  const waits = (async () => {
    await pool.ready()
    await new Promise((resolve) => setImmediate(resolve))
    return pool.submit(tasks.identity, 1)
  })()
  const late = pool.ready().then(() => pool.submit(tasks.identity, 2))
  gate.open()
  t.deepEqual(await within('both', Promise.all([waits, late])), [1, 2])
})

test('maps that wait for room and producers that await ready() get their turns side by side', async (t) => {
  const pool = startPool(t, 2, { maxQueue: 1 })
  // A call that waits for the start of its worker is overtaken by all that the other worker does.
  await until('both workers to be idle', () => pool.stats().idle === 2)
  const order: string[] = []
  const produce = async () => {
    for (let index = 0; index < 30; index++) {
      await pool.ready()
      await pool.apply(tasks.identity, [index])
      order.push('producer')
    }
  }
  const items = Array.from({ length: 30 }, (_, index) => index)
  const iterate = async () => {
    for await (const _ of pool.imap(tasks.double, items)) order.push('imap')
  }
  const map = async () => {
    // Half as many items as each producer has: in turns with the producers they are done before.
    await pool.map(tasks.double, items.slice(0, 15), 1)
    order.push('map')
  }
  await within('all', Promise.all([produce(), produce(), produce(), produce(), iterate(), map()]), () =>
    pool.dumpState(),
  )
  t.deepEqual(
    [order.filter((who) => who === 'producer').length, order.filter((who) => who === 'imap').length],
    [120, 30],
  )
  // Neither has to wait until the producers are done.
  const lastProducer = order.lastIndexOf('producer')
  t.true(order.indexOf('map') < lastProducer && order.indexOf('imap') < order.length / 2, order.join(' '))
})
