// Workers that run nothing and do not come back to their loop: their calls move on, and the pool ends them.

import { setTimeout as sleep } from 'node:timers/promises'
import { Pool, WorkerDiedError } from 'millrace'
import { tasks } from './fixtures/basic.mjs'
import { wedges } from './fixtures/wedges.mjs'
import { startHost } from './helpers/hosts.js'
import { test } from './helpers/leaks.js'
import { Gate, makePool, record, startBoth } from './helpers/pool.js'
import { isAlive } from './helpers/processes.mjs'
import { startMethod } from './helpers/start-method.mjs'
import { until, within } from './helpers/waiting.js'

const kinds = [
  'timer',
  'immediate',
  'microtasks',
  'nextTicks',
  'asyncLoop',
  'blockingWait',
  'blockingChild',
  'stopped',
  'stubborn',
] as const

for (const onWorkerDeath of ['isolate', 'break'] as const) {
  for (const kind of kinds) {
    if (onWorkerDeath === 'break' && kind !== 'timer' && kind !== 'stopped') continue

    test(`calls of the only worker run elsewhere when a task leaves this behind: ${kind} (${onWorkerDeath})`, async (t) => {
      const pool = makePool(t, { maxWorkers: 1, onWorkerDeath })
      const [warnings, exited] = [record(pool, 'warning'), record(pool, 'workerExit')]
      const wedged = await pool.submit(wedges[kind])
      await sleep(100)
      const calls = [1, 2, 3, 4].map((n) =>
        n % 2 === 0 ? pool.submit(tasks.identity, n) : pool.run(tasks.identity, [n], { timeout: 60_000 }),
      )
      t.deepEqual(await within('the calls', Promise.all(calls), () => pool.dumpState()), [1, 2, 3, 4])
      t.false(isAlive(wedged))
      t.deepEqual(
        exited.map(({ pid, reason }) => [pid, reason]),
        [[wedged, 'killed']],
      )
      const [warning] = warnings as WorkerDiedError[]
      t.is(warnings.length, 1)
      t.true(warning instanceof WorkerDiedError, String(warning))
      t.is(warning?.pid, wedged)
      t.regex(warning!.message, new RegExp(`Worker ${wedged} ran no task .* for \\d+ s.* '${kind}'`))
      const { restarts, failed } = pool.stats()
      t.deepEqual({ restarts, failed }, { restarts: 1, failed: 0 })
      await within('shutdown()', pool.shutdown(), () => pool.dumpState())
    })
  }
}

test('calls go on when no worker of several comes back', async (t) => {
  const pool = makePool(t, { maxWorkers: 2 })
  await startBoth(t, pool)
  const warnings = record(pool, 'warning')
  const pids = await Promise.all([pool.submit(wedges.timer), pool.submit(wedges.blockingWait)])
  await sleep(100)
  const outcomes = Promise.all(Array.from({ length: 50 }, (_, index) => pool.submit(tasks.identity, index)))
  t.is((await within('the calls', outcomes, () => pool.dumpState())).length, 50)
  if (new Set(pids).size === 2)
    await until(
      'both to be gone',
      () => warnings.length === 2,
      () => pool.dumpState(),
    )
  await within('shutdown()', pool.shutdown(), () => pool.dumpState())
})

test('shutdown() ends when the calls that it waits for were queued for a worker that does not come back', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  pool.on('warning', () => {})
  await pool.submit(wedges.microtasks)
  await sleep(100)
  const call = pool.submit(tasks.identity, 7)
  await within('shutdown()', pool.shutdown(), () => pool.dumpState())
  t.is(await call, 7)
})

test('workers that do not come back and have no calls end with idleTimeout, recycling and shutdown()', async (t) => {
  const pools = [
    makePool(t, { maxWorkers: 1, idleTimeout: 50 }),
    makePool(t, { maxWorkers: 1, maxTasksPerChild: 1 }),
    makePool(t, { maxWorkers: 1 }),
  ]
  const pids = await Promise.all(pools.map((pool) => pool.submit(wedges.blockingWait)))
  await sleep(100)
  await within('shutdown()', pools[2]!.shutdown(), () => pools[2]!.dumpState())
  await until('all to be gone', () => !pids.some((pid) => isAlive(pid)))
  t.pass()
})

test('an exit listener that never returns holds neither calls nor shutdown() up', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  pool.on('warning', () => {})
  const exit = pool.submit(wedges.exitListener)
  const stray = pool.submit(wedges.throwingTimer)
  await within('the exit', exit.exception(), () => pool.dumpState())
  await within('the stray', stray, () => pool.dumpState())
  await sleep(100)
  t.is(await within('the call', pool.submit(tasks.identity, 1), () => pool.dumpState()), 1)
  await within('shutdown()', pool.shutdown(), () => pool.dumpState())
})

test('a Pool replaces a worker that does not come back, and join() ends', async (t) => {
  const pool = new Pool(1, { startMethod, execArgv: [] })
  t.teardown(() => pool.terminate())
  pool.on('warning', () => {})
  await pool.apply(wedges.timer)
  await sleep(100)
  t.deepEqual(await within('the map', pool.map(tasks.double, [1, 2, 3])), [2, 4, 6])
  await pool.apply(wedges.timer)
  pool.close()
  await within('join()', pool.join())
})

test('a worker that comes back in time keeps its place', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const warnings = record(pool, 'warning')
  const gate = new Gate(t)
  const pid = await pool.submit(wedges.untilGate, gate.path)
  await sleep(100)
  const call = pool.submit(tasks.pid)
  await sleep(2500)
  gate.open()
  t.is(await within('the call', call, () => pool.dumpState()), pid)
  t.deepEqual(warnings, [])
})

test('a call that computes for longer than a worker may be silent is left alone', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const warnings = record(pool, 'warning')
  const long = pool.submit(tasks.block, 8000, 1)
  const behind = pool.submit(tasks.identity, 2)
  t.deepEqual(await within('both', Promise.all([long, behind]), () => pool.dumpState()), [1, 2])
  t.deepEqual(warnings, [])
  t.is(pool.stats().restarts, 0)
})

test('a program that was stopped, its workers with it, finds its workers as they were', async (t) => {
  const host = startHost(t, 'suspended')
  const { worker } = await host.line<{ worker: number }>()
  process.kill(worker, 'SIGSTOP')
  await sleep(100)
  process.kill(host.pid, 'SIGUSR2')
  t.is(await host.line(), 'submitted')
  host.signal('SIGSTOP')
  await sleep(8000)
  host.signal('SIGCONT')
  await sleep(300)
  process.kill(worker, 'SIGCONT')
  t.deepEqual(await host.line(), { worker, warnings: 0 })
  t.deepEqual(await host.ended(), { code: 0, signal: null }, host.errors)
  await host.vanished()
})
