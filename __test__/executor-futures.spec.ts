// Futures of calls in worker processes, in each of their states.

import { inspect } from 'node:util'
import { CancelledError, type Future, InvalidStateError, TimeoutError } from 'millrace'
import { tasks } from './fixtures/basic.mjs'
import { test } from './helpers/leaks.js'
import { claimed, failureOf, Gate, makePool } from './helpers/pool.js'
import { moment, until } from './helpers/waiting.js'

const look = (future: Future<unknown>) => ({
  state: future.state,
  outcome: future.outcome,
  done: future.done(),
  running: future.running(),
  cancelled: future.cancelled(),
})

test('a future that waits is pending: a wait for it runs out, and the call goes on', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const gate = new Gate(t)
  await claimed(pool.submit(tasks.hold, gate.path, 0))
  const future = pool.submit(tasks.identity, 'later')
  const pending = { state: 'pending', outcome: undefined, done: false, running: false, cancelled: false }
  t.deepEqual(look(future), pending)
  for (const timeout of [20, 0, -1]) {
    await t.throwsAsync(future.result({ timeout }), { instanceOf: TimeoutError, code: 'ERR_MILLRACE_TIMEOUT' })
    await t.throwsAsync(future.exception({ timeout }), { instanceOf: TimeoutError })
    t.throws(() => future.resultSync({ timeout }), { instanceOf: TimeoutError })
  }
  t.deepEqual(look(future), pending)
  gate.open()
  t.is(await future.result({ timeout: 60_000 }), 'later')
})

test('a future whose call a worker has claimed is running: cancel() is false and changes nothing', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const gate = new Gate(t)
  const future = pool.submit(tasks.hold, gate.path, 'result')
  await claimed(future)
  const running = { state: 'running', outcome: undefined, done: false, running: true, cancelled: false }
  t.deepEqual(look(future), running)
  t.false(future.cancel())
  t.deepEqual(look(future), running)
  for (const timeout of [20, 0, -1]) {
    await t.throwsAsync(future.result({ timeout }), { instanceOf: TimeoutError })
    await t.throwsAsync(future.exception({ timeout }), { instanceOf: TimeoutError })
    t.throws(() => future.resultSync({ timeout }), { instanceOf: TimeoutError })
  }
  gate.open()
  t.is(await future, 'result')
})

test('a cancelled future is done at once, cancel() stays true, and every wait gets a CancelledError', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const gate = new Gate(t)
  await claimed(pool.submit(tasks.hold, gate.path, 0))
  const future = pool.submit(tasks.identity, 1)
  const waitedFor = future.result()
  t.true(future.cancel())
  t.deepEqual(look(future), { state: 'cancelled', outcome: 'cancelled', done: true, running: false, cancelled: true })
  t.true(future.cancel())
  t.true(future.cancel({ kill: true }))
  const expected = { instanceOf: CancelledError, code: 'ERR_MILLRACE_CANCELLED' }
  await t.throwsAsync(waitedFor, expected)
  await t.throwsAsync(future.result(), expected)
  await t.throwsAsync(future.exception(), expected)
  t.throws(() => future.resultSync(), expected)
  gate.open()
})

test('a finished future keeps its value: the same object each time', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const future = pool.submit(tasks.identity, { a: 1 })
  const value = await future
  t.deepEqual(look(future), { state: 'finished', outcome: 'value', done: true, running: false, cancelled: false })
  t.is(await future.result(), value)
  t.is(await future, value)
  t.is(future.resultSync({ timeout: 0 }), value)
  t.is(await future.exception(), undefined)
  t.false(future.cancel())
  t.false(future.cancel({ kill: true }))
  t.deepEqual(value, { a: 1 })
})

test('a failed future keeps its error: the same object each time', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const future = pool.submit(tasks.fail, 'it failed')
  const error = await failureOf(future)
  t.deepEqual(look(future), { state: 'finished', outcome: 'error', done: true, running: false, cancelled: false })
  t.is(await t.throwsAsync(future.result()), error as Error)
  t.is(await future.exception(), error)
  t.is(
    t.throws(() => future.resultSync()),
    error as Error,
  )
  t.is(await future.catch((caught: unknown) => caught), error)
  t.false(future.cancel())
})

test('settling a future that is done is an InvalidStateError, and its outcome stays', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const future = pool.submit(tasks.identity, 1)
  await future
  const expected = { instanceOf: InvalidStateError, code: 'ERR_MILLRACE_INVALID_STATE', message: /^FINISHED: <Future/ }
  t.throws(() => future.setResult(2), expected)
  t.throws(() => future.setException(new Error('no')), expected)
  t.throws(() => future.setRunningOrNotifyCancel(), expected)
  t.is(await future, 1)
})

