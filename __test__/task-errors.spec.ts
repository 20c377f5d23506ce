// Thrown values arrive: as instances of their own classes where these are known, with everything that can travel.

import vm from 'node:vm'
import { RemoteError, SerializationError } from 'millrace'
import { awkward, kinds, throws } from './fixtures/throws.mjs'
import { tasks } from './fixtures/basic.mjs'
import { test } from './helpers/leaks.js'
import { failureOf, makePool } from './helpers/pool.js'
import { within } from './helpers/waiting.js'

type Fields = Error & Record<string, unknown>

/** The condition for each thrown value when it has arrived. */
const expectations: Record<string, (value: unknown) => boolean> = {
  undefined: (value) => value === undefined,
  null: (value) => value === null,
  false: (value) => value === false,
  zero: (value) => Object.is(value, 0),
  minusZero: (value) => Object.is(value, -0),
  nan: (value) => Number.isNaN(value),
  emptyText: (value) => value === '',
  text: (value) => value === 'just text',
  bigint: (value) => value === 10n,
  registeredSymbol: (value) => value === Symbol.for('registered'),
  plainObject: (value) => {
    const { reason, nested } = value as { reason: string; nested: [number, Date] }
    return reason === 'object' && nested[0] === 1 && nested[1].getTime() === 5
  },
  array: (value) => Array.isArray(value) && value.join() === '1,two',
  error: (value) => isError(value, Error, 'plain') && (value as Error).constructor === Error,
  withoutMessage: (value) => isError(value, TypeError, ''),
  rangeError: (value) => isError(value, RangeError, 'out of range'),
  domException: (value) =>
    isError(value, DOMException as never, 'it was aborted') && (value as Error).name === 'AbortError',
  custom: (value) => {
    const { name, query, code, parameters, remote } = value as Fields & RemoteError
    return (
      isError(value, RemoteError as never, 'no connection') &&
      [name, query, code, remote.name].join() === 'DatabaseError,select 1,EDB,DatabaseError' &&
      (parameters as unknown as Map<string, bigint>).get('id') === 7n &&
      Number.isInteger(remote.pid) &&
      remote.pid !== process.pid &&
      remote.stack.includes('throws.mjs')
    )
  },
  needsMore: (value) =>
    isError(value, RemoteError as never, 'no answer from example:80') &&
    (value as RemoteError).code === 'ERR_MILLRACE_REMOTE',
  millrace: (value) =>
    isError(value, SerializationError as never, 'mine') &&
    (value as SerializationError).stage === 'result' &&
    (value as SerializationError).path === 'x.y',
  aggregate: (value) => {
    const [first, second, third] = (value as AggregateError).errors as unknown[]
    return (
      isError(value, AggregateError, 'several') &&
      isError(first, RangeError, 'first') &&
      second === 'second' &&
      isError(third, RemoteError as never, 'third')
    )
  },
  caused: (value) => {
    const { cause } = value as Error
    return isError(cause, TypeError, 'middle') && ((cause as Error).cause as { code: number }).code === 7
  },
  causedByUndefined: (value) => Object.hasOwn(value as object, 'cause') && (value as Error).cause === undefined,
  cyclic: (value) => isError(value, Error, 'cyclic'),
  frozen: (value) => isError(value, Error, 'frozen'),
  withFunction: (value) =>
    isError(value, Error, 'with a function') &&
    (value as Fields).kept === 'kept' &&
    typeof (value as Fields).callback !== 'object',
  withGetter: (value) => isError(value, Error, 'with a getter'),
  proxy: (value) => value instanceof Error,
  trappedProxy: (value) => value instanceof Error,
  revokedProxy: (value) => value instanceof Error,
  referenceErrorProxy: (value) => value instanceof Error,
  trappedPrototype: (value) => value instanceof Error,
  readOnlyMessage: (value) => isError(value, ReferenceError, 'read-only'),
  frozenReferenceError: (value) => isError(value, ReferenceError, 'frozen'),
  throwingMessage: (value) => value instanceof ReferenceError,
  symbolMessage: (value) => value instanceof ReferenceError,
  noMessage: (value) => isError(value, ReferenceError, ''),
  functionThrown: (value) => value instanceof Error && !(value instanceof SerializationError),
  uniqueSymbol: (value) => value instanceof Error && value.message.includes('unique'),
  promise: (value) => value instanceof Error,
  huge: (value) => isError(value, Error, 'x'.repeat(1 << 20)),
}

function isError(value: unknown, expected: new (...args: never[]) => Error, message: string): boolean {
  return value instanceof expected && value.message === message
}

