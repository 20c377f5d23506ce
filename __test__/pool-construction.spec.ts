// The start of a pool: all workers at once or none, its options, its initializer.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { type BrokenProcessPool, Pool, WorkerSpawnError } from 'millrace'
import { tasks } from './fixtures/basic.mjs'
import { boot } from './fixtures/boot.mjs'
import { faultsBinding } from './helpers/faults.js'
import { runHost } from './helpers/hosts.js'
import { tempDirectory } from './helpers/pool.js'
import { allIdle, failureOf, finish, rejection, startPool } from './helpers/pools.js'
import { hasProc, isAlive, workersOf } from './helpers/processes.mjs'
import { startMethod } from './helpers/start-method.mjs'
import { until } from './helpers/waiting.js'

const forks = startMethod === 'forkserver'

test.serial('all workers are started by the constructor', async (t) => {
  const before = workersOf().length
  const pool = startPool(t, 3)
  // A fork server is started, and forks the workers when it is ready.
  if (forks) await until('the workers', () => pool.stats().workers.length === 3)
  t.is(pool.stats().workers.length, 3)
  if (hasProc) t.is(workersOf().length, before + 3)
  const pids = await allIdle(pool, 3)
  t.is(await pool.apply(tasks.add, [1, 2]), 3)
  t.deepEqual(
    pool.stats().workers.map(({ pid }) => pid),
    pids,
  )
  await finish(pool)
  t.is(workersOf().length, before)
})

test('without a number it has a worker for each processor', async (t) => {
  const pool = startPool(t, undefined)
  if (forks) await until('a worker', () => pool.stats().workers.length > 0)
  t.true(pool.stats().workers.length >= 1)
  t.regex(String(startPool(t, 1)), /^<Pool state=RUN pool_size=1>$/)
})

const wrong: [name: string, make: () => unknown, expected: object][] = [
  ['no worker', () => new Pool(0), { instanceOf: RangeError, message: /"processes".*of|from 1/ }],
  ['half a worker', () => new Pool(0.5), { instanceOf: RangeError, message: /"processes"/ }],
  ['a word', () => new Pool('2' as never), { instanceOf: TypeError, message: /"processes"/ }],
  ['true', () => new Pool(true as never), { instanceOf: TypeError, message: /"processes"/ }],
  ['no share of calls', () => new Pool(1, { maxtasksperchild: 0 }), { instanceOf: RangeError }],
  ['a negative share', () => new Pool(1, { maxtasksperchild: -1 }), { instanceOf: RangeError }],
  ['half a call', () => new Pool(1, { maxtasksperchild: 0.5 }), { message: /"options.maxtasksperchild"/ }],
  ['a share in words', () => new Pool(1, { maxtasksperchild: '12' as never }), { instanceOf: TypeError }],
  ['no initializer', () => new Pool(1, { initializer: 5 as never }), { instanceOf: TypeError, message: /initializer/ }],
  ['no arguments', () => new Pool(1, { initargs: 5 as never }), { message: /"options.initargs"/ }],
  ['no options', () => new Pool(1, 5 as never), { message: /"options"/ }],
  ['the executor’s number', () => new Pool(1, { maxWorkers: 2 } as object), { message: /"options.maxWorkers".*first/ }],
  ['the executor’s share', () => new Pool(1, { maxTasksPerChild: 2 } as object), { message: /maxtasksperchild/ }],
  ['a policy', () => new Pool(1, { onWorkerDeath: 'break' } as object), { message: /"options.onWorkerDeath"/ }],
  ['an idle timeout', () => new Pool(1, { idleTimeout: 5 } as object), { message: /"options.idleTimeout"/ }],
  ['a start method', () => new Pool(1, { startMethod: 'thread' as never }), { message: /"options.startMethod"/ }],
]
for (const [name, make, expected] of wrong) {
  test(`${name} is refused, and starts nothing`, (t) => {
    t.throws(make, expected)
  })
}

test.serial('a program that cannot be started is a WorkerSpawnError of the constructor', (t) => {
  const before = workersOf().length
  const error = t.throws(() => new Pool(3, { cwd: '/no/such/directory' }), { instanceOf: WorkerSpawnError })
  t.is((error?.cause as NodeJS.ErrnoException | undefined)?.code, 'ENOENT')
  t.is(workersOf().length, before)
})

