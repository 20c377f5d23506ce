// Programs whose workers are forks of themselves. Each forks in the middle of its own evaluation.

import { randomUUID } from 'node:crypto'
import { readdirSync, readFileSync, readlinkSync, writeSync } from 'node:fs'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  defineTasks,
  Finalize,
  forkSafety,
  isWorker,
  Pool,
  ProcessPoolExecutor,
  runFinalizers,
  setStartMethod,
  SharedBuffer,
} from 'millrace'
import { workersOf } from '../helpers/processes.mjs'
import { holdings, say } from './observe.mjs'

const startMethod = 'fork'
const { scenario } = JSON.parse(process.argv[2] ?? '{}')
/** The program changes this before it forks. */
let state = 'loaded'
/** @type {ProcessPoolExecutor} */
let executor
const finalizer = new Finalize(null, () => writeSync(2, `finalizer in ${process.pid}\n`), { exitPriority: 0 })

/** @param {any} error */
const describe = ({ name, code, message, cause, reasons }) => ({
  name,
  code,
  message,
  reasons: reasons ?? cause?.reasons,
  cause: cause === undefined ? undefined : { name: cause.name, code: cause.code, message: cause.message },
})

/** @param {Pool | ProcessPoolExecutor} pool */
const live = (pool) => pool.stats().workers.length

/** @type {<T>(items: AsyncIterable<T>) => Promise<T[]>} */
const all = async (items) => {
  const list = []
  for await (const item of items) list.push(item)
  return list
}

/** @param {() => unknown} call */
const failure = async (call) => {
  try {
    await call()
  } catch (error) {
    return describe(error)
  }
}

const tasks = defineTasks(import.meta.url, {
  pid: () => process.pid,
  /** @type {<T>(value: T) => T} */
  identity: (value) => value,
  forever: () => new Promise(() => {}),

  who: () => ({
    pid: process.pid,
    ppid: process.ppid,
    self: Number(readlinkSync('/proc/self')),
    group: Number(readFileSync('/proc/self/stat', 'latin1').split(') ')[1]?.split(' ')[2]),
    isWorker,
    title: readFileSync('/proc/self/cmdline', 'latin1').split('\0', 1)[0],
    state,
    input: readFileSync(0).length,
    active: finalizer.stillActive(),
    listeners: process.eventNames().filter((name) => /^(SIG|exit|beforeExit)/.test(String(name))),
    descriptors: readdirSync('/proc/self/fd').flatMap((fd) => {
      try {
        return Number(fd) > 2 ? [readlinkSync(`/proc/self/fd/${fd}`)] : []
      } catch {
        return []
      }
    }),
  }),

  /** @type {(count: number) => unknown[]} */
  draw: (count) => Array.from({ length: count }, () => [Math.random(), randomUUID(), crypto.randomUUID()]),

  /** The abilities of the program's own executor in a worker. */
  foreign: async () => ({
    submit: await failure(() => executor.submit(tasks.pid)),
    shutdown: await failure(() => executor.shutdown()),
    wait: await failure(() => unfinished?.resultSync()),
    safety: forkSafety().reasons,
  }),

  nested: async () => {
    const own = new ProcessPoolExecutor({ maxWorkers: 1, startMethod: 'spawn' })
    const sum = await own.submit((/** @type {number} */ a, /** @type {number} */ b) => a + b, 1, 2)
    await own.shutdown()
    return sum
  },

  /** Each of these ends the worker in a way of its own. @param {string} way */
  end: async (way) => {
    if (way === 'exit') process.exit(3)
    if (way === 'really') /** @type {any} */ (process).reallyExit(4)
    if (way === 'abort') process.abort()
    process.kill(process.pid, 'SIGKILL')
    await tasks.forever()
  },

  fail: () => {
    throw new Error('no database')
  },
})

/** @type {import('millrace').Future<unknown> | undefined} */
let unfinished

/**
 * Makes an executor of three workers, all of which have booted. Returns their process ids, too.
 *
 * @param {import('millrace').ProcessPoolOptions} [options]
 */
async function threeWorkers(options) {
  executor = new ProcessPoolExecutor({ startMethod, maxWorkers: 3, ...options })
  await executor.submit(tasks.pid)
  while (executor.stats().idle < 3) await sleep(1)
  return executor.stats().workers.map(({ pid }) => pid)
}

