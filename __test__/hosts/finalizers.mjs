// Finalizers at the end of a program, of one of its threads, or of a worker. Each finalizer says its name.

import { appendFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import { defineTasks, Finalize, isWorker, ProcessPoolExecutor, runFinalizers, runFinalizersAsync } from 'millrace'
import { workersOf } from '../helpers/processes.mjs'
import { say } from './observe.mjs'

/** @type {(path: string, line: string) => void} */
const note = (path, line) => appendFileSync(path, `${line}\n`)

const tasks = defineTasks(import.meta.url, {
  pid: () => process.pid,

  spin: () => {
    for (;;);
  },

  /** Has finalizers of the worker's own, and nothing of its parent's. */
  register: (/** @type {string} */ path) => {
    const held = {}
    new Finalize(held, note, { args: [path, 'none'] })
    for (const priority of [-100, 0, 20])
      new Finalize(null, note, { args: [path, `${priority}`], exitPriority: priority })
    process.on('exit', () => note(path, `then, with ${typeof held}`))
    return process.pid
  },

  exit: () => process.exit(9),

  abort: () => process.kill(process.pid, 'SIGKILL'),

  /** Throws when the call is over. */
  stray: () => {
    setImmediate(() => {
      throw new Error('nobody in this worker catches this')
    })
  },
})

/** @type {(name: string | number, exitPriority?: number) => Finalize<[unknown]>} */
const saying = (name, exitPriority = Number(name)) => new Finalize(null, say, { args: [name], exitPriority })

/** Makes finalizers around a pool whose one worker spins. Each says its name and the number of children. */
async function surround() {
  const pool = new ProcessPoolExecutor({ maxWorkers: 1 })
  pool.unref()
  const future = pool.submit(tasks.spin)
  while (!future.running()) await sleep(2)
  const held = {}
  new Finalize(held, say, { args: ['no priority'] })
  for (const priority of [-100, -5, 0, 10, 14, 16]) {
    new Finalize(null, () => say([priority, workersOf().length]), { exitPriority: priority })
  }
  return held
}

/** @type {Record<string, () => unknown>} */
const ends = {
  'the loop drains': () => {},
  'process.exit()': () => process.exit(3),
  'process.exit() in a callback of a pass': () => {
    new Finalize(null, () => process.exit(3), { exitPriority: 200 })
    runFinalizers(100)
  },
  'process.exit() as deep in passes as they go': () => {
    let depth = 0
    const nest = () => {
      if (++depth === 100) process.exit(3)
      new Finalize(null, nest, { exitPriority: 200 })
      runFinalizers(200)
    }
    new Finalize(null, nest, { exitPriority: 200 })
    runFinalizers(200)
  },
  'an uncaught error': () => {
    throw new Error('nobody catches this')
  },
  'an unhandled rejection': () => void Promise.reject(new Error('nor this')),
  /** The test ends this program. */
  waits: () => {
    say('waiting')
    setInterval(() => {}, 1000)
  },

  'a handler of SIGTERM': () => {
    process.on('SIGTERM', () => process.exit(3))
    setInterval(() => {}, 1000)
    process.kill(process.pid, 'SIGTERM')
  },
}

/** @type {Record<string, (input: any) => unknown>} */
const programs = {
  'around a pool': async ({ end }) => {
    const held = await surround()
    process.on('exit', (code) => say([code, typeof held]))
    ends[end]?.()
  },

  'calls that come too late': async () => {
    const pool = new ProcessPoolExecutor({ maxWorkers: 1 })
    await pool.submit(tasks.pid)
    for (const exitPriority of [20, 0]) {
      const submit = () => {
        try {
          pool.submit(tasks.pid)
          say('accepted')
        } catch (error) {
          say(error instanceof Error && error.name)
        }
      }
      new Finalize(null, submit, { exitPriority })
    }
  },

  'what goes wrong': async () => {
    saying('first', 9)
    new Finalize(
      null,
      function thrower() {
        throw new Error('boom')
      },
      { exitPriority: 8 },
    )
    new Finalize(null, async function promiser() {}, { exitPriority: 7 })
    process.on('warning', () => {
      throw new Error('a listener of its own')
    })
    saying('last', -9)
  },

  'what is registered meanwhile': () => {
    new Finalize(
      null,
      () => {
        saying('late 100', 100)
        saying('late -1', -1)
      },
      { exitPriority: 5 },
    )
    saying('0')
    saying('-5')
    saying('-0.5', 0)
  },

  'registers for ever': () => {
    const again = () => void new Finalize(null, again, { exitPriority: 1 })
    again()
    saying('-1')
  },

  'a full pass, then process.exit()': async () => {
    const held = await surround()
    runFinalizers()
    process.on('exit', () => say(typeof held))
    process.exit()
  },

  'asynchronous, at the end of the program': async () => {
    const pool = new ProcessPoolExecutor({ maxWorkers: 1 })
    new Finalize(null, async () => say((await pool.submit(tasks.pid)) > 0), { exitPriority: 20 })
    saying('0')
    await runFinalizersAsync()
    say('passed')
  },

  'a thread': async ({ end, terminated }) => {
    saying('main', 0)
    const thread = new Worker(new URL(import.meta.url), { workerData: { end }, execArgv: [] })
    thread.on('error', () => {})
    const ended = new Promise((resolve) => thread.once('exit', resolve))
    await new Promise((resolve) => thread.once('message', resolve))
    if (terminated) await thread.terminate()
    await ended
    say('the thread has ended')
  },

  /** The finalizers of a worker, by the way in which it ends. */
  'a worker': async ({ end, path }) => {
    saying('main', 0)
    const options = { recycled: { maxTasksPerChild: 1 }, idle: { idleTimeout: 1 } }[String(end)]
    const pool = new ProcessPoolExecutor({ maxWorkers: 1, onWorkerDeath: 'isolate', execArgv: [], ...options })
    pool.on('warning', () => {})
    const gone = new Promise((resolve) => pool.once('workerExit', resolve))
    const waiting = setInterval(() => {}, 1000)
    await pool.submit(tasks.register, path)
    const last = { exit: tasks.exit, killed: tasks.abort, stray: tasks.stray }[String(end)]
    if (last !== undefined) await pool.submit(/** @type {() => unknown} */ (last)).exception()
    if (end !== 'drained' && end !== 'shutdown') await gone
    clearInterval(waiting)
    if (end !== 'drained') await pool.shutdown()
  },
}

if (isWorker) {
  // In a worker this file is only a task module.
} else if (isMainThread) {
  const { program, ...input } = JSON.parse(process.argv[2] ?? '{}')
  await programs[program]?.(input)
} else {
  const { parentPort } = await import('node:worker_threads')
  const held = await surround()
  process.on('exit', () => say(typeof held))
  parentPort?.postMessage('there')
  if (workerData.end !== undefined) ends[workerData.end]?.()
  else setInterval(() => {}, 1000)
}
