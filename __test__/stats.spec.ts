// stats(): states of workers that have left, items of maps, and counters that add up under random load.

import { readdirSync, readFileSync } from 'node:fs'
import { type PoolStats, type ProcessPoolExecutor } from 'millrace'
import { tasks } from './fixtures/basic.mjs'
import { exits } from './fixtures/exits.mjs'
import { test } from './helpers/leaks.js'
import { failureOf, Gate, makePool } from './helpers/pool.js'
import { startPool } from './helpers/pools.js'
import { until, untilSync, within } from './helpers/waiting.js'

interface Exit {
  reallyExit(code: number): never
}

/** The state of a worker in stats(), or 'gone'. */
function stateOf(pool: ProcessPoolExecutor, pid: number): string {
  return pool.stats().workers.find((worker) => worker.pid === pid)?.state ?? 'gone'
}

test('when a call has failed because its worker left, that worker is not idle', async (t) => {
  const ends = {
    'a timer of an earlier call exits': () => new Promise(() => setTimeout(() => process.exit(1), 20)),
    'the call exits': () => process.exit(3),
    'the call exits later': () => new Promise(() => setTimeout(() => process.exit(0), 5)),
    'the process ends at once': () => (process as unknown as Exit).reallyExit(4),
    'a signal to itself': () => new Promise(() => process.kill(process.pid, 'SIGKILL')),
  }
  for (const [name, end] of Object.entries(ends)) {
    for (let round = 0; round < 3; round++) {
      const pool = makePool(t, { maxWorkers: 1, onWorkerDeath: 'isolate' })
      const pid = await pool.submit(tasks.pid)
      if (name.startsWith('a timer')) await pool.submit(() => void setTimeout(() => process.exit(1), 60))
      const future = pool.submit(end)
      let state = ''
      future.addDoneCallback(() => (state = stateOf(pool, pid)))
      await within(name, failureOf(future))
      t.true(['leaving', 'gone'].includes(state), `${name}: ${state}`)
    }
  }
})

test('an idle worker that was killed is not idle, though no turn has passed since its end', async (t) => {
  const pool = makePool(t, { maxWorkers: 1, onWorkerDeath: 'isolate' })
  const pid = await pool.submit(tasks.pid)
  await until('it to be idle', () => pool.stats().idle === 1)
  process.kill(pid, 'SIGKILL')
  if (process.platform === 'linux') {
    // Its first thread may be a zombie while others still end.
    const threads = () => readdirSync(`/proc/${pid}/task`).length
    const isZombie = () => /^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
    untilSync('its end', () => threads() === 1 && isZombie())
    t.is(stateOf(pool, pid), 'leaving')
    t.is(pool.stats().idle, 0)
  }
  await until('it to be gone', () => stateOf(pool, pid) === 'gone')
})

test('a worker that is being stopped, or was asked to leave, is leaving', async (t) => {
  const pool = makePool(t, { maxWorkers: 1, onWorkerDeath: 'isolate', maxTasksPerChild: 2 })
  const pid = await pool.submit(tasks.pid)
  const future = pool.run(tasks.hold, [new Gate(t).path, 0], { timeout: 30 })
  let state = ''
  future.addDoneCallback(() => (state = stateOf(pool, pid)))
  await failureOf(future)
  t.true(['leaving', 'gone'].includes(state), state)

  const next = await pool.submit(tasks.pid)
  const last = pool.submit(tasks.identity, 1)
  last.addDoneCallback(() => setImmediate(() => (state = stateOf(pool, next))))
  await last
  await until('the state', () => state !== '' && stateOf(pool, next) === 'gone')
  t.true(['leaving', 'gone'].includes(state), state)
})

