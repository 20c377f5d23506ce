// The events of a pool, each with its payload. Listeners may call any method.

import { once } from 'node:events'
import {
  BrokenProcessPool,
  type Future,
  MillraceError,
  type ProcessPoolEvents,
  type ProcessPoolExecutor,
} from 'millrace'
import { exits } from './fixtures/exits.mjs'
import { tasks } from './fixtures/basic.mjs'
import { test } from './helpers/leaks.js'
import { isAlive, workersOf } from './helpers/processes.mjs'
import { claimed, failureOf, Gate, Log, makePool, record } from './helpers/pool.js'
import { until, within } from './helpers/waiting.js'

const names = ['workerStart', 'workerExit', 'workerReplace', 'broken', 'drain', 'warning'] as const

/** Records everything that a pool emits, in order. */
function recordAll(pool: ProcessPoolExecutor): [name: string, payload: unknown][] {
  const all: [string, unknown][] = []
  for (const name of names) pool.on(name, (...args: unknown[]) => all.push([name, ...args] as [string, unknown]))
  return all
}

test('a quiet life: workerStart with pid and number, then workerExit once the process is reaped', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const all = recordAll(pool)
  let aliveAtExit: boolean | undefined
  pool.on('workerExit', ({ pid }) => (aliveAtExit = isAlive(pid) || workersOf().length > 0))
  const pid = await pool.submit(tasks.pid)
  await pool.shutdown()
  t.deepEqual(all, [
    ['workerStart', { pid, workerId: 1 }],
    ['workerExit', { pid, workerId: 1, exitCode: 0, signal: null, reason: 'shutdown' }],
  ])
  t.false(aliveAtExit)
})

test('recycling: exit, start, replace, each in its place', async (t) => {
  const pool = makePool(t, { maxWorkers: 1, maxTasksPerChild: 1 })
  const all = recordAll(pool)
  const first = await pool.submit(tasks.pid)
  const second = await pool.submit(tasks.pid)
  await until('two exits', () => all.filter(([name]) => name === 'workerExit').length === 2)
  t.deepEqual(all.slice(0, 5), [
    ['workerStart', { pid: first, workerId: 1 }],
    ['workerExit', { pid: first, workerId: 1, exitCode: 0, signal: null, reason: 'recycled' }],
    ['workerStart', { pid: second, workerId: 2 }],
    ['workerReplace', { oldPid: first, newPid: second, reason: 'recycled' }],
    ['workerExit', { pid: second, workerId: 2, exitCode: 0, signal: null, reason: 'recycled' }],
  ])
})

test('idling: the exit has the reason idle, and replaces nothing', async (t) => {
  const pool = makePool(t, { maxWorkers: 1, idleTimeout: 20 })
  const all = recordAll(pool)
  const pid = await pool.submit(tasks.pid)
  await until('the exit', () => all.length >= 2)
  t.deepEqual(all.slice(1), [['workerExit', { pid, workerId: 1, exitCode: 0, signal: null, reason: 'idle' }]])
  const next = await pool.submit(tasks.pid)
  t.deepEqual(all[2], ['workerStart', { pid: next, workerId: 2 }])
  t.is(pool.stats().restarts, 0)
})

test('a kill: the exit has the reason killed and the signal, and the worker is replaced', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const all = recordAll(pool)
  const running = pool.submit(tasks.sleep, 60_000, 0)
  await claimed(running)
  const [old] = workersOf().map(({ pid }) => pid)
  t.true(running.cancel({ kill: true }))
  const pid = await pool.submit(tasks.pid)
  t.deepEqual(all.slice(1), [
    ['workerExit', { pid: old, workerId: 1, exitCode: null, signal: 'SIGTERM', reason: 'killed' }],
    ['workerStart', { pid, workerId: 2 }],
    ['workerReplace', { oldPid: old, newPid: pid, reason: 'killed' }],
  ])
  t.is(pool.stats().restarts, 1)
})

test('a death under "isolate": the exit has the reason died, and the worker is replaced', async (t) => {
  const pool = makePool(t, { maxWorkers: 1, onWorkerDeath: 'isolate' })
  const all = recordAll(pool)
  await failureOf(pool.submit(exits.reallyExit, 7))
  const pid = await pool.submit(tasks.pid)
  const [, exit, start, replace] = all
  const { pid: old } = all[0]![1] as { pid: number }
  t.deepEqual(exit, ['workerExit', { pid: old, workerId: 1, exitCode: 7, signal: null, reason: 'died' }])
  t.deepEqual(start, ['workerStart', { pid, workerId: 2 }])
  t.deepEqual(replace, ['workerReplace', { oldPid: old, newPid: pid, reason: 'died' }])
})

