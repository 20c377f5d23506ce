// The option `signal` of waits: of futures, of several futures, of a job of a Pool, and of room in the queue.

import { EventEmitter, getEventListeners } from 'node:events'
import type { ExecutionContext } from 'ava'
import {
  asCompleted,
  Executor,
  Future,
  type ProcessPoolExecutor,
  QueueFullError,
  TimeoutError,
  wait,
  type WaitOptions,
} from 'millrace'
import { tasks } from './fixtures/basic.mjs'
import { listenersOf, rejection, timersOf } from './helpers/futures.js'
import { claimed, Gate, makePool } from './helpers/pool.js'
import { startPool } from './helpers/pools.js'
import { test } from './helpers/leaks.js'
import { moment, within } from './helpers/waiting.js'

const reason = new Error('enough')

/** Each kind of wait for a future that is pending. */
const waits: Record<string, (future: Future<number>, options: WaitOptions) => Promise<unknown>> = {
  'result()': (future, options) => future.result(options),
  'exception()': (future, options) => future.exception(options),
  'wait()': (future, options) => wait([future], options),
  'asCompleted()': (future, options) => asCompleted([future], options).next(),
}

function listeners(signal: AbortSignal): number {
  return getEventListeners(signal, 'abort').length
}

for (const [name, waitFor] of Object.entries(waits)) {
  test(`${name} rejects with the signal's reason, and lets go of signal and future`, async (t) => {
    const timers = timersOf()
    for (const timeout of [undefined, 60_000]) {
      const future = new Future<number>()
      const { signal, abort } = controller()
      const waiting = rejection(waitFor(future, timeout === undefined ? { signal } : { signal, timeout }))
      t.is(listeners(signal), 1)
      abort(reason)
      t.is((await waiting).reason, reason)
      t.deepEqual([listeners(signal), listenersOf(future as never), timersOf()], [0, 0, timers])
      t.is(future.state, 'pending', 'the call goes on')
    }
  })

  test(`${name} rejects with the reason of a signal that was aborted before, whatever there is`, async (t) => {
    const done = new Future<number>()
    done.setResult(1)
    for (const thrown of [reason, undefined, 'text']) {
      const signal = AbortSignal.abort(thrown)
      for (const future of [new Future<number>(), done]) {
        for (const options of [{ signal }, { signal, timeout: 0 }]) {
          t.is((await rejection(waitFor(future, options))).reason, signal.reason)
          t.is(listenersOf(future as never), 0)
        }
      }
      t.is(listeners(signal), 0)
    }
  })

  test(`${name} lets go of a signal when its wait is over`, async (t) => {
    const { signal, abort } = controller()
    const future = new Future<number>()
    const waiting = waitFor(future, { signal, timeout: 60_000 })
    t.is(listeners(signal), 1)
    future.setResult(1)
    await waiting
    t.is(listeners(signal), 0)
    if (name !== 'wait()') {
      await t.throwsAsync(waitFor(new Future<number>(), { signal, timeout: 10 }), { instanceOf: TimeoutError })
    }
    t.is(listeners(signal), 0)
    abort(reason)
    await waiting
  })

  test(`${name}: many waits share one listener, and warn of nothing`, async (t) => {
    const { signal, abort } = controller()
    const warnings: string[] = []
    const onWarning = ({ name }: Error): void => void warnings.push(name)
    process.on('warning', onWarning)
    const futures = Array.from({ length: EventEmitter.defaultMaxListeners * 3 }, () => new Future<number>())
    const all = futures.map((future) => rejection(waitFor(future, { signal })))
    t.is(listeners(signal), 1)
    await moment(10)
    abort(reason)
    t.true((await Promise.all(all)).every((one) => one.reason === reason))
    t.is(listeners(signal), 0)
    process.off('warning', onWarning)
    t.deepEqual(warnings, [])
  })

  test(`${name} refuses what is no signal`, async (t) => {
    for (const signal of [null, {}, 7, new AbortController()]) {
      const error = await t.throwsAsync(async () => waitFor(new Future<number>(), { signal } as never))
      t.is((error as NodeJS.ErrnoException | undefined)?.code, 'ERR_INVALID_ARG_TYPE')
      t.true(error?.message.includes('"options.signal"'), error?.message)
    }
  })
}

function controller(): { signal: AbortSignal; abort: (why: unknown) => void } {
  const one = new AbortController()
  return { signal: one.signal, abort: (why) => one.abort(why) }
}

test('exception() that nobody looks at causes no unhandled rejection', async (t) => {
  const { signal, abort } = controller()
  const seen: unknown[] = []
  const onUnhandled = (error: unknown): void => void seen.push(error)
  process.on('unhandledRejection', onUnhandled)
  void new Future<number>().exception({ signal })
  abort(reason)
  await moment()
  process.off('unhandledRejection', onUnhandled)
  t.deepEqual(seen, [])
})

test('resultSync() has no signal: nothing could abort it', (t) => {
  t.throws(() => new Future().resultSync({ signal: new AbortController().signal } as never), {
    code: 'ERR_INVALID_ARG_VALUE',
  })
})

