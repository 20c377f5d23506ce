// wait() and asCompleted() over futures of worker processes.

import { asCompleted, type Future, TimeoutError, wait } from 'millrace'
import { tasks } from './fixtures/basic.mjs'
import { test } from './helpers/leaks.js'
import { claimed, Gate, makePool } from './helpers/pool.js'
import { within } from './helpers/waiting.js'

async function collect<F>(iterable: AsyncIterable<F>): Promise<F[]> {
  const all: F[] = []
  for await (const item of iterable) all.push(item)
  return all
}

test('wait() for ALL_COMPLETED, the default, over two executors and with duplicates', async (t) => {
  const one = makePool(t, { maxWorkers: 1 })
  const two = makePool(t, { maxWorkers: 1 })
  const futures: Future<unknown>[] = [one.submit(tasks.add, 1, 2), two.submit(tasks.fail, 'no'), two.submit(tasks.pid)]
  const { done, notDone } = await wait([...futures, futures[0]!])
  t.deepEqual(done, new Set(futures))
  t.is(notDone.size, 0)
})

test('wait() for FIRST_COMPLETED returns all that are done by then', async (t) => {
  const pool = makePool(t, { maxWorkers: 2 })
  const gate = new Gate(t)
  const held = pool.submit(tasks.hold, gate.path, 0)
  const quick = [pool.submit(tasks.add, 1, 1), pool.submit(tasks.add, 2, 2)]
  const first = await wait([held, ...quick], { returnWhen: 'FIRST_COMPLETED' })
  t.true(first.notDone.has(held))
  t.true(first.done.size >= 1)
  await Promise.all(quick)
  const again = await wait([held, ...quick], { returnWhen: 'FIRST_COMPLETED' })
  t.deepEqual(again, { done: new Set(quick), notDone: new Set([held]) })
  gate.open()
})

test('wait() for FIRST_EXCEPTION returns at the first failure; a cancelled future is not one', async (t) => {
  const pool = makePool(t, { maxWorkers: 2 })
  const gate = new Gate(t)
  const held = pool.submit(tasks.hold, gate.path, 0)
  await claimed(held)
  const failing = pool.submit(tasks.fail, 'no')
  const failed = await wait([held, failing], { returnWhen: 'FIRST_EXCEPTION' })
  t.deepEqual(failed, { done: new Set([failing]), notDone: new Set([held]) })

  const blocker = pool.submit(tasks.hold, gate.path, 0)
  await claimed(blocker)
  const waiting = pool.submit(tasks.add, 1, 1)
  t.true(waiting.cancel())
  const early = await wait([held, waiting], { returnWhen: 'FIRST_EXCEPTION', timeout: 50 })
  t.deepEqual(early, { done: new Set([waiting]), notDone: new Set([held]) })
  gate.open()
  const all = await wait([held, waiting, blocker], { returnWhen: 'FIRST_EXCEPTION' })
  t.is(all.notDone.size, 0)
})

test('wait() returns the present split when its time is over, without an error', async (t) => {
  const pool = makePool(t, { maxWorkers: 2 })
  const gate = new Gate(t)
  const held = pool.submit(tasks.hold, gate.path, 0)
  const quick = pool.submit(tasks.add, 1, 1)
  await quick
  for (const timeout of [20, 0, -1]) {
    t.deepEqual(await wait([held, quick], { timeout }), { done: new Set([quick]), notDone: new Set([held]) })
  }
  gate.open()
})

test('wait() and asCompleted() of nothing are over at once', async (t) => {
  t.deepEqual(await wait([]), { done: new Set(), notDone: new Set() })
  t.deepEqual(await collect(asCompleted([])), [])
})

test('wait() rejects a condition that it does not know, whatever the futures', async (t) => {
  for (const returnWhen of ['SOME', 'all_completed', 7]) {
    await t.throwsAsync(wait([], { returnWhen: returnWhen as never }), {
      instanceOf: TypeError,
      message: /"options\.returnWhen"/,
    })
  }
})

test('asCompleted() yields what is done first, then the others as they come, each once', async (t) => {
  const pool = makePool(t, { maxWorkers: 2 })
  const gate = new Gate(t)
  const held = pool.submit(tasks.hold, gate.path, 'held')
  const done = [pool.submit(tasks.add, 1, 1), pool.submit(tasks.add, 2, 2)]
  await Promise.all(done)
  const iterator = asCompleted([held, ...done, held, done[0]!])
  const first = [(await iterator.next()).value, (await iterator.next()).value]
  t.deepEqual(new Set(first), new Set<unknown>(done))
  gate.open()
  t.is((await iterator.next()).value, held)
  t.deepEqual(await iterator.next(), { done: true, value: undefined })
})

test('asCompleted() throws a TimeoutError after it has yielded what is done, even with a timeout of 0', async (t) => {
  const pool = makePool(t, { maxWorkers: 2 })
  const gate = new Gate(t)
  const held = pool.submit(tasks.hold, gate.path, 0)
  const quick = pool.submit(tasks.add, 1, 1)
  await quick
  const iterator = asCompleted([held, quick], { timeout: 0 })
  t.is((await iterator.next()).value, quick)
  const error = await t.throwsAsync(iterator.next(), { instanceOf: TimeoutError })
  t.is(error?.message, '1 (of 2) futures unfinished')
  t.deepEqual(await iterator.next(), { done: true, value: undefined })
  gate.open()
})

test('futures that the user cancels complete wait() and asCompleted() that are under way', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const gate = new Gate(t)
  await claimed(pool.submit(tasks.hold, gate.path, 0))
  const futures = Array.from({ length: 10 }, (_, index) => pool.submit(tasks.identity, index))
  const waiting = wait(futures)
  const completing = collect(asCompleted(futures))
  for (const future of futures) future.cancel()
  t.is((await within('wait()', waiting)).done.size, 10)
  t.deepEqual(new Set(await within('asCompleted()', completing)), new Set(futures))
  gate.open()
})

test('futures that shutdown({ cancelFutures }) cancels complete wait() and asCompleted() too', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const gate = new Gate(t)
  const held = pool.submit(tasks.hold, gate.path, 0)
  await claimed(held)
  const futures = Array.from({ length: 10 }, (_, index) => pool.submit(tasks.identity, index))
  const waiting = wait(futures)
  const completing = collect(asCompleted(futures))
  await pool.shutdown({ wait: false, cancelFutures: true })
  t.is((await within('wait()', waiting)).done.size, 10)
  t.is((await within('asCompleted()', completing)).length, 10)
  t.true(futures.every((future) => future.cancelled()))
  t.false(held.done())
  gate.open()
})
