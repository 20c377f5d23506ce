// The label of a call, and the number of its attempt: in the task, and in the errors about the call.

import { writeFileSync } from 'node:fs'
import {
  CancelledError,
  type MillraceError,
  type RunOptions,
  SerializationError,
  SharedBuffer,
  TaskExitError,
  TaskLoadError,
  TaskTimeoutError,
  WorkerDiedError,
  WorkerTerminatedError,
  importTasks,
  type ProcessPoolExecutor,
} from 'millrace'
import { attempts } from './fixtures/attempts.mjs'
import { tasks } from './fixtures/basic.mjs'
import { exits } from './fixtures/exits.mjs'
import { claimed, failureOf, Gate, Log, makePool } from './helpers/pool.js'
import { test } from './helpers/leaks.js'

const missing = importTasks<{ any(): void }>(new URL('./fixtures/throws-at-load.mjs', import.meta.url))
const isolate = { onWorkerDeath: 'isolate', maxWorkers: 1 } as const

test('a task knows the label of its call, and calls without a label have none', async (t) => {
  const pool = makePool(t, isolate)
  const log = new Log(t)
  for (const label of ['row 7', '', 'ü–𝄞', 'x'.repeat(100_000)]) {
    t.deepEqual(await pool.run(attempts.tellCall, [log.path, 0], { label }), { label, attempt: 1 })
    t.deepEqual(await pool.submit(attempts.tellCall, log.path, 0), { label: undefined, attempt: 1 })
  }
})

test('the label is no argument, whatever the arguments are', async (t) => {
  const pool = makePool(t, isolate)
  const lists: unknown[][] = [
    [],
    [1],
    ['a', 2n, null],
    [new Uint8Array(9)],
    [new Uint8Array(300_000), 'x'],
    [{ a: [1] }],
    [new Map()],
  ]
  for (const list of lists) {
    t.deepEqual(await pool.run(attempts.kinds, list, { label: 'l' }), await pool.submit(attempts.kinds, ...list))
  }
  const buffer = SharedBuffer.allocate(200_000, pool)
  t.deepEqual(await pool.run(attempts.kinds, [buffer], { label: 'l', transfer: [buffer] }), ['ArrayBuffer'])
  t.true(buffer.moved)
})

test('a task knows how often its call was begun', async (t) => {
  const pool = makePool(t, isolate)
  for (const deaths of [0, 1, 3]) {
    const future = pool.run(attempts.tellCall, [new Log(t).path, deaths], { retries: 3, label: 'again' })
    t.deepEqual(await future, { label: 'again', attempt: deaths + 1 })
  }
})

test('the items of a map know its label, and the attempt of each', async (t) => {
  const pool = makePool(t, { ...isolate, maxWorkers: 2 })
  const logs = Array.from({ length: 12 }, () => new Log(t))
  const rows = logs.map(({ path }, index) => [path, index % 4 === 3 ? 2 : 0] as const)
  const expected = rows.map(([, errors]) => ({ label: 'rows', attempt: errors + 1 }))
  const when = (): boolean => true
  for (const chunksize of [1, 5, 12, 'auto'] as const) {
    for (const log of logs) writeFileSync(log.path, '')
    const options = { chunksize, label: 'rows', retries: { limit: 2, delay: 5, when } }
    t.deepEqual(await pool.starmap(attempts.tellFailing, rows, options).toArray(), expected)
  }
  const told = await pool.map(attempts.tellRow, rows, { chunksize: 3, label: 'ü' }).toArray()
  t.deepEqual(
    told,
    rows.map(() => ({ label: 'ü', attempt: 1 })),
  )
  t.deepEqual(
    await pool.map(attempts.tellRow, rows, { chunksize: 3 }).toArray(),
    rows.map(() => ({ label: undefined, attempt: 1 })),
  )
})

test('an item whose worker dies is repeated, and knows it; the others of its chunk are not', async (t) => {
  const pool = makePool(t, isolate)
  const logs = Array.from({ length: 6 }, () => new Log(t))
  const rows = logs.map(({ path }, index) => [path, index === 2 ? 1 : 0] as const)
  const told = await pool.starmap(attempts.tellCall, rows, { chunksize: 6, label: 'rows', retries: 1 }).toArray()
  t.deepEqual(
    told.map(({ attempt }) => attempt),
    [1, 1, 2, 1, 1, 1],
  )
  t.true(told.every(({ label }) => label === 'rows'))
})

