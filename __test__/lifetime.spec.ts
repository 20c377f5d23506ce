// How long a pool's workers live, and how long a pool keeps its program alive: every case is a program of its own, which has
// to end by itself, with its own exit code and nothing left.

import test from 'ava'
import { startHost } from './helpers/hosts.js'

/** What each program of `hosts/lifetime.mjs` says; a function checks what it says. */
const programs: Record<string, unknown> = {
  'never used': [],
  'an idle pool': (pids: number[]) => new Set(pids).size === 2,
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
  'await using': 'value',
  'ready() of a full pool': 'room',
  'resultSync() at the end': 'slept',
  'a call from beforeExit': 'value',
  'a call from a beforeExit listener that came first': 'value',
  'calls from exit': 'ShutdownError',
  'exit with a listener that looks at the pool': ([state, workers, dumps]: any) => state === 'pending' || dumps || workers,
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