test('items of maps are counted, whatever their fate', async (t) => {
  const pool = makePool(t, { maxWorkers: 2, onWorkerDeath: 'isolate' })
  const all = async (iterator: AsyncIterator<unknown>): Promise<void> => {
    for (;;) {
      const result = await iterator.next().catch(() => undefined)
      if (result?.done) return
    }
  }
  const items = Array.from({ length: 10 }, (_, index) => index)
  const oddFails = (n: number) => {
    if (n % 2) throw new Error('odd')
    return n
  }
  await all(pool.map(oddFails, items, { chunksize: 4 }))
  t.deepEqual(pool.stats().items, { completed: 5, failed: 5 })
  await all(pool.map(oddFails, items))
  t.deepEqual(pool.stats().items, { completed: 10, failed: 10 })
  await all(pool.map((n: unknown) => typeof n, [1, () => {}, 2, () => {}, 3] as unknown[], { chunksize: 5 }))
  t.deepEqual(pool.stats().items, { completed: 13, failed: 12 })
  await all(pool.map(() => 1, [() => {}, () => {}] as unknown[], { chunksize: 2 }))
  t.deepEqual(pool.stats().items, { completed: 13, failed: 14 })
  const { failed, completed, cancelled } = pool.stats()
  t.deepEqual([failed, cancelled], [0, 0])
  await all(pool.starmap((a: number, b: number) => (process as unknown as Exit).reallyExit(a + b), [[1, 2]]))
  t.deepEqual(pool.stats().items, { completed: 13, failed: 15 })
  t.deepEqual([pool.stats().failed, pool.stats().completed], [1, completed])

  const other = startPool(t, 2)
  await t.throwsAsync(other.map(oddFails, items, 3))
  for await (const _ of other.imap((n: number) => n, items)) void _
  t.deepEqual(other.stats().items, { completed: 15, failed: 5 })
  t.is(other.stats().failed, 0)
})

const sum = ({ queued, running, completed, failed, cancelled }: PoolStats): number =>
  queued + running + completed + failed + cancelled

test('under random load the counters add up at any time, in callbacks and listeners too', async (t) => {
  for (const options of [
    { maxWorkers: 2 },
    { maxWorkers: 3, maxTasksPerChild: 5, idleTimeout: 5 },
    { maxWorkers: 1, maxQueue: 20 },
  ]) {
    const pool = makePool(t, { onWorkerDeath: 'isolate', ...options })
    pool.on('warning', () => {})
    let submitted = 0
    const wrong: string[] = []
    const check = (where: string): void => {
      const stats = pool.stats()
      if (sum(stats) !== submitted) wrong.push(`${where}: ${submitted} submitted, ${JSON.stringify(stats)}`)
      if (stats.idle > stats.workers.length) wrong.push(`${where}: ${stats.idle} idle`)
    }
    for (const event of ['workerStart', 'workerExit', 'workerReplace', 'drain'] as const)
      pool.on(event, () => check(event))
    const seed = Math.random()
    let state = Math.floor(seed * 2 ** 31)
    const random = (below: number): number => {
      state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
      return (state >> 8) % below
    }
    const kinds: (() => {
      done(): boolean
      cancel(o?: { kill: boolean }): boolean
      addDoneCallback(f: () => void): unknown
    })[] = [
      () => pool.submit(tasks.identity, 1),
      () => pool.submit(tasks.block, random(5), 1),
      () => pool.submit(tasks.fail, 'x'),
      () => pool.submit(tasks.identity, () => {}),
      () => pool.run(tasks.sleep, [50, 1], { timeout: 1 + random(20), grace: random(2) * 5 }),
      () => pool.run(tasks.sleep, [50, 1], { timeout: 5, retries: 1 }),
      () => pool.submit(exits.reallyExit, 1),
      () => pool.submit(exits.exit, 1),
      () => pool.run(tasks.identity, [1], { signal: AbortSignal.abort() }),
    ]
    const open = new Set<ReturnType<(typeof kinds)[0]>>()
    for (let step = 0; step < 50; step++) {
      const count = random(8)
      for (let index = 0; index < count; index++) {
        const kind = random(4) === 0 ? random(kinds.length) : random(3)
        try {
          const future = kinds[kind]!()
          submitted++
          open.add(future)
          future.addDoneCallback(() => {
            open.delete(future)
            check('callback')
          })
        } catch (error) {
          if ((error as Error).name !== 'QueueFullError') throw error
        }
      }
      if (random(6) === 0) for (const future of [...open].slice(0, 2)) future.cancel({ kill: random(2) === 0 })
      if (random(15) === 0) {
        const victim = pool.stats().workers.find(({ task }) => task !== undefined)
        if (victim !== undefined) process.kill(victim.pid, 'SIGKILL')
      }
      check('loop')
      if (random(3) === 0) await new Promise((resolve) => setTimeout(resolve, random(10)))
      check('turn')
    }
    await until(
      'all to be done',
      () => open.size === 0,
      () => pool.dumpState(),
    )
    const { queued, running } = pool.stats()
    t.deepEqual([queued, running, sum(pool.stats())], [0, 0, submitted])
    t.deepEqual(wrong.slice(0, 3), [], `seed ${seed}`)
  }
})
