// What the start of a worker, and of a program, does without: each of these takes a millisecond or more.

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

import test from 'ava'
import { importTasks } from 'millrace'
import type * as fixture from './fixtures/loaded.mjs'
import { spawnTest } from './helpers/leaks.js'
import { makePool } from './helpers/pool.js'

const { loaded } = importTasks<typeof fixture>(new URL('./fixtures/loaded.mjs', import.meta.url))

// A forked one has what its server has loaded, once for all.
spawnTest("a worker loads none of Node's larger modules for itself", async (t) => {
  const pool = makePool(t, { maxWorkers: 1, execArgv: [] })
  const names = (await pool.submit(loaded)).split('\n')
  t.true(names.includes('NativeModule async_hooks'))
  for (const name of ['stream', 'v8', 'vm', 'worker_threads', 'net', 'perf_hooks', 'crypto', 'child_process', 'tty']) {
    t.false(names.includes(`NativeModule ${name}`), name)
  }
})

spawnTest('a short function that comes as text loads none of them but the one that compiles it', async (t) => {
  const pool = makePool(t, { maxWorkers: 1, execArgv: [] })
  const list = await pool.submit(() => (process as unknown as { moduleLoadList: string[] }).moduleLoadList.join('\n'))
  const names = list.split('\n')
  t.true(names.includes('NativeModule vm'))
  for (const name of ['stream', 'v8', 'worker_threads', 'net', 'perf_hooks', 'crypto', 'child_process', 'tty']) {
    t.false(names.includes(`NativeModule ${name}`), name)
  }
})

test('a program that forks nothing does not load what only forks need', async (t) => {
  const entry = new URL('../dist/index.js', import.meta.url).href
  const script = `await import('${entry}'); console.log(process.moduleLoadList.join('\\n'))`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])
  const names = stdout.split('\n')
  t.true(names.includes('NativeModule worker_threads'))
  for (const name of ['crypto', 'inspector']) t.false(names.includes(`NativeModule ${name}`), name)
})