/** @type {Record<string, () => unknown>} */
const scenarios = {
  'all workers at once': async () => {
    process.on('exit', () => writeSync(2, `exit listener in ${process.pid}\n`))
    process.on('SIGUSR2', () => {})
    process.exitCode = 0
    executor = new ProcessPoolExecutor({ startMethod, maxWorkers: 3 })
    const before = workersOf().length
    const early = executor.submit(tasks.who)
    state = 'after the first call'
    const sync = await failure(() => early.resultSync({ timeout: 1000 }))
    const first = await early
    say({ pid: process.pid, before, sync, first, children: workersOf().length })
    state = 'too late'
    const who = []
    for (let call = 0; call < 20; call++) who.push(await executor.submit(tasks.who))
    say(who)
    await executor.shutdown()
    say(holdings().children)
  },

  randomness: async () => {
    Math.random()
    randomUUID()
    await threeWorkers()
    const calls = Array.from({ length: 30 }, () => executor.submit(tasks.draw, 50))
    say((await Promise.all(calls)).flat(2))
    await executor.shutdown()
  },

  'what a worker may do': async () => {
    executor = new ProcessPoolExecutor({ startMethod, maxWorkers: 3 })
    unfinished = executor.submit(tasks.forever)
    const source = await executor.submit((/** @type {number} */ a) => a + 1, 1)
    const large = await executor.submit(tasks.identity, new Uint8Array(8 << 20).fill(7))
    const shared = SharedBuffer.allocate(1 << 20, executor)
    const moved = await executor.run(tasks.identity, [shared], { transfer: [shared] })
    say({
      source,
      large: [large.length, large.at(-1)],
      moved: moved.byteLength,
      nested: await executor.submit(tasks.nested),
      foreign: await executor.submit(tasks.foreign),
      mapped: await all(executor.map(tasks.identity, [1, 2, 3])),
    })
    await executor.killWorkers()
  },

  ends: async () => {
    const exits = /** @type {unknown[]} */ ([])
    const warnings = /** @type {unknown[]} */ ([])
    executor = new ProcessPoolExecutor({ startMethod, maxWorkers: 5, onWorkerDeath: 'isolate' })
    executor.on('workerExit', ({ exitCode, signal, reason }) => exits.push([exitCode, signal, reason]))
    executor.on('workerReplace', () => exits.push('replaced'))
    executor.on('warning', (error) => warnings.push(error.message))
    for (const way of ['exit', 'really', 'abort', 'kill']) {
      const left = 4 - exits.length
      await executor.submit(tasks.end, way).exception()
      while (live(executor) > left) await sleep(1)
    }
    const pid = await executor.submit(tasks.pid)
    const waiting = executor.submit(tasks.forever)
    const behind = executor.submit(tasks.pid)
    while (!waiting.running()) await sleep(1)
    process.kill(pid, 'SIGKILL')
    const errors = [await waiting.exception(), await behind.exception()]
    say({ exits, warnings, errors: errors.map(describe), later: await failure(() => executor.submit(tasks.pid)) })
    await executor.shutdown()
  },

  'a death under break': async () => {
    const [pid] = await threeWorkers({ onWorkerDeath: 'break' })
    const running = executor.submit(tasks.forever)
    process.kill(Number(pid), 'SIGKILL')
    say({ error: describe(await running.exception()) })
    await executor.shutdown()
  },

  'a failing initializer': async () => {
    const warnings = /** @type {string[]} */ ([])
    executor = new ProcessPoolExecutor({
      startMethod,
      maxWorkers: 2,
      onWorkerDeath: 'isolate',
      initializer: tasks.fail,
    })
    executor.on('warning', ({ message }) => warnings.push(message))
    say({ error: describe(await executor.submit(tasks.pid).exception()), warnings })
    await executor.shutdown()
  },

  'two pools': async () => {
    executor = new ProcessPoolExecutor({ startMethod, maxWorkers: 2 })
    const second = new ProcessPoolExecutor({ startMethod, maxWorkers: 2 })
    const calls = [executor.submit(tasks.pid), second.submit(tasks.pid)]
    const [first, other] = await Promise.all(calls.map((call) => call.exception()))
    const third = await failure(() => new ProcessPoolExecutor({ startMethod }))
    await Promise.all([executor.shutdown(), second.shutdown()])
    executor = new ProcessPoolExecutor({ startMethod, maxWorkers: 2 })
    const again = await executor.submit(tasks.identity, 'again')
    await executor.shutdown()
    say({ first: first ?? null, other: describe(other), third, again })
  },

  'a process that becomes unsafe': async () => {
    executor = new ProcessPoolExecutor({ startMethod, maxWorkers: 2 })
    const server = createServer().listen(0)
    const call = executor.submit(tasks.pid)
    const error = describe(await call.exception())
    say({ error, later: await failure(() => executor.submit(tasks.pid)), children: workersOf().length })
    server.close()
    await executor.shutdown()
  },

  'work that is over in time': async () => {
    executor = new ProcessPoolExecutor({ startMethod, maxWorkers: 1 })
    const call = executor.submit(tasks.identity, 'done')
    await sleep(100)
    say(await call)
    await executor.shutdown()
  },

  'a shutdown before the fork': async () => {
    const unused = new ProcessPoolExecutor({ startMethod, maxWorkers: 1 })
    await unused.shutdown()
    const killed = new ProcessPoolExecutor({ startMethod, maxWorkers: 1 })
    const lost = killed.submit(tasks.pid)
    await killed.killWorkers()
    executor = new ProcessPoolExecutor({ startMethod, maxWorkers: 2 })
    const call = executor.submit(tasks.identity, 'accepted')
    const over = executor.shutdown()
    say({ lost: lost.cancelled(), value: await call, over: await over })
  },

  'a Pool': async () => {
    const pool = new Pool(3, { startMethod })
    const squares = await pool.map((/** @type {number} */ n) => n * n, [1, 2, 3, 4])
    const workers = live(pool)
    const lost = await failure(() => pool.apply(tasks.end, ['kill']))
    while (live(pool) > 2) await sleep(1)
    const pid = await pool.apply(tasks.pid)
    pool.close()
    await pool.join()
    say({ squares, workers, lost, pid, children: workersOf().length })
  },

  'a Pool that nobody uses': () => {
    const pool = new Pool(2, { startMethod })
    pool.on('workerStart', ({ pid }) => say(pid))
  },

  'options that a fork cannot follow': async () => {
    const wrong = {
      idleTimeout: 10,
      maxMemoryPerWorker: 1e9,
      maxTasksPerChild: 2,
      execArgv: [],
      env: {},
      cwd: '/',
      stdio: 'ignore',
    }
    const errors = Object.entries(wrong).map(([name, value]) => {
      try {
        new ProcessPoolExecutor({ startMethod, [name]: value })
      } catch (error) {
        return describe(error)
      }
    })
    new ProcessPoolExecutor({ startMethod, idleTimeout: Infinity, maxMemoryPerWorker: Infinity, stdio: 'inherit' })
    setStartMethod('fork')
    executor = new ProcessPoolExecutor({ maxWorkers: 1, cwd: '/' })
    const spawned = await executor.submit(() => process.cwd())
    await executor.shutdown()
    const pool = new Pool(1, { maxMemoryPerWorker: 1e12 })
    const inPool = await pool.apply((/** @type {string} */ text) => text, ['spawned'])
    await pool.terminate()
    executor = new ProcessPoolExecutor({ maxWorkers: 1 })
    const { ppid } = await executor.submit(tasks.who)
    await executor.shutdown()
    say({ errors, spawned, inPool, forked: ppid === process.pid })
  },

  memory: async () => {
    executor = new ProcessPoolExecutor({ startMethod, maxWorkers: 2, hardMemoryLimit: 400 << 20 })
    const grow = () => {
      const kept = []
      for (;;) kept.push(Buffer.alloc(1 << 20, 1))
    }
    const failed = describe(await executor.submit(grow).exception())
    const left = live(executor)
    await executor.submit(grow).exception()
    say({ failed, left, none: await failure(() => executor.submit(tasks.pid)) })
  },

  'no process': async () => {
    executor = new ProcessPoolExecutor({ startMethod, maxWorkers: 3 })
    const warnings = /** @type {unknown[]} */ ([])
    executor.on('warning', (error) => warnings.push(describe(error)))
    const call = executor.submit(tasks.identity, 'one is enough')
    const error = await call.exception()
    say({
      error: error === undefined ? null : describe(error),
      live: live(executor),
      warnings,
      later: await failure(() => executor.submit(tasks.pid)),
    })
    await executor.shutdown()
  },

  'a host that is killed': async () => {
    const pids = await threeWorkers()
    void executor.submit(() => {
      for (;;);
    })
    while (executor.stats().running === 0) await sleep(1)
    say(pids)
    await tasks.forever()
  },

  'a pass of finalizers': async () => {
    await threeWorkers()
    runFinalizers()
    const later = await failure(() => executor.submit(tasks.pid))
    await executor.shutdown()
    say({ later, children: workersOf().length })
  },
}

await scenarios[scenario]?.()