test('asCompleted() yields what is done before it rejects, and is over then', async (t) => {
  const { signal, abort } = controller()
  const [first, second, third] = [new Future<number>(), new Future<number>(), new Future<number>()]
  const iterator = asCompleted([first, second, third], { signal })
  t.is(listeners(signal), 0, 'nobody waits')
  first.setResult(1)
  second.setResult(2)
  abort(reason)
  t.is((await iterator.next()).value, first)
  t.is((await iterator.next()).value, second)
  t.is((await rejection(iterator.next())).reason, reason)
  t.deepEqual(await iterator.next(), { done: true, value: undefined })
  t.is(listenersOf(third as never), 0)
})

test('a wait in vain leaves the call of an executor alone', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const gate = new Gate(t)
  const future = pool.submit(tasks.hold, gate.path, 7)
  const { signal, abort } = controller()
  const waiting = rejection(future.result({ signal }))
  await claimed(future)
  abort(reason)
  t.is((await waiting).reason, reason)
  t.is(future.state, 'running')
  gate.open()
  t.is(await future, 7)
})

test('AsyncResult: get() and wait() reject with the reason, and the job goes on', async (t) => {
  const pool = startPool(t, 1)
  const gate = new Gate(t)
  const result = pool.applyAsync(tasks.hold, [gate.path, 7])
  const { signal, abort } = controller()
  const both = [rejection(result.get({ signal })), rejection(result.wait({ signal }))]
  abort(reason)
  for (const one of both) t.is((await one).reason, reason)
  await result.wait({ timeout: 10 })
  gate.open()
  t.is(await result.get(), 7)
  t.is((await rejection(result.wait({ signal }))).reason, reason)
  await result.wait()
})

// ---- ready() --------------------------------------------------------------------------------------------------------

/** A pool with one worker and no queue, whose worker holds. */
async function fullPool(t: ExecutionContext): Promise<{ pool: ProcessPoolExecutor; gate: Gate }> {
  const pool = makePool(t, { maxWorkers: 1, maxQueue: 0 })
  const gate = new Gate(t)
  await claimed(pool.submit(tasks.hold, gate.path, 0))
  return { pool, gate }
}

test('ready() rejects with the reason of a signal, at once if it is aborted already', async (t) => {
  const { pool, gate } = await fullPool(t)
  const { signal, abort } = controller()
  const waiting = Array.from({ length: 15 }, () => rejection(pool.ready({ signal })))
  t.is(listeners(signal), 1)
  abort(reason)
  for (const one of waiting) t.is((await one).reason, reason)
  t.is(listeners(signal), 0)
  t.is((await rejection(pool.ready({ signal }))).reason, reason)
  t.is((await rejection(makePool(t).ready({ signal }))).reason, reason)
  await t.throwsAsync(pool.ready({ signal: {} } as never), { code: 'ERR_INVALID_ARG_TYPE' })
  await t.throwsAsync(pool.ready({ timeout: 5 } as never), { code: 'ERR_INVALID_ARG_VALUE' })
  gate.open()
  await pool.ready()
})

test('a signal that is aborted after ready() has resolved changes nothing', async (t) => {
  const { pool, gate } = await fullPool(t)
  const { signal, abort } = controller()
  const waiting = pool.ready({ signal })
  gate.open()
  await waiting
  t.is(listeners(signal), 0)
  const future = pool.submit(tasks.add, 1, 2)
  abort(reason)
  t.is(await future, 3)
})

test('a waiter that gives up is passed over, and its room goes to the next', async (t) => {
  const { pool, gate } = await fullPool(t)
  const order: string[] = []
  const { signal, abort } = controller()
  const first = pool.ready({ signal }).then(
    () => order.push('first'),
    () => order.push('gave up'),
  )
  const second = pool.ready().then(() => {
    order.push('second')
    return pool.submit(tasks.add, 1, 2)
  })
  abort(reason)
  await first
  gate.open()
  t.is(await within('the second', second, () => pool.dumpState()), 3)
  t.deepEqual(order, ['gave up', 'second'])
})

test('when all waiters have given up, calls are taken again, and room is told of', async (t) => {
  const { pool, gate } = await fullPool(t)
  const { signal, abort } = controller()
  const waiting = rejection(pool.ready({ signal }))
  const drained = new Promise<void>((resolve) => pool.once('drain', resolve))
  abort(reason)
  await waiting
  t.throws(() => pool.submit(tasks.add, 1, 2), { instanceOf: QueueFullError })
  gate.open()
  await within('the event drain', drained, () => pool.dumpState())
  t.is(await pool.submit(tasks.add, 1, 2), 3)
})

test('ready() of the base class looks at the signal', async (t) => {
  class Own extends Executor {
    override submit(): never {
      throw new Error('none')
    }
    override async shutdown(): Promise<void> {}
  }
  const own = new Own()
  await own.ready()
  await own.ready({ signal: new AbortController().signal })
  t.is((await rejection(own.ready({ signal: AbortSignal.abort(reason) }))).reason, reason)
})