// A fork server makes the workers after the constructor has returned: it has no failed start to throw.
const spawning = forks ? test.skip : test
spawning(
  'when one of several workers cannot be started the others are ended before the constructor throws',
  async (t) => {
    t.timeout(600_000)
    const env = { NAPI_RS_NATIVE_LIBRARY_PATH: await faultsBinding(), MILLRACE_FAULT: 'spawn@3' }
    const said = await runHost<any>(t, 'pool', { scenario: 'a failing start' }, { env })
    t.deepEqual(said, { name: 'WorkerSpawnError', code: 'EAGAIN', children: 0, descriptors: 0, again: 4 })
  },
)

test('an initializer runs once in each worker, before its first call', async (t) => {
  const pool = startPool(t, 2, { initializer: boot.setUp, initargs: ['a', 1] })
  const states = await pool.map(boot.state, Array.from({ length: 20 }), 1)
  t.true(states.every(({ ready, given }) => ready === 'yes' && given[0] === 'a' && given[1] === 1))
})

test('an initializer that fails breaks the pool with its error, after three starts a worker at most', async (t) => {
  const path = join(tempDirectory(t), 'starts')
  const pool = startPool(t, 2, { initializer: boot.noteAndThrow, initargs: [path], stdio: 'ignore' })
  pool.on('warning', () => {})
  const broken = new Promise<BrokenProcessPool>((resolve) => pool.once('broken', resolve))
  const result = pool.applyAsync(tasks.add, [1, 2])
  const iterator = pool.imap(tasks.double, [1, 2, 3])
  const error = await failureOf(result)
  t.is(error.code, 'ERR_MILLRACE_BROKEN_PROCESS_POOL')
  t.is(error.cause.message, 'no database')
  t.is(error.cause.host, 'localhost')
  t.is((await broken).cause instanceof RangeError, true)
  t.is((await rejection(iterator.next())).code, 'ERR_MILLRACE_BROKEN_PROCESS_POOL')
  t.throws(() => pool.applyAsync(tasks.add, [1, 2]), { code: 'ERR_MILLRACE_BROKEN_PROCESS_POOL' })
  await finish(pool)
  t.true(readFileSync(path, 'utf8').trim().split('\n').length <= 6)
})

test('an initializer that fails breaks a pool that has no job, too', async (t) => {
  const pool = startPool(t, 1, { initializer: boot.noteAndThrow, initargs: ['/dev/null'], stdio: 'ignore' })
  pool.on('warning', () => {})
  await new Promise<unknown>((resolve) => {
    const timer = setInterval(() => {}, 1000)
    pool.once('broken', (error) => (clearInterval(timer), resolve(error)))
  })
  t.throws(() => pool.imap(tasks.double, []), { code: 'ERR_MILLRACE_BROKEN_PROCESS_POOL' })
  await finish(pool)
})

test('an initializer that fails twice and then succeeds is forgiven', async (t) => {
  const path = join(tempDirectory(t), 'starts')
  const pool = startPool(t, 1, { initializer: boot.failTwice, initargs: [path], stdio: 'ignore' })
  pool.on('warning', () => {})
  t.is(await pool.apply(tasks.add, [1, 2]), 3)
})

test('a worker is replaced after maxtasksperchild calls, and a chunk is one call', async (t) => {
  const pool = startPool(t, 1, { maxtasksperchild: 2 })
  const pids = await pool.map(tasks.pid, Array.from({ length: 8 }), 1)
  t.is(new Set(pids).size, 4)
  const inChunks = await pool.map(tasks.pid, Array.from({ length: 8 }), 4)
  t.is(new Set(inChunks).size, 1)
})

test('a worker that dies idle is replaced, and the next one, without a call', async (t) => {
  const pool = startPool(t, 2)
  pool.on('warning', () => {})
  for (let round = 0; round < 4; round++) {
    const [victim] = await allIdle(pool, 2)
    process.kill(victim!, 'SIGKILL')
    await until('it is gone', () => !isAlive(victim!))
    await until('it is replaced', () => {
      const { workers, idle } = pool.stats()
      return idle === 2 && workers.every(({ pid }) => pid !== victim)
    })
  }
  t.is(pool.stats().restarts, 4)
})

test('the options of workers reach them', async (t) => {
  const pool = startPool(t, 1, { env: { ...process.env, MILLRACE_TEST_WORD: 'here' }, cwd: '/', name: 'plain' })
  t.deepEqual(await pool.apply(() => [process.env.MILLRACE_TEST_WORD, process.cwd()]), ['here', '/'])
})
