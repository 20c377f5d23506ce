// The states of a pool, and the answer of each method in each state.

import { inspect } from 'node:util'
import test from 'ava'
import { type AsyncResult, InvalidStateError, Pool, ProcessPoolExecutor } from 'millrace'
import { tasks } from './fixtures/basic.mjs'
import { Gate } from './helpers/pool.js'
import { allIdle, failureOf, finish, rejection, startPool } from './helpers/pools.js'
import { isAlive } from './helpers/processes.mjs'
import { moment, until, within } from './helpers/waiting.js'

/** Methods that return at once, and throw. A refused call must not change anything. */
const immediate: Record<string, (pool: Pool) => unknown> = {
  applyAsync: (pool) => pool.applyAsync(tasks.add, [1, 2]),
  mapAsync: (pool) => pool.mapAsync(tasks.double, [1]),
  'mapAsync of nothing': (pool) => pool.mapAsync(tasks.double, []),
  starmapAsync: (pool) => pool.starmapAsync(tasks.add, [[1, 2]]),
  imap: (pool) => pool.imap(tasks.double, [1]),
  'imap of nothing': (pool) => pool.imap(tasks.double, []),
  imapUnordered: (pool) => pool.imapUnordered(tasks.double, [1]),
}

/** Methods that return a promise, which rejects. */
const promised: Record<string, (pool: Pool) => Promise<unknown>> = {
  apply: (pool) => pool.apply(tasks.add, [1, 2]),
  map: (pool) => pool.map(tasks.double, [1]),
  'map of nothing': (pool) => pool.map(tasks.double, []),
  starmap: (pool) => pool.starmap(tasks.add, [[1, 2]]),
  ready: (pool) => pool.ready(),
}

const ends: Record<string, (pool: Pool) => unknown> = {
  closed: (pool) => pool.close(),
  terminated: (pool) => pool.terminate(),
  'closed and joined': (pool) => finish(pool),
  'disposed of': (pool) => pool[Symbol.asyncDispose](),
}

for (const [end, run] of Object.entries(ends)) {
  test(`a pool that is ${end} takes no job`, async (t) => {
    const pool = startPool(t, 1)
    await run(pool)
    for (const [name, call] of Object.entries(immediate)) {
      t.throws(() => call(pool), { instanceOf: InvalidStateError, message: 'Pool not running' }, name)
    }
    for (const [name, call] of Object.entries(promised)) {
      // They return a promise, and do not throw.
      const error = await rejection(call(pool))
      t.true(error instanceof InvalidStateError, name)
      t.is(error.message, 'Pool not running', name)
    }
    await finish(pool)
  })
}

test('join() rejects while the pool runs, and changes nothing', async (t) => {
  const pool = startPool(t, 1)
  await t.throwsAsync(pool.join(), { instanceOf: InvalidStateError, message: 'Pool is still running' })
  t.is(await pool.apply(tasks.add, [1, 2]), 3)
})

test('close() lets queued jobs finish, and may be repeated; then the workers leave', async (t) => {
  const gate = new Gate(t)
  const pool = startPool(t, 2)
  const exits: string[] = []
  pool.on('workerExit', ({ reason }) => exits.push(reason))
  const held = pool.applyAsync(tasks.hold, [gate.path, 'held'])
  const results = Array.from({ length: 50 }, (_, n) => pool.applyAsync(tasks.double, [n]))
  pool.close()
  pool.close()
  t.is(String(pool), '<Pool state=CLOSE pool_size=2>')
  gate.open()
  t.is(await held, 'held')
  t.deepEqual(
    await Promise.all(results),
    results.map((_, n) => 2 * n),
  )
  await within('the end', pool.join())
  await within('the end, asked for again', pool.join())
  t.deepEqual(exits, ['shutdown', 'shutdown'])
  t.is(pool.stats().workers.length, 0)
})

test('a worker that dies after close() is replaced as long as there are jobs', async (t) => {
  const pool = startPool(t, 1)
  const results = Array.from({ length: 20 }, () => pool.applyAsync(tasks.block, [5, 'done']))
  pool.close()
  await until('one is done', () => results[0]!.ready())
  process.kill(pool.stats().workers[0]!.pid, 'SIGKILL')
  await within('the end', pool.join(), () => pool.dumpState())
  t.true(results.every((result) => result.ready()))
  t.true(results.filter((result) => !result.successful()).length <= 1)
})

test('close() after terminate() has no effect, and terminate() may be repeated', async (t) => {
  const pool = startPool(t, 1)
  const first = pool.terminate()
  pool.close()
  t.is(String(pool), '<Pool state=TERMINATE pool_size=1>')
  await within('the end', Promise.all([first, pool.terminate(), pool.join(), pool[Symbol.asyncDispose]()]))
})