for (const kind of kinds) {
  test(`a task that throws ${kind} has failed, with that`, async (t) => {
    const expectation = expectations[kind]
    if (expectation === undefined) return t.fail(`no expectation for ${kind}`)
    const pool = makePool(t, { maxWorkers: 1 })
    for (const task of [throws.sync, throws.async]) {
      const future = pool.submit(task, kind)
      const value = await failureOf(future)
      t.is(future.outcome, 'error')
      t.true(expectation(value), String(value))
      const caught = await future.then(
        () => t.fail('it has a result'),
        (error: unknown) => ({ error }),
      )
      t.true(Object.is((caught as { error: unknown }).error, value))
    }
    t.is(await pool.submit(tasks.add, 1, 2), 3)
  })
}

for (const kind of Object.keys(awkward)) {
  test(`a function that was sent as source and throws ${kind} has failed, with that`, async (t) => {
    const pool = makePool(t, { maxWorkers: 1 })
    const source = String(awkward[kind])
    for (const text of [`() => { throw (${source})() }`, `async () => { await null; throw (${source})() }`]) {
      const value = await failureOf(pool.submit(vm.runInThisContext(text) as () => never))
      t.true(expectations[kind]!(value), String(value))
    }
    t.is(await pool.submit(tasks.add, 1, 2), 3)
    await within('the shutdown', pool.shutdown(), () => pool.dumpState())
  })
}

test('errors of Node keep their class and their code', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const missing = (await failureOf(pool.submit(throws.readMissing))) as NodeJS.ErrnoException
  t.true(missing instanceof Error)
  t.deepEqual(
    [missing.code, missing.syscall, missing.path, typeof missing.errno],
    ['ENOENT', 'open', '/no/such/file/anywhere', 'number'],
  )
  const invalid = (await failureOf(pool.submit(throws.invalidArgument))) as NodeJS.ErrnoException
  t.true(invalid instanceof TypeError)
  t.is(invalid.code, 'ERR_INVALID_ARG_TYPE')
  const { AssertionError } = await import('node:assert')
  const assertion = await failureOf(pool.submit(throws.assertion))
  t.true(assertion instanceof AssertionError)
  t.is((assertion as Fields).code, 'ERR_ASSERTION')
  const overflow = await failureOf(pool.submit(throws.overflow))
  t.true(overflow instanceof RangeError)
})

test("the stack is the worker's, followed by where the call was submitted", async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const pid = await pool.submit(tasks.pid)
  function submittedHere() {
    return [pool.submit(throws.deep), pool.run(throws.deep, [])]
  }
  for (const future of submittedHere()) {
    const { stack } = (await failureOf(future)) as Error
    const [remote = '', local = ''] = (stack ?? '').split(`— in worker pid ${pid} —`)
    t.regex(remote, /^RangeError: out of range\n/)
    t.regex(remote, /descend .*throws\.mjs:\d+/)
    t.regex(local, /submittedHere .*task-errors\.spec/)
    t.false(local.includes('process-pool-executor'), local)
  }
})

test('an error that is returned is a result', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const future = pool.submit(throws.returnsError)
  const value = (await future) as RangeError
  t.is(future.outcome, 'value')
  t.true(value instanceof RangeError)
  t.is(value.message, 'as a value')
})

test('each failure is an error object of its own', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const [one, two] = await Promise.all([
    failureOf(pool.submit(throws.sync, 'error')),
    failureOf(pool.submit(throws.sync, 'error')),
  ])
  t.not(one, two)
})

test('a thousand failures leave the pool as it was', async (t) => {
  const pool = makePool(t, { maxWorkers: 2 })
  const futures = Array.from({ length: 1000 }, (_, index) => pool.submit(tasks.fail, `failure ${index}`))
  const errors = await Promise.all(futures.map(failureOf))
  t.true(errors.every((error, index) => (error as Error).message === `failure ${index}`))
  t.is(pool.stats().failed, 1000)
  t.is(pool.stats().restarts, 0)
})

test('errors that all name the list of all of them arrive, from a worker to a host', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const batch = (count: number): never => {
    const failures: Error[] = []
    for (let i = 0; i < count; i++) {
      failures.push(Object.assign(new RangeError(`row ${i}`), { batch: failures, info: { all: failures } }))
    }
    throw new AggregateError(failures, 'the batch')
  }
  const { errors } = (await within('the failure', failureOf(pool.submit(batch, 2000)), () => pool.dumpState())) as any
  t.is(errors.length, 2000)
  t.true(errors.every((error: unknown) => error instanceof RangeError))
  t.true(errors.every((error: any) => error.batch === errors[0].batch))
  t.is(errors[0].batch[1999], errors[1999])
  t.is(await pool.submit(tasks.add, 1, 2), 3)
})
