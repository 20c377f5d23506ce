// The lives of a pool's workers, and how long a pool keeps its program alive. Every case is a program of its own, which
// has to end by itself, with its own exit code, and to leave nothing.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { processCount, runHost, startHost } from './helpers/hosts.js'
import { tempDirectory } from './helpers/pool.js'

/** The words of each program of `hosts/lifetime.mjs`, or a function that checks them. */
const programs: Record<string, unknown> = {
  'never used': [],
  'an idle pool': 2,
  'an idle pool whose worker is used up': 'left',
  'an unfinished call': 'value',
  'an unfinished asynchronous call': 'value',
  'an unfinished map': ['slept', 'slept', 'slept'],
  'a call that fails': 'error',
  'a call that was cancelled before its worker had booted': true,
  'a call that was stopped': true,
  'a call with a timeout': 'error',
  'a broken pool': 'BrokenProcessPool',
  'a worker that dies in an idle pool that isolates': 'killed',
  'a pool that cannot start': 'WorkerSpawnError',
  'an initializer that fails': 'error',
  'unref() with a call that never ends': 'running',
  'unref() with calls that wait': 10,
  'unref(), then ref()': 'value',
  'shutdown() with nothing else alive': ({ workers, completed }: any) => workers.length === 0 && completed === 1,
  'shutdown() of an unref()d pool': ({ workers, completed }: any) => workers.length === 0 && completed === 1,
  'shutdown() of a pool that was never used': ({ workers }: any) => workers.length === 0,
  'shutdown() while the worker boots': ({ workers, cancelled }: any) => workers.length === 0 && cancelled === 1,
  'shutdown() twice, at once and again': [false, 'value'],
  'shutdown({ wait: false }) and nothing else': 'value',
  'killWorkers() with nothing else alive': 'error',
  'Symbol.asyncDispose': 'value',
  'ready() of a full pool': 'room',
  'resultSync() at the end': 'slept',
  'a call from beforeExit': 'value',
  'a call from a beforeExit listener that came first': 'value',
  'calls from exit': 'ShutdownError',
  'calls from exit, by listeners in front of and behind the own ones': [
    true,
    'ShutdownError',
    'ShutdownError',
    'ShutdownError',
  ],
  'calls from exit, of a pool that never had a worker': [true, 'ShutdownError', 'ShutdownError', 'ShutdownError'],
  'calls from exit, while a worker is busy': [true, 'ShutdownError', 'ShutdownError', 'ShutdownError'],
  'exit with a listener that looks at the pool': ['pending', [], true, false],
  'a worker that never comes up': ['cancelled', []],
  'workers with pools of their own': (pids: number[]) => new Set(pids).size === 2,
  'shutdown() of workers with pools of their own': (pids: number[]) => new Set(pids).size === 2,
}

for (const [scenario, expected] of Object.entries(programs)) {
  test.serial(`this program ends by itself: ${scenario}`, async (t) => {
    const host = startHost(t, 'lifetime', { scenario })
    const said = await host.line()
    t.deepEqual(await host.ended(), { code: 0, signal: null }, host.errors)
    if (typeof expected === 'function') t.true(expected(said), JSON.stringify(said))
    else t.deepEqual(said, expected)
    t.is(host.errors, '')
    t.log(`${Math.round(await host.vanished())} ms`)
  })
}

test.serial("the exit code is the program's own", async (t) => {
  const host = startHost(t, 'lifetime', { scenario: 'an idle pool and an exit code' })
  t.deepEqual(await host.ended(), { code: 3, signal: null }, host.errors)
  await host.vanished()
})

test.serial('workers start when calls need them, and all are reaped at the shutdown', async (t) => {
  const said = await runHost<number[]>(t, 'lifetime', { scenario: 'workers, one at a time' })
  t.deepEqual(said, [0, 1, 1, 1, 2, 0])
})

test.serial('idle workers leave after idleTimeout, and are reaped', async (t) => {
  const said = await runHost<any>(t, 'lifetime', { scenario: 'idle workers that leave' })
  t.is(said.before, 0)
  t.deepEqual(
    said.left.toSorted(),
    said.started.toSorted().map((pid: number) => [pid, 'idle']),
  )
  t.deepEqual([said.started.length, said.workers, said.children], [2, [], []])
})

for (const way of ['the end', 'shutdown()']) {
  test.serial(`idle workers are asked to leave, not killed, at ${way}`, async (t) => {
    const path = join(tempDirectory(t), 'exits')
    await runHost(t, 'lifetime', { scenario: `workers with exit listeners, and ${way}`, path })
    t.is(readFileSync(path, 'utf8'), '0\n')
  })
}

test.serial('killWorkers() takes the pools of the workers along', async (t) => {
  const scenario = 'killWorkers() of workers with busy pools of their own'
  const { running, elapsed } = await runHost<any>(t, 'lifetime', { scenario })
  t.log(`${Math.round(elapsed)} ms`)
  t.is(running, 2)
  t.true(elapsed < 5000)
})

test.serial('each worker has its own lane and lifeline open, and no child of anybody has any', async (t) => {
  const scenario = 'what workers, their children and other children hold'
  const { lanes, ofChildren, ofOwnChild } = await runHost<any>(t, 'lifetime', { scenario })
  t.deepEqual(
    lanes.map((names: string[]) => names.toSorted()),
    Array(3).fill(['/memfd', 'socket']),
  )
  t.deepEqual(ofChildren, [[], [], []])
  t.deepEqual(ofOwnChild, [])
})

for (const [mechanisms, env] of Object.entries<Record<string, string>>({
  'native mechanisms': {},
  fallbacks: { MILLRACE_WAKEUP: 'pipe', MILLRACE_POLLER: 'poll', MILLRACE_SENTINEL: 'waitpid' },
})) {
  test.serial(`an idle pool sleeps, and so do its workers, on ${mechanisms}`, async (t) => {
    const [host, ...workers] = await runHost<number[]>(t, 'lifetime', { scenario: 'an idle pool, watched' }, { env })
    t.log(`woken in a second: host ${host}, workers ${workers.join(' and ')}`)
    // The host's own timer wakes it.
    t.true(host! <= 5)
    t.deepEqual(workers, [0, 0])
  })
}

test.serial('Ctrl-C in a program that handles it leaves its workers alone', async (t) => {
  const host = startHost(t, 'lifetime', { scenario: 'SIGINT with a handler' }, { ownGroup: true })
  const workers = await host.line<number[]>()
  host.signalGroup('SIGINT')
  for (const pid of workers) process.kill(pid, 'SIGINT')
  const { interrupts, outcomes, after } = await host.line<any>()
  t.is(interrupts, 1)
  t.deepEqual([workers.includes(outcomes[0]), outcomes[1]], [true, 'slept'])
  t.deepEqual(after.toSorted(), workers.toSorted())
  t.deepEqual(await host.ended(), { code: 0, signal: null }, host.errors)
  await host.vanished()
})

test.serial('one Ctrl-C ends a program that does not handle it, with its busy workers', async (t) => {
  const host = startHost(t, 'lifetime', { scenario: 'SIGINT without a handler' }, { ownGroup: true })
  await host.line()
  t.is(host.processes().length, processCount(2))
  host.signalGroup('SIGINT')
  t.deepEqual(await host.ended(), { code: null, signal: 'SIGINT' })
  await host.vanished()
})
