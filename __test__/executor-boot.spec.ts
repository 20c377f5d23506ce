// The boot of a worker: preloaded modules and the initializer, before the first call, and the results of their
// failures.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BrokenExecutor, BrokenProcessPool, type ProcessPoolOptions, TaskLoadError } from 'millrace'
import { boot } from './fixtures/boot.mjs'
import { tasks } from './fixtures/basic.mjs'
import { test } from './helpers/leaks.js'
import { claimed, failureOf, Gate, Log, makePool, record, tempDirectory } from './helpers/pool.js'
import { until, within } from './helpers/waiting.js'

const preloaded = new URL('./fixtures/preloaded.mjs', import.meta.url)
const policies = ['break', 'isolate'] as const

test('the initializer is awaited once in each worker, with initargs, before its first task', async (t) => {
  const initargs = [1, { two: new Map([[2, 'two']]) }, undefined]
  const pool = makePool(t, { maxWorkers: 2, initializer: boot.setUp, initargs })
  const gate = new Gate(t)
  const held = pool.submit(tasks.hold, gate.path, 0)
  await claimed(held)
  const other = await pool.submit(boot.state)
  t.deepEqual(other, { ready: 'yes', given: initargs, pid: other.pid })
  t.deepEqual(await pool.submit(boot.state), other)
  gate.open()
  await held
})

test('the initializer runs once per worker, however many tasks follow', async (t) => {
  const log = new Log(t)
  const pool = makePool(t, { maxWorkers: 1, initializer: boot.note, initargs: [log.path] })
  for (let index = 0; index < 5; index++) await pool.submit(tasks.add, index, 1)
  t.is(log.lines.length, 1)
})

test('every replacement runs the initializer too', async (t) => {
  const log = new Log(t)
  const pool = makePool(t, { maxWorkers: 1, maxTasksPerChild: 1, initializer: boot.note, initargs: [log.path] })
  const pids: number[] = []
  for (let index = 0; index < 3; index++) pids.push(await pool.submit(tasks.pid))
  t.deepEqual(log.lines.slice(0, 3), pids.map(String))
})

test('an initializer can be a plain function', async (t) => {
  const initializer = (value: string): void => {
    ;(globalThis as { fromInitializer?: string }).fromInitializer = value
  }
  const pool = makePool(t, { maxWorkers: 1, initializer, initargs: ['set'] })
  t.is(await pool.submit(() => (globalThis as { fromInitializer?: string }).fromInitializer), 'set')
})

test('preloaded modules are loaded before the initializer, in their order', async (t) => {
  const initializer = (): void => {
    const holder = globalThis as { preloaded?: string[] }
    holder.preloaded?.push('initializer')
  }
  const preload = [
    new URL('?1', preloaded),
    `${preloaded.href}?2`,
    './__test__/fixtures/preloaded.mjs',
    'node:fs',
    'millrace',
  ]
  const pool = makePool(t, { maxWorkers: 1, preload, initializer })
  t.deepEqual(await pool.submit(() => (globalThis as { preloaded?: string[] }).preloaded), [
    '?1',
    '?2',
    '',
    'initializer',
  ])
})

function isBroken(t: { true(value: boolean, message?: string): unknown }, error: unknown): error is BrokenProcessPool {
  const code = (error as NodeJS.ErrnoException).code
  return t.true(
    error instanceof BrokenProcessPool &&
      error instanceof BrokenExecutor &&
      code === 'ERR_MILLRACE_BROKEN_PROCESS_POOL',
    String(error),
  ) as boolean
}

