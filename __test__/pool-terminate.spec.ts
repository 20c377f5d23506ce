// terminate(): everything is settled before it returns, and the workers go, whatever they do.

import test from 'ava'
import { tasks } from './fixtures/basic.mjs'
import { exits } from './fixtures/exits.mjs'
import { Gate, Log } from './helpers/pool.js'
import { allIdle, failureOf, rejection, startPool } from './helpers/pools.js'
import { isAlive } from './helpers/processes.mjs'
import { until, within } from './helpers/waiting.js'

const TERMINATED = 'ERR_MILLRACE_POOL_TERMINATED'

test('ten thousand queued jobs are settled at once, each with an error of its own', async (t) => {
  const log = new Log(t)
  const gate = new Gate(t)
  const pool = startPool(t, 2)
  const pids = await allIdle(pool, 2)
  const results = Array.from({ length: 10_000 }, (_, n) =>
    pool.applyAsync(tasks.appendAndHold, [log.path, n, gate.path]),
  )
  await until('two run', () => log.lines.length === 2)
  const ended = pool.terminate()
  t.true(results.every((result) => result.ready() && !result.successful()))
  await within('the end', ended, () => pool.dumpState())
  t.false(pids.some(isAlive))
  t.is(log.lines.length, 2)
  const errors = await Promise.all(results.slice(0, 100).map((result) => failureOf(result)))
  t.true(errors.every(({ code }) => code === TERMINATED))
  t.is(new Set(errors).size, 100)
  t.deepEqual(pool.stats().workers, [])
})

test('workers that ignore SIGTERM or never look up are ended', async (t) => {
  const log = new Log(t)
  const pool = startPool(t, 2)
  const pids = await allIdle(pool, 2)
  const results = [pool.applyAsync(exits.ignoreTerm, [log.path]), pool.applyAsync(exits.spin, [log.path])]
  await until('both run', () => log.lines.length === 2)
  await within('the end', pool.terminate(), () => pool.dumpState())
  t.false(pids.some(isAlive))
  for (const result of results) t.is((await failureOf(result)).code, TERMINATED)
  t.false(log.lines.includes('SIGTERM'))
})

test('workers that are starting are ended', async (t) => {
  for (let round = 0; round < 5; round++) {
    const pool = startPool(t, 3)
    const result = pool.applyAsync(tasks.pid)
    const pids = pool.stats().workers.map(({ pid }) => pid)
    await within('the end', pool.terminate(), () => pool.dumpState())
    t.is((await failureOf(result)).code, TERMINATED)
    t.false(pids.some(isAlive))
  }
})

test('an initializer that hangs does not hold terminate() up', async (t) => {
  const pool = startPool(t, 1, { initializer: () => new Promise(() => setInterval(() => {}, 1000)) })
  const result = pool.applyAsync(tasks.pid)
  await within('the end', pool.terminate(), () => pool.dumpState())
  t.is((await failureOf(result)).code, TERMINATED)
})

test('a result that is there is delivered; a map that has failed in part fails by the end', async (t) => {
  const gate = new Gate(t)
  const log = new Log(t)
  const pool = startPool(t, 2)
  await allIdle(pool, 2)
  const done = pool.applyAsync(tasks.append, [log.path, 'done'])
  const word = new Int32Array(new SharedArrayBuffer(4))
  // This thread does not learn of the result before terminate() looks.
  const deadline = performance.now() + 60_000
  while (log.lines.length === 0 && performance.now() < deadline) Atomics.wait(word, 0, 0, 2)
  Atomics.wait(word, 0, 0, 100)
  t.false(done.ready())
  const partial = pool.starmapAsync(
    (path: string, n: number) => {
      if (n === 0) throw new Error('first')
      return import('node:fs').then(async ({ existsSync }) => {
        while (existsSync(path)) await new Promise((resolve) => setTimeout(resolve, 2))
      })
    },
    [
      [gate.path, 0],
      [gate.path, 1],
    ],
    { chunksize: 1 },
  )
  await until('the first item has failed', () => pool.stats().completed >= 2)
  void pool.terminate()
  t.true(done.ready() && done.successful())
  t.is((await failureOf(partial)).code, TERMINATED)
})

test('iterators yield what is there, then the error, then nothing', async (t) => {
  const gate = new Gate(t)
  const pool = startPool(t, 1)
  const hold = async (item: [string, number]): Promise<number> => {
    const { existsSync } = await import('node:fs')
    while (item[1] === 2 && existsSync(item[0])) await new Promise((resolve) => setTimeout(resolve, 2))
    return item[1]
  }
  const items = Array.from({ length: 100 }, (_, n): [string, number] => [gate.path, n])
  const iterator = pool.imap(hold, items, { buffersize: 4 })
  const unread = pool.imap(tasks.double, [1, 2, 3])
  t.is((await iterator.next()).value, 0)
  await until('the next is there', () => pool.stats().completed === 2)
  const waiting = (async function* () {
    await new Promise(() => {})
    yield 1
  })()
  const stuck = pool.imap(tasks.double, waiting).next()
  void pool.terminate()
  t.is((await iterator.next()).value, 1)
  const end = await rejection(iterator.next())
  t.is(end.code, TERMINATED)
  for (let again = 0; again < 5; again++) t.is(await rejection(iterator.next()), end)
  t.is((await rejection(stuck)).code, TERMINATED)
  t.is((await rejection(unread.next())).code, TERMINATED)
})

test('maps that wait for room in the queue are ended, too', async (t) => {
  const gate = new Gate(t)
  const pool = startPool(t, 1, { maxQueue: 1 })
  const held = pool.applyAsync(tasks.hold, [gate.path, 0])
  const mapped = pool.mapAsync(tasks.double, [1, 2, 3, 4], { chunksize: 1 })
  const iterator = pool.imap(tasks.double, [1, 2, 3, 4])
  const room = rejection(pool.ready())
  void pool.terminate()
  for (const result of [held, mapped]) t.true(result.ready())
  t.is((await failureOf(mapped)).code, TERMINATED)
  t.is((await rejection(iterator.next())).code, TERMINATED)
  t.is((await room).code, 'ERR_MILLRACE_SHUTDOWN')
})

test('terminate() from a getter of an argument, from an iterable, from a listener', async (t) => {
  const fromGetter = startPool(t, 1)
  const trap = {
    get value() {
      void fromGetter.terminate()
      return 1
    },
  }
  t.throws(() => fromGetter.applyAsync(tasks.identity, [trap]), { code: 'ERR_MILLRACE_SHUTDOWN' })
  await within('the end', fromGetter.join())
  const fromIterable = startPool(t, 1)
  const items = function* (): Generator<number> {
    yield 1
    void fromIterable.terminate()
  }
  t.throws(() => fromIterable.mapAsync(tasks.double, items()), { message: 'Pool not running' })
  await within('the end', fromIterable.join())
  const fromListener = startPool(t, 2)
  const ended = new Promise<void>((resolve) => {
    fromListener.once('workerExit', () => resolve(fromListener.terminate()))
  })
  await allIdle(fromListener, 2)
  const result = fromListener.applyAsync(tasks.block, [100_000, 1])
  void fromListener.applyAsync(() => process.exit(1)).catch(() => {})
  await within('the end', ended, () => fromListener.dumpState())
  t.is((await failureOf(result)).code, TERMINATED)
})
