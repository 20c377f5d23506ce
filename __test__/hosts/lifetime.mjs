// Programs that end by themselves, or should. Each scenario is a complete program.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { defineTasks, isWorker, ProcessPoolExecutor } from 'millrace'
import { childrenOf, workersOf } from '../helpers/processes.mjs'
import { startMethod } from '../helpers/start-method.mjs'
import { say } from './observe.mjs'

const word = new Int32Array(new SharedArrayBuffer(4))

// Before any pool exists.
/** @type {(() => void) | undefined} */
let firstExit
process.on('exit', () => firstExit?.())

/**
 * Says what becomes of calls that three 'exit' listeners make.
 *
 * @param {'none' | 'idle' | 'busy'} workers
 */
async function callsFromExit(workers) {
  const pool = makePool()
  /** @type {unknown[]} */
  const outcomes = []
  const submit = () => {
    try {
      pool.submit(tasks.pid)
      outcomes.push('accepted')
    } catch (error) {
      outcomes.push(error instanceof Error && error.name)
    }
  }
  firstExit = submit
  if (workers !== 'none') await pool.submit(tasks.pid)
  if (workers === 'busy') {
    const future = pool.submit(tasks.forever)
    while (!future.running()) await sleep(2)
  }
  process.on('exit', () => {
    submit()
    say(outcomes)
  })
  process.prependListener('exit', submit)
  // A listener that was put in front does not keep calls out that come before the end.
  outcomes.push(workers !== 'idle' || (await pool.submit(tasks.pid)) > 0)
  process.exit(0)
}

const tasks = defineTasks(import.meta.url, {
  pid: () => process.pid,

  /** @param {number} ms */
  block: (ms) => {
    Atomics.wait(word, 0, 0, ms)
    return process.pid
  },

  /** @param {number} ms */
  sleep: (ms) => sleep(ms, 'slept'),

  forever: () => new Promise(() => {}),

  /** The descriptors that this worker has open, a moment later, so that others start too. */
  descriptors: async (/** @type {number} */ ms) => {
    await sleep(ms)
    return openIn(process.pid)
  },

  childDescriptors: async (/** @type {number} */ ms) => {
    await sleep(ms)
    return childDescriptors()
  },

  /** Keeps a pool of its own, with a worker that spins. Returns the worker's process id. */
  keepBusyPool: async () => {
    const inner = new ProcessPoolExecutor({ maxWorkers: 1 })
    const future = inner.submit(tasks.spin)
    while (!future.running()) await sleep(2)
    return inner.stats().workers[0]?.pid ?? 0
  },

  spin: () => {
    for (;;);
  },

  /** @param {string} path Is written to when this worker ends by itself. */
  noteExit: (path) => {
    process.on('exit', (code) => appendFileSync(path, `${code}\n`))
  },

  /** Keeps a pool of its own, with an idle worker. */
  keepPool: async () => {
    const inner = new ProcessPoolExecutor({ maxWorkers: 1 })
    return inner.submit(tasks.pid)
  },
})

/**
 * The descriptors of a process beyond its standard streams, in words that are the same for every process.
 *
 * @param {number} pid
 */
function openIn(pid) {
  const names = readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return Number(fd) < 3 ? 'standard' : readlinkSync(`/proc/${pid}/fd/${fd}`)
    } catch {
      return 'closed'
    }
  })
  return names.filter((name) => /millrace|socket/.test(name)).map((name) => name.replace(/:.*/, ''))
}

/** The descriptors of a child of this process. */
async function childDescriptors() {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' })
  await once(child, 'spawn')
  const found = openIn(child.pid ?? 0)
  child.kill('SIGKILL')
  await once(child, 'exit')
  return found
}

/** @param {number} pid */
function exists(pid) {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'))
  } catch {
    return false
  }
}

/**
 * The number of times that the main thread of a process has gone to sleep.
 *
 * @param {number} pid
 */
function switches(pid) {
  return Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1])
}

