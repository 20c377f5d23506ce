// Moves itself into a control group with little memory, has a task use more than that, and says the outcome.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineTasks, isWorker, ProcessPoolExecutor } from 'millrace'
import { say } from './observe.mjs'

const tasks = defineTasks(import.meta.url, {
  pid: () => process.pid,

  /** @type {(bytes: number) => Promise<unknown>} */
  hoard: (bytes) => {
    const hoard = Buffer.alloc(bytes, 1)
    return new Promise(() => setInterval(() => hoard.at(0), 1000))
  },

  /** @type {() => Promise<unknown>} */
  killSelf: () => {
    process.kill(process.pid, 'SIGKILL')
    return new Promise(() => {})
  },
})

/** @param {{ group: string, bytes: number }} input */
async function main({ group, bytes }) {
  writeFileSync(join(group, 'cgroup.procs'), `${process.pid}`)
  const pool = new ProcessPoolExecutor({ maxWorkers: 1, onWorkerDeath: 'isolate' })
  const hints = []
  for (const future of [pool.submit(tasks.hoard, bytes), pool.submit(tasks.killSelf)]) {
    const { signal, hint } = /** @type {import('millrace').WorkerDiedError} */ (await future.exception())
    hints.push({ signal, hint })
  }
  await pool.submit(tasks.pid)
  await pool.shutdown()
  say(hints)
}

if (!isWorker) await main(JSON.parse(process.argv[2] ?? '{}'))
