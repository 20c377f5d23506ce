// process.exit() in a task, and errors that nobody catches: neither is the death of a worker.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { importTasks, TaskExitError, WorkerDiedError } from 'millrace'
import { exits } from './fixtures/exits.mjs'
import { tasks } from './fixtures/basic.mjs'
import { test } from './helpers/leaks.js'
import { workersOf } from './helpers/processes.mjs'
import { claimed, failureOf, Gate, Log, makePool, record, tempDirectory } from './helpers/pool.js'
import { until, within } from './helpers/waiting.js'

const pids = (): number[] => workersOf().map(({ pid }) => pid)

const ways = [
  'exit',
  'exitInPromise',
  'exitInTimer',
  'importedExit',
  'importedExitInPromise',
  'importedExitInTimer',
  'namespaceExit',
] as const

for (const onWorkerDeath of ['break', 'isolate'] as const) {
  test(`process.exit() fails its task and retires the worker; the pool is healthy (${onWorkerDeath})`, async (t) => {
    const pool = makePool(t, { maxWorkers: 1, onWorkerDeath })
    const exited = record(pool, 'workerExit')
    const broken = record(pool, 'broken')
    const warnings = record(pool, 'warning')
    const expected: unknown[] = []
    for (const way of ways) {
      for (const code of [0, 7]) {
        const pid = await pool.submit(tasks.pid)
        const error = (await failureOf(
          pool.run(exits[way] as (code: number) => unknown, [code], { label: 'bye' }),
        )) as TaskExitError
        t.true(error instanceof TaskExitError, `${way}: ${String(error)}`)
        t.is(error.code, 'ERR_MILLRACE_TASK_EXIT')
        t.is(error.exitCode, code)
        for (const part of [`'${way}' [bye]`, `process.exit(${code})`, `${pid}`]) {
          t.true(error.message.includes(part), `${part} in ${error.message}`)
        }
        expected.push([pid, code, 'recycled'])
        t.not(await pool.submit(tasks.pid), pid)
      }
    }
    t.deepEqual(
      exited.map(({ pid, exitCode, reason }) => [pid, exitCode, reason]),
      expected as never,
    )
    t.deepEqual([broken, warnings], [[], []])
  })
}

test('process.exit() without a code uses process.exitCode, and a bad code throws in the task', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const error = (await failureOf(
    pool.submit(() => {
      process.exitCode = 12
      process.exit()
    }),
  )) as TaskExitError
  t.is(error.exitCode, 12)
  const plain = (await failureOf(pool.submit(exits.exit))) as TaskExitError
  t.is(plain.exitCode, 0)
  const bad = (await failureOf(pool.submit(exits.exit, 'twelve'))) as NodeJS.ErrnoException
  t.is(bad.code, 'ERR_INVALID_ARG_TYPE')
  const text = (await failureOf(pool.submit(exits.exit, '13'))) as TaskExitError
  t.is(text.exitCode, 13)
})

test('calls that are queued behind one that exits go to the replacement', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  await Promise.all(Array.from({ length: 500 }, (_, index) => pool.submit(tasks.add, index, 1)))
  const log = new Log(t)
  const leaving = pool.submit(exits.exit, 1)
  const after = Array.from({ length: 30 }, (_, index) => pool.submit(tasks.append, log.path, index))
  t.true((await failureOf(leaving)) instanceof TaskExitError)
  await within('the rest', Promise.all(after), () => pool.dumpState())
  t.deepEqual(
    log.lines,
    after.map((_, index) => String(index)),
  )
})

test("'exit' listeners of a task that exits run, and cannot report a second outcome", async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const log = new Log(t)
  const error = (await failureOf(
    pool.submit(async (path: string) => {
      const { appendFileSync } = await import('node:fs')
      process.on('exit', (code) => {
        appendFileSync(path, `exit ${code}\n`)
        process.exit(44)
      })
      process.exit(5)
    }, log.path),
  )) as TaskExitError
  t.is(error.exitCode, 5)
  await until('the listener', () => log.lines.length > 0)
  t.is(log.lines[0], 'exit 5')
  t.is(await pool.submit(tasks.add, 1, 2), 3)
})

test('process.exit() in code that a finished task left behind retires the worker, and costs no call', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const [exited, broken] = [record(pool, 'workerExit'), record(pool, 'broken')]
  const pid = await pool.submit(exits.exitAfterwards, 3)
  await until('the exit', () => exited.length > 0)
  t.deepEqual([exited[0]!.pid, exited[0]!.exitCode, exited[0]!.reason], [pid, 3, 'recycled'])
  t.is(await pool.submit(tasks.add, 1, 2), 3)
  t.deepEqual(broken, [])
})