test('a death under "break": broken comes once, after the futures have failed, and every worker exits', async (t) => {
  const pool = makePool(t, { onWorkerDeath: 'break', maxWorkers: 2 })
  const all = recordAll(pool)
  const gate = new Gate(t)
  const held = pool.submit(tasks.hold, gate.path, 0)
  await claimed(held)
  let doneAtEvent: boolean[] = []
  const futures: Future<unknown>[] = [held, pool.submit(exits.killSelf, 'SIGKILL'), pool.submit(tasks.add, 1, 2)]
  pool.on('broken', () => (doneAtEvent = futures.map((future) => future.done())))
  await failureOf(futures[1]!)
  await until('both exits', () => all.filter(([name]) => name === 'workerExit').length === 2)
  const broken = all.filter(([name]) => name === 'broken')
  t.is(broken.length, 1)
  t.true(broken[0]![1] instanceof BrokenProcessPool)
  t.deepEqual(doneAtEvent, [true, true, true])
  const reasons = all.filter(([name]) => name === 'workerExit').map(([, exit]) => (exit as { reason: string }).reason)
  t.deepEqual(reasons.sort(), ['died', 'shutdown'])
})

test('once(), off() and removeListener() work, and events.once() waits for one', async (t) => {
  const pool = makePool(t, { maxWorkers: 1, maxTasksPerChild: 1 })
  const calls: string[] = []
  const removed = (): void => void calls.push('removed')
  t.is(pool.on('workerStart', removed), pool)
  t.is(pool.off('workerStart', removed), pool)
  pool.on('workerStart', removed).removeListener('workerStart', removed)
  t.is(
    pool.once('workerStart', () => calls.push('once')),
    pool,
  )
  const start = once(pool as never, 'workerStart') as Promise<ProcessPoolEvents['workerStart']>
  const first = await pool.submit(tasks.pid)
  t.deepEqual(await within('the event', start), [{ pid: first, workerId: 1 }])
  await pool.submit(tasks.pid)
  t.deepEqual(calls, ['once'])
})

test('listeners may call anything: submit, resultSync, cancel, shutdown', async (t) => {
  const pool = makePool(t, { maxWorkers: 2, maxTasksPerChild: 1 })
  const results: number[] = []
  pool.once('workerStart', () => results.push(pool.submit(tasks.double, 1).resultSync({ timeout: 60_000 })))
  let fromExit: Future<number> | undefined
  pool.once('workerExit', () => {
    fromExit = pool.submit(tasks.double, 2)
    pool.submit(tasks.double, 3).cancel()
    void pool.shutdown({ wait: false })
  })
  t.is(await pool.submit(tasks.double, 4), 8)
  await until('the listener of the exit', () => fromExit !== undefined)
  t.is(await fromExit, 4)
  t.deepEqual(results, [2])
})

test('what a listener throws is the program’s error; the pool, and other listeners’ events, go on', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const caught: unknown[] = []
  const listeners = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', (error) => caught.push(error))
  t.teardown(() => {
    process.removeAllListeners('uncaughtException')
    for (const listener of listeners) process.on('uncaughtException', listener)
  })
  const thrown = new RangeError('from a listener')
  pool.on('workerStart', () => {
    throw thrown
  })
  const exited = record(pool, 'workerExit')
  t.is(await pool.submit(tasks.add, 1, 2), 3)
  await pool.shutdown()
  t.is(exited.length, 1)
  t.deepEqual(caught, [thrown])
})

test('a warning that nobody listens to becomes a warning of the process', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const warnings: Error[] = []
  const listener = (warning: Error): void => void warnings.push(warning)
  process.on('warning', listener)
  t.teardown(() => process.off('warning', listener))
  const gate = new Gate(t)
  await pool.submit(exits.throwAfterwards, gate.path, 'stray and unheard')
  gate.open()
  await until('the warning', () => warnings.some(({ message }) => message.includes('stray and unheard')))
  const warning = warnings.find(({ message }) => message.includes('stray and unheard'))!
  t.is(warning.name, 'MillraceWarning')
  t.regex((warning as NodeJS.ErrnoException).code ?? '', /^ERR_MILLRACE/)
  t.is(await pool.submit(tasks.add, 1, 2), 3)
})

test('a stray error with a listener: a warning with the error as its cause, and the worker is recycled', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const all = recordAll(pool)
  const gate = new Gate(t)
  const log = new Log(t)
  const old = await pool.submit(exits.throwAfterwards, gate.path, 'stray')
  await pool.submit(tasks.append, log.path, 'before')
  gate.open()
  await until('the exit', () => all.some(([name]) => name === 'workerExit'))
  const warning = all.find(([name]) => name === 'warning')![1] as MillraceError
  t.true(warning instanceof MillraceError)
  t.true(warning.message.includes(`${old}`) && warning.message.includes('stray'), warning.message)
  t.true(warning.cause instanceof Error)
  t.is((warning.cause as Error).message, 'stray')
  const exit = all.find(([name]) => name === 'workerExit')![1]
  t.deepEqual(exit, { pid: old, workerId: 1, exitCode: 0, signal: null, reason: 'recycled' })
  t.not(await pool.submit(tasks.pid), old)
})