test('errors about the items of a map have its label', async (t) => {
  const pool = makePool(t, isolate)
  const options = { settle: true, label: 'rows', chunksize: 4 } as const
  for (const [fn, item, errorClass] of [
    [exits.killSelf, 'SIGKILL', WorkerDiedError],
    [attempts.unsendable, 0, SerializationError],
    [exits.exit, 3, TaskExitError],
    [missing.any, 0, TaskLoadError],
  ] as const) {
    for await (const outcome of pool.map(fn as (item: unknown) => unknown, [item, item], options)) {
      if (outcome.status !== 'rejected') return t.fail()
      t.true(outcome.reason instanceof errorClass, String(outcome.reason))
      t.is(outcome.reason.label, 'rows')
      t.true(outcome.reason.message.includes('[rows]'), outcome.reason.message)
    }
  }
  const unsent = await pool.map(tasks.identity, [1, () => {}, 3], options).toArray()
  t.deepEqual(
    unsent.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
  const [, refused] = unsent
  t.is(refused?.status === 'rejected' && refused.reason.label, 'rows')
})

// ---- Errors ---------------------------------------------------------------------------------------------------------

const options: RunOptions = { label: 'row 7' }

const failures: [
  what: string,
  errorClass: new (...args: never[]) => MillraceError,
  call: (pool: ProcessPoolExecutor, log: string) => Promise<unknown>,
][] = [
  ['a death', WorkerDiedError, (pool) => failureOf(pool.run(exits.killSelf, ['SIGKILL'], options))],
  ['a time-out', TaskTimeoutError, (pool, log) => failureOf(pool.run(exits.spin, [log], { ...options, timeout: 50 }))],
  ['an exit', TaskExitError, (pool) => failureOf(pool.run(exits.exit, [3], options))],
  ['a module that does not load', TaskLoadError, (pool) => failureOf(pool.run(missing.any, [], options))],
  [
    'arguments that cannot travel',
    SerializationError,
    (pool) => failureOf(pool.run(tasks.identity, [() => {}], options)),
  ],
  ['a result that cannot travel', SerializationError, (pool) => failureOf(pool.run(attempts.unsendable, [], options))],
]

for (const [what, errorClass, call] of failures) {
  test(`the error about ${what} tells the label in its message and as a field`, async (t) => {
    const pool = makePool(t, isolate)
    const error = (await call(pool, new Log(t).path)) as MillraceError
    t.true(error instanceof errorClass, String(error))
    t.is(error.label, 'row 7')
    t.true(error.message.includes('[row 7]'), error.message)
    t.true(error.stack!.includes('[row 7]'), error.stack)
    if (errorClass === SerializationError) t.truthy((error as SerializationError).stage)
  })
}

test('the errors of calls that are cancelled or terminated tell the label', async (t) => {
  const pool = makePool(t, isolate)
  const gate = new Gate(t)
  const held = pool.run(tasks.hold, [gate.path, 0], options)
  await claimed(held)
  const cancelled = pool.run(tasks.add, [1, 2], options)
  cancelled.cancel()
  const reason = new Error('enough')
  const abort = new AbortController()
  const aborted = pool.run(tasks.add, [1, 2], { ...options, signal: abort.signal })
  abort.abort(reason)
  const late = pool.run(tasks.add, [1, 2], { ...options, signal: abort.signal })
  for (const future of [cancelled, aborted, late]) {
    const error = await t.throwsAsync(future.result(), { instanceOf: CancelledError })
    t.is(error?.label, 'row 7')
    t.true(error?.message.includes('[row 7]'), error?.message)
    t.is(error?.cause, future === cancelled ? undefined : reason)
  }
  await pool.killWorkers()
  const error = await failureOf(held)
  if (!(error instanceof WorkerTerminatedError)) return t.fail(String(error))
  t.is(error.label, 'row 7')
  t.true(error.message.includes('[row 7]'), error.message)
})

test('what a task throws is not changed by the label of its call', async (t) => {
  const pool = makePool(t, isolate)
  const error = (await failureOf(pool.run(attempts.fail, [new Log(t).path], options))) as Error
  t.is(error.message, 'no')
  t.false('label' in error)
  const ours = (await failureOf(pool.run(attempts.failAsOurs, [], options))) as MillraceError
  t.true(ours instanceof WorkerDiedError)
  t.is(ours.label, 'theirs')
})

test('without a label the errors have no such field', async (t) => {
  const pool = makePool(t, isolate)
  for (const future of [pool.submit(exits.exit, 3), pool.submit(tasks.identity, () => {})]) {
    t.false('label' in ((await failureOf(future)) as Error))
  }
})
