// Pools in threads of worker_threads: this file is the program, each of its threads, and the task module.

import { setTimeout as sleep } from 'node:timers/promises'
import { isMainThread, parentPort, threadId, Worker, workerData } from 'node:worker_threads'
import { defineTasks, isWorker, ProcessPoolExecutor } from 'millrace'
import { workersOf } from '../helpers/processes.mjs'
import { holdings, say } from './observe.mjs'

const word = new Int32Array(new SharedArrayBuffer(4))

const tasks = defineTasks(import.meta.url, {
  pid: () => process.pid,

  /** @type {<T>(value: T) => T} */
  identity: (value) => value,

  /** @param {string} name */
  environment: (name) => process.env[name],

  spin: () => {
    for (;;);
  },

  block: () => Atomics.wait(word, 0, 0),

  forever: () => new Promise(() => {}),
})

/** @param {number} [maxWorkers] */
const makePool = (maxWorkers = 1) => new ProcessPoolExecutor({ maxWorkers })

/** @param {import('millrace').Future<unknown>} future */
async function claimed(future) {
  while (!future.running()) await sleep(1)
}

// ---- What a thread does; its thread function says when it is there. -------------------------------------------------

/** @type {Record<string, () => unknown>} */
const threads = {
  /** Calls, then a shutdown, then the end. */
  'shuts its pool down': async () => {
    const pool = makePool(2)
    const values = await Promise.all(Array.from({ length: 200 }, (_, index) => pool.submit(tasks.identity, index)))
    await pool.shutdown()
    parentPort?.postMessage(values.reduce((sum, value) => sum + value, 0))
  },

  /** Ends with an idle pool. */
  drains: async () => {
    parentPort?.postMessage(await makePool().submit(tasks.identity, threadId))
  },

  /** Ends with nothing but an unfinished call. */
  'has an unfinished call': () => {
    makePool()
      .submit(tasks.identity, threadId)
      .addDoneCallback((future) => parentPort?.postMessage(future.resultSync()))
  },

  'exits while its pool spins': async () => {
    const future = makePool().submit(tasks.spin)
    await claimed(future)
    parentPort?.postMessage('busy')
    process.exit(5)
  },

  'exits while its workers boot': () => {
    makePool(2).submit(tasks.spin)
    parentPort?.postMessage('busy')
    process.exit(5)
  },

  'throws while its pool is blocked': async () => {
    const future = makePool().submit(tasks.block)
    await claimed(future)
    parentPort?.postMessage('busy')
    setImmediate(() => {
      throw new Error('nobody in this thread catches this')
    })
  },

  'waits while its pool spins': async () => {
    const future = makePool().submit(tasks.spin)
    await claimed(future)
    parentPort?.postMessage('busy')
  },

  'waits while its pool is idle': async () => {
    await makePool().submit(tasks.pid)
    parentPort?.postMessage('busy')
    setInterval(() => {}, 1000)
  },

  'waits while its workers boot': () => {
    makePool(2).submit(tasks.spin)
    parentPort?.postMessage('busy')
  },

  'waits in a burst of calls': () => {
    const pool = makePool()
    const more = () => pool.submit(tasks.identity, 1).addDoneCallback(more)
    for (let index = 0; index < 100; index++) more()
    setTimeout(() => parentPort?.postMessage('busy'), 150)
  },

  'is blocked in resultSync()': () => {
    const pool = makePool()
    pool.submit(tasks.pid).resultSync()
    const future = pool.submit(tasks.forever)
    parentPort?.postMessage('busy')
    future.resultSync()
  },

  'spins while its pool spins': async () => {
    const future = makePool().submit(tasks.spin)
    await claimed(future)
    parentPort?.postMessage('busy')
    for (;;);
  },

  'has an environment of its own': async () => {
    process.env.MILLRACE_TEST_THREAD = `thread ${threadId}`
    const pool = makePool()
    parentPort?.postMessage([await pool.submit(tasks.environment, 'MILLRACE_TEST_THREAD'), `thread ${threadId}`])
    await pool.shutdown()
  },

  'has two pools': async () => {
    const [one, two] = [makePool(), makePool()]
    const pids = await Promise.all([one.submit(tasks.pid), two.submit(tasks.pid), one.submit(tasks.pid)])
    await one.shutdown()
    const last = await two.submit(tasks.pid)
    await two.shutdown()
    parentPort?.postMessage([new Set(pids).size, pids[1] === last])
  },
}

// ---- The program ----------------------------------------------------------------------------------------------------

/** @param {string} behaviour */
function startThread(behaviour) {
  const thread = new Worker(new URL(import.meta.url), { workerData: { behaviour }, execArgv: [] })
  // once() would reject at an error of the thread, which may come before the thread's earlier words.
  /** @type {Promise<unknown>} */
  const said = new Promise((resolve) => thread.once('message', resolve))
  /** @type {string | undefined} */
  let failure
  thread.on('error', (error) => (failure = error.message))
  const ended = new Promise((resolve) => thread.once('exit', (code) => resolve({ code, failure })))
  return { thread, said, ended }
}

/** @type {Record<string, (input: any) => unknown>} */
const programs = {
  /** Runs several threads of one behaviour at a time, while the main thread uses a pool. */
  together: async ({ behaviour, count }) => {
    const pool = makePool(2)
    const started = Array.from({ length: count }, () => startThread(behaviour))
    const own = Promise.all(Array.from({ length: 200 }, (_, index) => pool.submit(tasks.identity, index)))
    const said = await Promise.all(started.map(({ said }) => said))
    const ended = await Promise.all(started.map(({ ended }) => ended))
    const sum = (await own).reduce((total, value) => total + value, 0)
    await pool.shutdown()
    say({ said, ended, sum, children: workersOf() })
  },

  /** Runs one thread after the other, each ended by itself or by `terminate()`; the main thread's pool goes on. */
  'one after the other': async ({ behaviours, rounds }) => {
    const pool = makePool()
    const worker = await pool.submit(tasks.pid)
    const codes = /** @type {unknown[]} */ ([])
    let before = holdings()
    for (let round = 0; round < rounds; round++) {
      const { behaviour, terminated } = behaviours[round % behaviours.length]
      const { thread, said, ended } = startThread(behaviour)
      await said
      if (terminated) await thread.terminate()
      codes.push(await ended)
      if ((await pool.submit(tasks.pid)) !== worker) throw new Error('the main pool has lost its worker')
      if (round === behaviours.length) before = holdings()
    }
    // A thread that has ended may still be closing its descriptors.
    const after = holdings()
    await pool.shutdown()
    say({ codes, before, after, children: workersOf() })
  },

  /** Ends itself while threads have busy pools. */
  ends: async ({ behaviour, end }) => {
    const started = [startThread(behaviour), startThread(behaviour)]
    await Promise.all(started.map(({ said }) => said))
    say('busy')
    if (end === 'process.exit()') process.exit(7)
  },
}

if (isWorker) {
  // In a worker this file is only a task module.
} else if (isMainThread) {
  const { program, ...input } = JSON.parse(process.argv[2] ?? '{}')
  await programs[program]?.(input)
} else {
  await threads[workerData.behaviour]?.()
}