test('an initializer that throws breaks the pool under "break", at once, with its error as the cause', async (t) => {
  const log = new Log(t)
  const pool = makePool(t, {
    onWorkerDeath: 'break',
    maxWorkers: 1,
    initializer: boot.noteAndThrow,
    initargs: [log.path],
  })
  const broken = record(pool, 'broken')
  const exits = record(pool, 'workerExit')
  const futures = [pool.submit(tasks.add, 1, 2), pool.submit(tasks.add, 3, 4)]
  const errors = await Promise.all(futures.map(failureOf))
  for (const error of errors) {
    if (!isBroken(t, error)) return
    const { cause, workers, message } = error
    t.true(cause instanceof RangeError)
    t.is((cause as Error).message, 'no database')
    t.is((cause as { host?: string }).host, 'localhost')
    t.regex(message, /initializer/)
    t.true(message.includes('no database'))
    t.is(workers.length, 1)
    t.is(workers[0]!.pid, Number(log.lines[0]))
  }
  t.not(errors[0], errors[1])
  t.is(log.lines.length, 1)
  t.is(broken.length, 1)
  t.throws(() => pool.submit(tasks.add, 1, 2), { instanceOf: BrokenProcessPool })
  await until('the exit of the worker', () => exits.length === 1)
  t.is(exits[0]!.reason, 'failed-start')
})

for (const onWorkerDeath of policies) {
  for (const initializer of ['rejectUnhandled', 'throwInTimer'] as const) {
    test(`what an initializer left to nobody is the cause: ${initializer}, ${onWorkerDeath}`, async (t) => {
      const log = new Log(t)
      const pool = makePool(t, { maxWorkers: 1, onWorkerDeath, initializer: boot[initializer], initargs: [log.path] })
      pool.on('warning', () => {})
      const exited = record(pool, 'workerExit')
      const error = await failureOf(pool.submit(tasks.add, 1, 2))
      if (!isBroken(t, error)) return
      t.true(error.cause instanceof RangeError, String(error.cause))
      t.is((error.cause as Error).message, 'nobody handles this')
      t.regex(error.message, /initializer .*nobody handles this/)
      t.false(error.message.includes('isolate'))
      t.is(log.lines.length, onWorkerDeath === 'break' ? 1 : 3)
      await until('the exits', () => exited.length === log.lines.length)
      t.true(exited.every(({ reason }) => reason === 'failed-start'))
    })
  }
}

test('an initializer that throws breaks the pool under "isolate" too, after three starts', async (t) => {
  const log = new Log(t)
  const pool = makePool(t, {
    maxWorkers: 1,
    onWorkerDeath: 'isolate',
    initializer: boot.noteAndThrow,
    initargs: [log.path],
  })
  const warnings = record(pool, 'warning')
  const error = await failureOf(pool.submit(tasks.add, 1, 2))
  if (!isBroken(t, error)) return
  t.is((error.cause as Error).message, 'no database')
  t.is(log.lines.length, 3)
  t.is(warnings.length, 2)
  for (const warning of warnings) t.is((warning.cause as Error).message, 'no database')
})

test('under "isolate" an initializer that succeeds at the third attempt is good enough', async (t) => {
  const log = new Log(t)
  const pool = makePool(t, {
    maxWorkers: 1,
    onWorkerDeath: 'isolate',
    initializer: boot.failTwice,
    initargs: [log.path],
  })
  const warnings = record(pool, 'warning')
  t.is(await within('the call', pool.submit(tasks.add, 1, 2)), 3)
  t.is(log.lines.length, 3)
  t.is(warnings.length, 2)
})

for (const onWorkerDeath of policies) {
  test(`an initializer that hangs is stopped after startTimeout, and breaks the pool (${onWorkerDeath})`, async (t) => {
    const log = new Log(t)
    const options: ProcessPoolOptions = { maxWorkers: 1, onWorkerDeath, startTimeout: 400, initargs: [log.path] }
    for (const initializer of [boot.hang, boot.block]) {
      const pool = makePool(t, { ...options, initializer })
      pool.on('warning', () => {})
      const exits = record(pool, 'workerExit')
      const error = await failureOf(pool.submit(tasks.add, 1, 2))
      if (!isBroken(t, error)) return
      t.regex(error.message, /startTimeout/)
      t.true(error.workers.length > 0)
      await until('the exits', () => pool.stats().workers.length === 0)
      t.true(exits.every(({ reason, signal }) => reason === 'failed-start' && signal === 'SIGKILL'))
    }
  })

  test(`process.exit() in the initializer is a failed start (${onWorkerDeath})`, async (t) => {
    const log = new Log(t)
    const pool = makePool(t, { maxWorkers: 1, onWorkerDeath, initializer: boot.exit, initargs: [log.path, 7] })
    pool.on('warning', () => {})
    const exits = record(pool, 'workerExit')
    const error = await failureOf(pool.submit(tasks.add, 1, 2))
    if (!isBroken(t, error)) return
    t.is(log.lines.length, 3)
    t.is(error.workers.at(-1)!.exitCode, 7)
    t.deepEqual(
      exits.map(({ reason, exitCode }) => [reason, exitCode]),
      Array.from({ length: 3 }, () => ['failed-start', 7]),
    )
  })
}