for (const onWorkerDeath of ['break', 'isolate'] as const) {
  test(`process.exit() in code left behind is not charged to the task that runs (${onWorkerDeath})`, async (t) => {
    for (const by of ['a task', 'the initializer'] as const) {
      const gate = new Gate(t)
      const initial = by === 'the initializer' ? { initializer: exits.exitAtGate, initargs: [gate.path, 3] } : {}
      const pool = makePool(t, { maxWorkers: 1, onWorkerDeath, ...initial })
      const [exited, broken, warnings] = [record(pool, 'workerExit'), record(pool, 'broken'), record(pool, 'warning')]
      const pid = await (by === 'a task' ? pool.submit(exits.exitAtGate, gate.path, 3) : pool.submit(tasks.pid))
      const held = new Gate(t)
      const running = pool.submit(tasks.holdAsync, held.path, 0)
      await claimed(running)
      // The initializer of the replacement leaves the same code behind.
      const queued = by === 'a task' ? pool.submit(tasks.add, 1, 2) : 3
      gate.open()
      const error = (await failureOf(running)) as WorkerDiedError
      t.true(error instanceof WorkerDiedError, String(error))
      t.false(error instanceof TaskExitError)
      t.deepEqual([error.code, error.pid, error.exitCode, error.signal], ['ERR_MILLRACE_WORKER_DIED', pid, 3, null])
      t.regex(error.message, /process\.exit\(3\) in code that does not belong to this call/)
      t.regex(error.hint ?? '', /left that code behind/)
      t.is(await queued, 3)
      await until('the exit', () => exited.length > 0)
      t.deepEqual([exited[0]!.pid, exited[0]!.exitCode, exited[0]!.reason], [pid, 3, 'recycled'])
      t.deepEqual([broken, warnings], [[], []])
      await pool.shutdown({ kill: true })
    }
  })
}

test('process.exit() in a module that is loaded for a task is the exit of that task', async (t) => {
  const path = join(tempDirectory(t), 'exits-at-load.mjs')
  writeFileSync(path, 'process.exit(6); export const never = () => 1')
  const pool = makePool(t, { maxWorkers: 1 })
  const error = (await failureOf(pool.submit(importTasks<{ never: () => number }>(path).never))) as TaskExitError
  t.true(error instanceof TaskExitError, String(error))
  t.is(error.exitCode, 6)
  t.is(await pool.submit(tasks.add, 1, 2), 3)
})

test('process.exitCode set by a task means nothing to the pool', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const pid = await pool.submit(exits.setExitCode, 9)
  t.is(await pool.submit(tasks.pid), pid)
  const exited = record(pool, 'workerExit')
  await pool.shutdown()
  t.is(exited[0]!.reason, 'shutdown')
})

// ---- Stray errors ---------------------------------------------------------------------------------------------------

test('an error that nobody catches, and an unhandled rejection, fail the task they stem from', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const warnings = record(pool, 'warning')
  const pid = await pool.submit(tasks.pid)
  const thrown = await failureOf(pool.submit(exits.throwInTimer, 'thrown in a timer'))
  t.is((thrown as Error).message, 'thrown in a timer')
  const rejected = await failureOf(pool.submit(exits.rejectUnhandled, 'rejected and unhandled'))
  t.true(rejected instanceof RangeError)
  t.is((rejected as Error).message, 'rejected and unhandled')
  t.is(await pool.submit(tasks.pid), pid)
  t.deepEqual(warnings, [])
})

test('a stray error of a task that is over does not fail the one that runs: the worker retires after that', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const warnings = record(pool, 'warning')
  const [stray, held] = [new Gate(t), new Gate(t)]
  const pid = await pool.submit(exits.throwAfterwards, stray.path, 'from the past')
  const running = pool.submit(tasks.holdAsync, held.path, 'unharmed')
  await claimed(running)
  const queued = pool.submit(tasks.pid)
  stray.open()
  await until('the warning', () => warnings.length > 0)
  t.is((warnings[0]!.cause as Error).message, 'from the past')
  t.false(running.done())
  t.deepEqual(
    pids().filter((child) => child === pid),
    [pid],
  )
  held.open()
  t.is(await running, 'unharmed')
  t.not(await queued, pid)
})
