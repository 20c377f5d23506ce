// The error classes: codes, bases, fields, brands.

import test from 'ava'
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import * as errors from '../src/errors/index.js'

/** Every class: its code without the prefix, its base, and its fields. */
const TABLE: Record<string, { code: string; base: string; fields: Record<string, unknown> }> = {
  BrokenExecutor: { code: 'BROKEN_EXECUTOR', base: 'MillraceError', fields: {} },
  BrokenProcessPool: {
    code: 'BROKEN_PROCESS_POOL',
    base: 'BrokenExecutor',
    fields: { workers: [{ pid: 7, exitCode: null, signal: 'SIGKILL', task: { taskId: 3, name: 'parse' } }] },
  },
  WorkerDiedError: {
    code: 'WORKER_DIED',
    base: 'BrokenProcessPool',
    fields: { pid: 7, exitCode: 1, signal: null, hint: 'out of memory' },
  },
  TaskMemoryError: {
    code: 'TASK_MEMORY',
    base: 'WorkerDiedError',
    fields: { pid: 7, exitCode: null, signal: 'SIGKILL', hint: 'raise it', limit: 1000, rss: 1001 },
  },
  CancelledError: { code: 'CANCELLED', base: 'MillraceError', fields: {} },
  TimeoutError: { code: 'TIMEOUT', base: 'MillraceError', fields: {} },
  TaskTimeoutError: { code: 'TASK_TIMEOUT', base: 'TimeoutError', fields: { timeout: 50, pid: 7 } },
  InvalidStateError: { code: 'INVALID_STATE', base: 'MillraceError', fields: {} },
  ShutdownError: { code: 'SHUTDOWN', base: 'MillraceError', fields: {} },
  QueueFullError: { code: 'QUEUE_FULL', base: 'MillraceError', fields: { maxQueue: 10 } },
  SerializationError: {
    code: 'SERIALIZATION',
    base: 'MillraceError',
    fields: { stage: 'arguments', path: 'args[0].rows[3].fn' },
  },
  TaskLoadError: { code: 'TASK_LOAD', base: 'MillraceError', fields: {} },
  TaskExitError: { code: 'TASK_EXIT', base: 'MillraceError', fields: { exitCode: 3 } },
  RemoteError: {
    code: 'REMOTE',
    base: 'MillraceError',
    fields: { remote: { name: 'DatabaseError', stack: 'DatabaseError: no\n    at there', pid: 7 } },
  },
  WorkerSpawnError: { code: 'WORKER_SPAWN', base: 'MillraceError', fields: {} },
  NestingError: { code: 'NESTING', base: 'MillraceError', fields: { depth: 11 } },
  WorkerTerminatedError: { code: 'WORKER_TERMINATED', base: 'MillraceError', fields: { pid: 7 } },
  PoolTerminatedError: { code: 'POOL_TERMINATED', base: 'MillraceError', fields: {} },
  ForkUnsafeError: { code: 'FORK_UNSAFE', base: 'MillraceError', fields: { reasons: ['a thread runs'] } },
  UnsupportedPlatformError: { code: 'UNSUPPORTED_PLATFORM', base: 'MillraceError', fields: { missing: ['memfd'] } },
  BindingError: { code: 'BINDING', base: 'MillraceError', fields: { reason: 'missing' } },
}

type AnyErrorClass = new (message: string, details?: object) => Error & Record<string, unknown>

const classes = errors as unknown as Record<string, AnyErrorClass>

for (const [name, { code, base, fields }] of Object.entries(TABLE)) {
  test(`${name} has its code, its name, its base and its fields`, (t) => {
    const cause = new Error('why')
    const error = new classes[name]!('what happened', { ...fields, cause })
    t.is(error.message, 'what happened')
    t.is(error.code, `ERR_MILLRACE_${code}`)
    t.is(error.name, name === 'RemoteError' ? 'DatabaseError' : name)
    t.is(error.cause, cause)
    t.true(error instanceof classes[base]!)
    t.true(error instanceof errors.MillraceError)
    t.true(Error.prototype.isPrototypeOf(error))
    for (const [field, value] of Object.entries(fields)) t.deepEqual(error[field], value, field)
    t.deepEqual(
      Object.keys(error).filter((key) => key === 'name' || key === 'cause'),
      [],
    )
    if (name !== 'RemoteError') t.true(error.stack!.startsWith(`${name}: what happened\n`))
  })

  test(`${name} can be copied from its own fields`, (t) => {
    const error = new classes[name]!('what happened', fields)
    const copy = new classes[name]!(error.message, { ...error })
    t.deepEqual({ ...copy }, { ...error })
    t.is(copy.name, error.name)
  })
}