test('terminate() after close() ends what close() would have let finish', async (t) => {
  const pool = startPool(t, 1)
  const result = pool.applyAsync(tasks.block, [100_000, 0])
  pool.close()
  await pool.terminate()
  t.is((await failureOf(result)).code, 'ERR_MILLRACE_POOL_TERMINATED')
})

test('await using terminates: workers that block are gone', async (t) => {
  let pids: number[] = []
  let result: AsyncResult<number> | undefined
  {
    await using pool = new Pool(2, { execArgv: [] })
    pids = await allIdle(pool, 2)
    result = pool.applyAsync(tasks.block, [100_000, 1])
    await until('it runs', () => pool.stats().running === 1)
  }
  t.false(pids.some(isAlive))
  t.is((await failureOf(result)).code, 'ERR_MILLRACE_POOL_TERMINATED')
})

test('a pool prints as its state and size', (t) => {
  const pool = startPool(t, 3)
  t.is(inspect(pool), '<Pool state=RUN pool_size=3>')
  t.is(`${pool}`, '<Pool state=RUN pool_size=3>')
  t.is(Object.prototype.toString.call(pool), '[object Pool]')
  t.regex(pool.dumpState(), /^<Pool state=RUN pool_size=3>\npool: open, 0 unfinished/)
})

test('a pool cannot be passed to a worker', async (t) => {
  const pool = startPool(t, 1)
  const argument = await failureOf(pool.applyAsync(tasks.identity, [{ deep: [pool] }]))
  t.is(argument.code, 'ERR_MILLRACE_SERIALIZATION')
  t.is(argument.path, 'args[0].deep[0]')
  t.regex(argument.message, /pool objects cannot be passed between processes/)
  const item = await rejection(pool.imap(tasks.identity, [pool]).next())
  t.regex(item.message, /pool objects cannot be passed between processes/)
  // Nor can instances of derived classes, results and executors.
  class Named extends Pool {}
  const named = new Named(1, { execArgv: [] })
  const executor = new ProcessPoolExecutor()
  for (const value of [named, executor, pool.applyAsync(tasks.pid)]) {
    t.regex(
      (await failureOf(pool.applyAsync(tasks.identity, [value]))).message,
      /args\[0\] is an? (Pool|Process|Async)/,
    )
  }
  await Promise.all([named.terminate(), executor.shutdown()])
  t.is(await pool.apply(tasks.add, [1, 2]), 3)
})

test('the listeners of a pool are told as those of an executor', async (t) => {
  const pool = startPool(t, 1)
  const seen: string[] = []
  const note = ({ reason }: { reason: string }): void => void seen.push(reason)
  pool
    .on('workerExit', note)
    .once('workerReplace', note)
    .on('warning', note as never)
    .off('warning', note as never)
  const failed = pool.applyAsync(() => process.exit(3))
  t.is((await failureOf(failed)).exitCode, 3)
  await until('its worker is replaced', () => seen.length === 2)
  t.deepEqual(seen, ['recycled', 'recycled'])
})

test('maxQueue bounds what waits: applyAsync() throws, ready() tells when there is room, maps wait by themselves', async (t) => {
  const gate = new Gate(t)
  const pool = startPool(t, 1, { maxQueue: 2 })
  const held = pool.applyAsync(tasks.hold, [gate.path, 0])
  await until('it runs', () => pool.stats().running === 1)
  const mapped = pool.mapAsync(tasks.double, [1, 2, 3, 4, 5], { chunksize: 1 })
  t.throws(() => pool.applyAsync(tasks.add, [1, 2]), { code: 'ERR_MILLRACE_QUEUE_FULL' })
  // Items that are not submitted yet belong to the closed pool all the same.
  pool.close()
  await moment()
  t.false(mapped.ready())
  gate.open()
  t.is(await held, 0)
  t.deepEqual(await mapped, [2, 4, 6, 8, 10])
  await within('the end', pool.join())
})

test('ready() resolves when there is room', async (t) => {
  const gate = new Gate(t)
  const pool = startPool(t, 1, { maxQueue: 1 })
  const held = pool.applyAsync(tasks.hold, [gate.path, 0])
  await until('it runs', () => pool.stats().running === 1)
  const waits = pool.applyAsync(tasks.add, [1, 2])
  let hasRoom = false
  const room = pool.ready().then(() => (hasRoom = true))
  await moment()
  t.false(hasRoom)
  gate.open()
  await within('room', room)
  t.deepEqual(await Promise.all([held, waits]), [0, 3])
})