test('a preloaded module that throws, or is missing, breaks the pool with a TaskLoadError as the cause', async (t) => {
  for (const module of ['./fixtures/throws-at-load.mjs', './fixtures/missing.mjs']) {
    const url = new URL(module, import.meta.url)
    const pool = makePool(t, { maxWorkers: 1, preload: [url] })
    const error = await failureOf(pool.submit(tasks.add, 1, 2))
    if (!isBroken(t, error)) return
    t.true(error.cause instanceof TaskLoadError, String(error.cause))
    t.true((error.cause as Error).message.includes(url.href))
  }
})

test('an initializer may throw what has no text', async (t) => {
  for (const initializer of [
    (): never => {
      throw Object.create(null)
    },
    (): never => {
      throw { toString: 1 }
    },
  ]) {
    const pool = makePool(t, { maxWorkers: 1, initializer })
    const error = await failureOf(pool.submit(tasks.add, 1, 2))
    if (!isBroken(t, error)) return
    t.is(typeof error.cause, 'object')
  }
})

test('an initializer in a module that does not load breaks the pool with a TaskLoadError as the cause', async (t) => {
  const path = join(tempDirectory(t), 'setup.mjs')
  writeFileSync(path, 'export const other = () => {}\n')
  const { importTasks } = await import('millrace')
  const module = importTasks<{ setUp: () => void }>(path)
  const pool = makePool(t, { maxWorkers: 1, initializer: module.setUp })
  const error = await failureOf(pool.submit(tasks.add, 1, 2))
  if (!isBroken(t, error)) return
  t.true(error.cause instanceof TaskLoadError, String(error.cause))
  t.regex((error.cause as Error).message, /'setUp'/)
})

test('a pool can be shut down while its worker still starts', async (t) => {
  const log = new Log(t)
  const initializer = async (path: string): Promise<void> => {
    const { appendFileSync } = await import('node:fs')
    appendFileSync(path, 'begins\n')
    await new Promise((resolve) => setTimeout(resolve, 150))
    appendFileSync(path, 'ends\n')
  }
  const pool = makePool(t, { maxWorkers: 1, initializer, initargs: [log.path] })
  const exits = record(pool, 'workerExit')
  const broken = record(pool, 'broken')
  const warnings = record(pool, 'warning')
  const future = pool.submit(tasks.add, 1, 2)
  await until('the worker', () => pool.stats().workers.length === 1)
  t.true(future.cancel())
  await until('the initializer to begin', () => log.lines.length > 0)
  await pool.shutdown()
  t.deepEqual(
    exits.map(({ exitCode, signal, reason }) => ({ exitCode, signal, reason })),
    [{ exitCode: 0, signal: null, reason: 'shutdown' }],
  )
  t.deepEqual([broken, warnings], [[], []])
})

test('a pool that is shut down while it starts runs the calls that it has', async (t) => {
  const pool = makePool(t, { maxWorkers: 2, initializer: boot.setUp })
  const futures = [pool.submit(tasks.add, 1, 2), pool.submit(tasks.add, 3, 4)]
  await pool.shutdown()
  t.true(futures.every((future) => future.done()))
  t.deepEqual(await Promise.all(futures), [3, 7])
})