test('the table of classes by name is complete', (t) => {
  t.deepEqual([...errors.errorClasses.keys()].toSorted(), ['MillraceError', ...Object.keys(TABLE)].toSorted())
  for (const [name, errorClass] of errors.errorClasses) t.is(errorClass as unknown, classes[name])
})

test('no class is an instance of another branch', (t) => {
  const timeout = new errors.TimeoutError('late')
  t.false(timeout instanceof errors.TaskTimeoutError)
  t.false(timeout instanceof errors.CancelledError)
  t.false(new errors.BrokenProcessPool('broken') instanceof errors.WorkerDiedError)
  for (const value of [undefined, null, 0, 'TimeoutError', {}, new Error('x'), () => {}]) {
    t.false((value as unknown) instanceof errors.MillraceError)
  }
})

test('instanceof works across copies of the package, subclass relations included', async (t) => {
  const directory = mkdtempSync(fileURLToPath(new URL('copy-', import.meta.url)))
  t.teardown(() => rmSync(directory, { recursive: true }))
  const copy = join(directory, 'base.ts')
  copyFileSync(new URL('../src/errors/base.ts', import.meta.url), copy)
  const base = (await import(pathToFileURL(copy).href)) as typeof import('../src/errors/base.js')
  t.not(base.MillraceError, errors.MillraceError)
  class TheirBroken extends base.MillraceError {
    static {
      base.brand(this, 'BrokenExecutor')
    }
  }
  class TheirPool extends TheirBroken {
    static {
      base.brand(this, 'BrokenProcessPool')
    }
  }
  const theirs: unknown = new TheirPool('broken')
  t.true(theirs instanceof errors.BrokenProcessPool)
  t.true(theirs instanceof errors.BrokenExecutor)
  t.true(theirs instanceof errors.MillraceError)
  t.false(theirs instanceof errors.WorkerDiedError)
  t.false(theirs instanceof errors.TimeoutError)
  const ours: unknown = new errors.WorkerDiedError('died', { pid: 1, exitCode: 0, signal: null })
  t.true(ours instanceof TheirPool)
  t.true(ours instanceof base.MillraceError)
})

test("a user's subclass keeps the ordinary meaning of instanceof", (t) => {
  class Mine extends errors.TaskLoadError {}
  const mine: unknown = new Mine('mine')
  t.true(mine instanceof Mine)
  t.true(mine instanceof errors.TaskLoadError)
  t.true(mine instanceof errors.MillraceError)
  t.false((new errors.TaskLoadError('theirs') as unknown) instanceof Mine)
  t.is((mine as Mine).code, 'ERR_MILLRACE_TASK_LOAD')
})

test('instanceof narrows the type', (t) => {
  const error: unknown = new errors.QueueFullError('full', { maxQueue: 4 })
  if (error instanceof errors.QueueFullError) t.is(error.maxQueue, 4)
  else t.fail()
})

test('a cause that was not given is no property, one of undefined is', (t) => {
  t.false('cause' in new errors.CancelledError('x'))
  t.false('cause' in new errors.CancelledError('x', {}))
  t.true('cause' in new errors.CancelledError('x', { cause: undefined }))
})

test('a WorkerDiedError lists its own worker', (t) => {
  const task = { taskId: 5, name: 'parse', label: 'row 5' }
  const error = new errors.WorkerDiedError('died', { pid: 9, exitCode: null, signal: 'SIGSEGV', task })
  t.deepEqual(error.workers, [{ pid: 9, exitCode: null, signal: 'SIGSEGV', task }])
  t.false('hint' in error)
  t.deepEqual(new errors.BrokenProcessPool('x').workers, [])
})

test("a RemoteError takes over the original's name and code", (t) => {
  const remote = { name: 'PgError', stack: 'PgError: dup', pid: 4 }
  const error = new errors.RemoteError('dup', { remote, code: 23_505 })
  t.is(error.name, 'PgError')
  t.is(error.code as unknown, 23_505)
  t.is(String(error), 'PgError: dup')
  t.is(new errors.RemoteError('dup', { remote, code: undefined }).code, 'ERR_MILLRACE_REMOTE')
})

test('an uncaught error shows its name and its code', (t) => {
  const text = inspect(new errors.TimeoutError('late'))
  t.regex(text, /^TimeoutError: late\n/)
  t.regex(text, /code: 'ERR_MILLRACE_TIMEOUT'/)
  const { stderr } = spawnSync(
    process.execPath,
    [
      '--import=@oxc-node/core/register',
      '--input-type=module',
      '-e',
      `import { ShutdownError } from ${JSON.stringify(new URL('../src/errors/index.ts', import.meta.url))}; throw new ShutdownError('no more')`,
    ],
    { encoding: 'utf8' },
  )
  t.regex(stderr, /ShutdownError: no more/)
})