/** @param {import('millrace').ProcessPoolOptions} [options] */
const makePool = (options) => new ProcessPoolExecutor({ maxWorkers: 2, startMethod, ...options })

/**
 * The process ids of all workers, each of which has booted.
 *
 * @param {ProcessPoolExecutor} pool
 */
async function allWorkers(pool, count = 2) {
  while (pool.stats().idle < count) await Promise.all(Array.from({ length: count }, () => pool.submit(tasks.block, 5)))
  return pool.stats().workers.map(({ pid }) => pid)
}

/** @type {Record<string, (input: any) => unknown>} */
const scenarios = {
  'never used': () => say(makePool().stats().workers),

  'an idle pool': async () => {
    say((await allWorkers(makePool())).length)
  },

  'an idle pool whose worker is used up': async () => {
    const pool = makePool({ maxTasksPerChild: 1 })
    await pool.submit(tasks.pid)
    // The loop is empty before that, and a pool that is collected would end in any case.
    process.on('exit', () => pool.stats())
    await once(pool, 'workerExit')
    say('left')
  },

  'an idle pool and an exit code': async () => {
    process.exitCode = 3
    await makePool().submit(tasks.pid)
    say('done')
  },

  'an unfinished call': () => {
    makePool()
      .submit(tasks.block, 300)
      .addDoneCallback((future) => say(future.outcome))
  },

  'an unfinished asynchronous call': () => {
    makePool()
      .submit(tasks.sleep, 300)
      .addDoneCallback((future) => say(future.outcome))
  },

  'an unfinished map': () => {
    void (async () => {
      const results = []
      for await (const one of makePool().map(tasks.sleep, [100, 200, 100])) results.push(one)
      say(results)
    })()
  },

  'a call that fails': () => {
    makePool()
      .submit(() => {
        throw new Error('nobody looks at this')
      })
      .addDoneCallback((future) => say(future.outcome))
  },

  'a call that was cancelled before its worker had booted': () => {
    say(makePool().submit(tasks.forever).cancel())
  },

  'a call that was stopped': async () => {
    const future = makePool().submit(tasks.forever)
    while (!future.running()) await sleep(2)
    say(future.cancel({ kill: true }))
  },

  'a call with a timeout': () => {
    makePool()
      .run(tasks.forever, [], { timeout: 100 })
      .addDoneCallback((future) => say(future.outcome))
  },

  'a broken pool': async () => {
    const pool = makePool({ onWorkerDeath: 'break' })
    const future = pool.submit(() => process.kill(process.pid, 'SIGKILL'))
    const error = await future.exception()
    say(error instanceof Error && error.name)
  },

  'a worker that dies in an idle pool that isolates': async () => {
    const pool = makePool({ onWorkerDeath: 'isolate', maxWorkers: 1 })
    pool.on('warning', () => {})
    process.kill(await pool.submit(tasks.pid), 'SIGKILL')
    say('killed')
  },

  'a pool that cannot start': async () => {
    const pool = makePool({ cwd: '/nonexistent' })
    try {
      pool.submit(tasks.pid)
    } catch (error) {
      say(error instanceof Error && error.name)
    }
  },

  'an initializer that fails': () => {
    makePool({
      onWorkerDeath: 'break',
      initializer: () => {
        throw new Error('not today')
      },
    })
      .submit(tasks.pid)
      .addDoneCallback((future) => say(future.outcome))
  },

  'unref() with a call that never ends': async () => {
    const pool = makePool().unref()
    const future = pool.submit(tasks.forever)
    while (!future.running()) await sleep(2)
    future.addDoneCallback(() => say('settled'))
    say('running')
  },

  'unref() with calls that wait': () => {
    const pool = makePool({ maxWorkers: 1 }).unref()
    for (let index = 0; index < 10; index++) pool.submit(tasks.forever)
    say(pool.stats().queued)
  },

  'unref(), then ref()': () => {
    makePool()
      .unref()
      .ref()
      .submit(tasks.sleep, 200)
      .addDoneCallback((future) => say(future.outcome))
  },

  'shutdown() with nothing else alive': async () => {
    const pool = makePool()
    pool.submit(tasks.sleep, 100)
    await pool.shutdown()
    say(pool.stats())
  },

  'shutdown() of an unref()d pool': async () => {
    const pool = makePool().unref()
    pool.submit(tasks.sleep, 100)
    await pool.shutdown()
    say(pool.stats())
  },

  'shutdown() of a pool that was never used': async () => {
    const pool = makePool()
    await pool.shutdown()
    say(pool.stats())
  },

  'shutdown() while the worker boots': async () => {
    const pool = makePool()
    pool.submit(tasks.forever).cancel()
    await pool.shutdown()
    say(pool.stats())
  },

  'shutdown() twice, at once and again': async () => {
    const pool = makePool()
    const future = pool.submit(tasks.sleep, 100)
    const first = pool.shutdown({ wait: false })
    const second = pool.shutdown()
    await first
    const early = future.done()
    await second
    await pool.shutdown()
    say([early, future.outcome])
  },

  'shutdown({ wait: false }) and nothing else': () => {
    const pool = makePool()
    pool.submit(tasks.sleep, 200).addDoneCallback((future) => say(future.outcome))
    void pool.shutdown({ wait: false })
  },

  'killWorkers() with nothing else alive': async () => {
    const pool = makePool()
    const future = pool.submit(tasks.forever)
    while (!future.running()) await sleep(2)
    await pool.killWorkers()
    say(future.outcome)
  },

  'Symbol.asyncDispose': async () => {
    const pool = makePool()
    const future = pool.submit(tasks.sleep, 100)
    await pool[Symbol.asyncDispose]()
    say(future.outcome)
  },

  'ready() of a full pool': async () => {
    const pool = makePool({ maxWorkers: 1, maxQueue: 1 })
    pool.submit(tasks.sleep, 100)
    while (pool.stats().running === 0) await sleep(2)
    pool.submit(tasks.sleep, 0)
    await pool.ready()
    say('room')
  },

  'resultSync() at the end': () => {
    say(makePool().submit(tasks.sleep, 50).resultSync())
  },

  'a call from beforeExit': async () => {
    const pool = makePool()
    await pool.submit(tasks.pid)
    process.once('beforeExit', () => {
      pool.submit(tasks.sleep, 50).addDoneCallback((future) => say(future.outcome))
    })
  },

  'a call from a beforeExit listener that came first': async () => {
    process.once('beforeExit', () => {
      pool.submit(tasks.sleep, 50).addDoneCallback((future) => say(future.outcome))
    })
    const pool = makePool()
    await pool.submit(tasks.pid)
  },

  'calls from exit': async () => {
    const pool = makePool()
    await pool.submit(tasks.pid)
    process.on('exit', () => {
      try {
        pool.submit(tasks.pid)
        say('accepted')
      } catch (error) {
        say(error instanceof Error && error.name)
      }
    })
  },

  'calls from exit, by listeners in front of and behind the own ones': () => callsFromExit('idle'),

  'calls from exit, of a pool that never had a worker': () => callsFromExit('none'),

  'calls from exit, while a worker is busy': () => callsFromExit('busy'),

  'exit with a listener that looks at the pool': async () => {
    const pool = makePool()
    const future = pool.submit(tasks.forever)
    while (!future.running()) await sleep(2)
    process.on('exit', () => say([future.state, pool.stats().workers, pool.dumpState().length > 0, future.cancel()]))
    process.exit(0)
  },

  'workers with pools of their own': async () => {
    const pool = makePool()
    say(await Promise.all([pool.submit(tasks.keepPool), pool.submit(tasks.keepPool)]))
  },

  'shutdown() of workers with pools of their own': async () => {
    const pool = makePool()
    const pids = await Promise.all([pool.submit(tasks.keepPool), pool.submit(tasks.keepPool)])
    await pool.shutdown()
    say(pids)
  },

  'idle workers that leave': async () => {
    const pool = makePool({ idleTimeout: 50 })
    const started = /** @type {number[]} */ ([])
    const left = /** @type {unknown[]} */ ([])
    pool.on('workerStart', ({ pid }) => started.push(pid))
    pool.on('workerExit', ({ pid, reason }) => left.push([pid, reason]))
    const before = pool.stats().workers.length
    await Promise.all([pool.submit(tasks.block, 50), pool.submit(tasks.block, 50)])
    while (left.length < 2) await sleep(5)
    say({ before, started, left, workers: pool.stats().workers, children: workersOf() })
  },

  'workers, one at a time': async () => {
    const pool = makePool()
    /** @type {number[]} */
    const counts = [workersOf().length]
    for (let index = 0; index < 3; index++) {
      await pool.submit(tasks.pid)
      counts.push(workersOf().length)
    }
    await Promise.all([pool.submit(tasks.block, 50), pool.submit(tasks.block, 50), pool.submit(tasks.block, 50)])
    counts.push(workersOf().length)
    await pool.shutdown()
    counts.push(workersOf().length)
    say(counts)
  },

  'a worker that never comes up': async () => {
    const pool = makePool({ maxWorkers: 1, execArgv: ['--import', 'data:text/javascript,for(;;);'] })
    const future = pool.submit(tasks.pid)
    while (childrenOf().length === 0) await sleep(2)
    await pool.killWorkers()
    say([future.outcome, childrenOf()])
  },

  'killWorkers() of workers with busy pools of their own': async () => {
    const pool = makePool()
    const futures = [pool.submit(tasks.keepBusyPool), pool.submit(tasks.keepBusyPool)]
    const pids = await Promise.all(futures)
    const running = pids.filter(exists).length
    const start = performance.now()
    await pool.killWorkers()
    while (pids.some(exists)) await sleep(2)
    say({ running, elapsed: performance.now() - start })
  },

  'what workers, their children and other children hold': async () => {
    const pool = makePool({ maxWorkers: 3 })
    await allWorkers(pool, 3)
    const lanes = await Promise.all([1, 2, 3].map(() => pool.submit(tasks.descriptors, 50)))
    const ofChildren = await Promise.all([1, 2, 3].map(() => pool.submit(tasks.childDescriptors, 50)))
    say({ lanes, ofChildren, ofOwnChild: await childDescriptors() })
  },

  'an idle pool, watched': async () => {
    const pool = makePool()
    const pids = await allWorkers(pool)
    // Work that is done once, a moment after the last call, is over then as well.
    await sleep(2500)
    const before = [process.pid, ...pids].map(switches)
    await sleep(1000)
    const after = [process.pid, ...pids].map(switches)
    say(after.map((count, index) => count - (before[index] ?? 0)))
  },

  'workers with exit listeners, and the end': async ({ path }) => {
    await makePool().submit(tasks.noteExit, path)
    say('done')
  },

  'workers with exit listeners, and shutdown()': async ({ path }) => {
    const pool = makePool()
    await pool.submit(tasks.noteExit, path)
    await pool.shutdown()
    say('done')
    process.exit()
  },

  'SIGINT with a handler': async () => {
    const pool = makePool()
    const before = await allWorkers(pool)
    let interrupts = 0
    process.on('SIGINT', () => interrupts++)
    const running = [pool.submit(tasks.block, 500), pool.submit(tasks.sleep, 500)]
    while (!running.every((future) => future.running() || future.done())) await sleep(2)
    say(before)
    const outcomes = await Promise.all(running)
    say({ interrupts, outcomes, after: await allWorkers(pool) })
  },

  'SIGINT without a handler': async () => {
    const pool = makePool()
    const running = [pool.submit(tasks.block, 1e6), pool.submit(tasks.sleep, 1e6)]
    while (!running.every((future) => future.running())) await sleep(2)
    say('running')
  },
}

if (!isWorker) {
  const { scenario, ...input } = JSON.parse(process.argv[2] ?? '{}')
  await scenarios[scenario]?.(input)
}
