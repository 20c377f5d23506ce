// A program whose task closes descriptors that are none of its business. Says how this call and the next one end.

import { closeSync } from 'node:fs'
import process from 'node:process'
import { defineTasks, isWorker, ProcessPoolExecutor } from 'millrace'
import { say } from './observe.mjs'

const tasks = defineTasks(import.meta.url, {
  /** @type {(from: number, to: number) => number} */
  close: (from, to) => {
    for (let fd = from; fd <= to; fd++) {
      try {
        closeSync(fd)
      } catch {
        // The descriptor was not open.
      }
    }
    return process.pid
  },

  pid: () => process.pid,
})

/** @param {{ from: number, to: number }} input */
async function main({ from, to }) {
  const pool = new ProcessPoolExecutor({ maxWorkers: 1, onWorkerDeath: 'isolate' })
  pool.on('warning', () => {})
  const outcomes = []
  for (const future of [pool.submit(tasks.close, from, to), pool.submit(tasks.pid), pool.submit(tasks.pid)]) {
    outcomes.push(await future.then(() => 'value').catch((error) => error.name))
  }
  // The worker sleeps between the calls: it has to be woken, and to wake the host.
  for (let round = 0; round < 3; round++) {
    await new Promise((resolve) => setTimeout(resolve, 30))
    outcomes.push(
      await pool
        .submit(tasks.pid)
        .then(() => 'value')
        .catch((error) => error.name),
    )
  }
  await pool.shutdown()
  say(outcomes)
}

if (!isWorker) await main(JSON.parse(process.argv[2] ?? ''))
