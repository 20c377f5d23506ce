// A host whose thread computes: its workers go on with pending calls, and no call is lost or runs twice.

import { tasks } from './fixtures/basic.mjs'
import { failureOf, Log, makePool } from './helpers/pool.js'
import { test } from './helpers/leaks.js'
import { untilSync } from './helpers/waiting.js'
import { exits } from './fixtures/exits.mjs'
import { WorkerDiedError } from 'millrace'

const CALLS = 2000

test('all pending calls run while the thread of the host is blocked, and are answered afterwards', async (t) => {
  const pool = makePool(t)
  await Promise.all([pool.submit(tasks.pid), pool.submit(tasks.pid)])
  const log = new Log(t)
  const futures = Array.from({ length: CALLS }, (_, index) => pool.submit(tasks.append, log.path, `${index}`))
  // More calls than lanes hold: the lanes have to be refilled.
  untilSync('all calls to run', () => log.lines.length === CALLS)
  t.true(futures.every((future) => !future.done()))
  t.true(
    futures.every((future) => !future.cancel()),
    'they have run',
  )
  await Promise.all(futures)
  t.is(new Set(log.lines).size, CALLS)
  t.deepEqual([pool.stats().completed, pool.stats().queued], [CALLS + 2, 0])
})

test('a call that waits meanwhile can be cancelled, and does not run', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const log = new Log(t)
  await pool.submit(tasks.pid)
  const futures = Array.from({ length: CALLS }, (_, index) => pool.submit(tasks.append, log.path, `${index}`))
  untilSync('some calls to run', () => log.lines.length > CALLS / 4)
  const cancelled = new Set<string>()
  for (let index = CALLS - 1; index > 0; index -= 2) if (futures[index]!.cancel()) cancelled.add(`${index}`)
  t.true(cancelled.size > 0)
  untilSync('the others to run', () => log.lines.length === CALLS - cancelled.size)
  t.false(log.lines.some((line) => cancelled.has(line)))
  await Promise.allSettled(futures)
  t.is(pool.stats().cancelled, cancelled.size)
})

test('a worker that dies meanwhile is replaced meanwhile', async (t) => {
  const pool = makePool(t, { maxWorkers: 1, onWorkerDeath: 'isolate' })
  const log = new Log(t)
  await pool.submit(tasks.pid)
  const before = Array.from({ length: 100 }, (_, index) => pool.submit(tasks.append, log.path, `${index}`))
  const fatal = pool.submit(exits.killSelf, 'SIGKILL')
  const after = Array.from({ length: 100 }, (_, index) => pool.submit(tasks.append, log.path, `${100 + index}`))
  untilSync('all calls to run', () => log.lines.length === 200)
  t.true((await failureOf(fatal)) instanceof WorkerDiedError)
  await Promise.all([...before, ...after])
})

// A host with large results is busy for a millisecond again and again, between the news of a result and fetching it.
test('large results in great number arrive intact, once each, and the pool ends', async (t) => {
  const pool = makePool(t)
  const sent = new Uint8Array(64 << 10).fill(5)
  let intact = 0
  const echo = async (): Promise<void> => {
    for (let call = 0; call < 20; call++) {
      const received = await pool.submit(tasks.identity, sent)
      if (Buffer.compare(received, sent) === 0) intact++
    }
  }
  await Promise.all(Array.from({ length: 256 }, echo))
  t.is(intact, 256 * 20)
  t.deepEqual([pool.stats().completed, pool.stats().queued], [256 * 20, 0])
  await pool.shutdown()
})