test('then, catch and finally are those of a promise', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const good = pool.submit(tasks.add, 1, 2)
  const bad = pool.submit(tasks.fail, 'bad')
  const order: string[] = []
  t.is(await good.then((value) => value * 2), 6)
  t.is(await good.finally(() => order.push('finally')), 3)
  t.is(await bad.then(undefined, (error: Error) => error.message), 'bad')
  t.is(await bad.catch((error: Error) => error.message), 'bad')
  await t.throwsAsync(
    bad.finally(() => order.push('finally again')),
    { message: 'bad' },
  )
  t.deepEqual(order, ['finally', 'finally again'])
})

test('done-callbacks get the future, in the order of registration, each once, before promise reactions', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const future = pool.submit(tasks.add, 1, 1)
  const order: unknown[] = []
  const reaction = future.then(() => order.push('reaction'))
  future.addDoneCallback((given) => order.push('first', given === future, given.state))
  future.addDoneCallback(() => {
    order.push('second')
    future.addDoneCallback(() => order.push('nested'))
    order.push('second ends')
  })
  t.is(
    future.addDoneCallback(() => order.push('third')),
    future,
  )
  await reaction
  t.deepEqual(order, ['first', true, 'finished', 'second', 'nested', 'second ends', 'third', 'reaction'])
  let called = false
  future.addDoneCallback(() => (called = true))
  t.true(called)
})

test('callbacks of a cancelled future run within cancel()', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const gate = new Gate(t)
  await claimed(pool.submit(tasks.hold, gate.path, 0))
  const future = pool.submit(tasks.identity, 1)
  const seen: string[] = []
  future.addDoneCallback(({ state }) => seen.push(state))
  future.cancel()
  seen.push('after cancel()')
  t.deepEqual(seen, ['cancelled', 'after cancel()'])
  gate.open()
})

test('what a callback throws is a warning; later callbacks, and the pool, go on', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const warnings: Error[] = []
  const onWarning = (warning: Error): void => void warnings.push(warning)
  process.on('warning', onWarning)
  t.teardown(() => process.off('warning', onWarning))
  const future = pool.submit(tasks.add, 1, 1)
  const order: string[] = []
  future.addDoneCallback(() => {
    throw undefined
  })
  future.addDoneCallback(() => {
    throw new RangeError('from a callback')
  })
  future.addDoneCallback(async () => {
    await Promise.resolve()
    throw new RangeError('from an async callback')
  })
  future.addDoneCallback(() => order.push('later'))
  await future
  t.deepEqual(order, ['later'])
  t.is(await pool.submit(tasks.add, 2, 2), 4)
  await until('three warnings', () => warnings.length === 3)
  for (const warning of warnings) {
    t.is((warning as NodeJS.ErrnoException).code, 'MILLRACE_CALLBACK')
    t.regex(warning.message, /exception calling callback for <Future #\d+ state=finished returned number>/)
  }
  t.deepEqual(
    warnings.map(({ cause }) => (cause as Error | undefined)?.message),
    [undefined, 'from a callback', 'from an async callback'],
  )
})

test('failed futures that nobody looks at, or whose exception() is dropped, cause no unhandledRejection', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const rejections: unknown[] = []
  const onRejection = (reason: unknown): void => void rejections.push(reason)
  process.prependListener('unhandledRejection', onRejection)
  t.teardown(() => process.off('unhandledRejection', onRejection))
  const dropped = pool.submit(tasks.fail, 'dropped')
  const asked = pool.submit(tasks.fail, 'asked')
  void asked.exception()
  void asked.exception({ timeout: 1 })
  const cancelled = pool.submit(tasks.identity, 1)
  cancelled.cancel()
  void cancelled.exception()
  await until('both to fail', () => dropped.done() && asked.done())
  await moment()
  t.deepEqual(rejections, [])
})

test('toString() and inspect() tell number, state and outcome, and run no code of the result', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const gate = new Gate(t)
  const held = pool.submit(tasks.hold, gate.path, { text: 'x' })
  await claimed(held)
  const waiting = pool.submit(tasks.identity, 1)
  const cancelled = pool.submit(tasks.identity, 1)
  cancelled.cancel()
  t.is(String(held), '<Future #1 state=running>')
  t.is(inspect(waiting), '<Future #2 state=pending>')
  t.is(inspect({ cancelled }), '{ cancelled: <Future #3 state=cancelled> }')
  gate.open()
  await waiting
  const failed = pool.submit(() => {
    throw new RangeError('no')
  })
  await failureOf(failed)
  t.is(String(held), '<Future #1 state=finished returned Object>')
  t.is(String(waiting), '<Future #2 state=finished returned number>')
  t.is(String(failed), '<Future #4 state=finished raised RangeError>')
  t.is(Object.prototype.toString.call(failed), '[object Future]')
})
