// Tasks that write more than a pipe holds, and whose workers leave. Notes go to a file, because the pipes are full.

import { appendFileSync } from 'node:fs'
import process from 'node:process'
import { defineTasks, isWorker, ProcessPoolExecutor } from 'millrace'
import { startMethod } from '../helpers/start-method.mjs'

const tasks = defineTasks(import.meta.url, {
  /** @type {(output: 'stdout' | 'stderr', bytes: number, last: string) => void} */
  write: (output, bytes, last) => void process[output].write(`${'x'.repeat(bytes - last.length - 2)}\n${last}\n`),

  /** @type {(output: 'stdout' | 'stderr', bytes: number, last: string) => void} */
  writeAndFail: (output, bytes, last) => {
    tasks.write(output, bytes, last)
    setTimeout(() => {
      throw new Error('left behind')
    }, 1)
  },

  /** @type {(output: 'stdout' | 'stderr', bytes: number, last: string) => never} */
  setUp: (output, bytes, last) => {
    tasks.write(output, bytes, last)
    throw new Error('no database')
  },
})

/** @param {{ ending: string, output: 'stdout' | 'stderr', bytes: number, file: string }} input */
async function main({ ending, output, bytes, file }) {
  /** @param {string} text */
  const note = (text) => appendFileSync(file, `${text}\n`)
  const options = {
    recycling: { maxTasksPerChild: 1 },
    idle: { idleTimeout: 20 },
    initializer: { onWorkerDeath: 'break', initializer: tasks.setUp, initargs: [output, bytes, 'end 0'] },
  }[ending]
  const pool = new ProcessPoolExecutor({ maxWorkers: 1, startMethod, ...options })
  const left = new Promise((resolve) => pool.once('workerExit', resolve))
  pool.on('workerExit', ({ reason }) => note(reason))
  pool.on('warning', () => {})
  if (ending === 'recycling') {
    await Promise.all([0, 1, 2, 3].map((index) => pool.submit(tasks.write, output, bytes / 4, `end ${index}`)))
  } else if (ending === 'initializer') {
    await pool.submit(tasks.write, output, bytes, 'never').exception()
  } else {
    const task = ending === 'retired' ? tasks.writeAndFail : tasks.write
    await pool.submit(task, output, bytes, 'end 0')
  }
  note('written')
  if (ending === 'draining') return
  if (['idle', 'retired'].includes(ending)) await left
  await pool.shutdown()
  note('shut down')
}

if (!isWorker) await main(JSON.parse(process.argv[2] ?? ''))
