// A pool that has worked and is idle now. The argument has options of the pool.

import { defineTasks, isWorker, ProcessPoolExecutor } from 'millrace'
import { say } from './observe.mjs'

const tasks = defineTasks(import.meta.url, {
  /** @type {<T>(value: T) => T} */
  identity: (value) => value,
})

async function main() {
  const pool = new ProcessPoolExecutor({ maxWorkers: 2, ...JSON.parse(process.argv[2] ?? '{}') })
  const payloads = [1, 'text', { a: [1, 2, 3] }, Buffer.alloc(1 << 20), Buffer.alloc(5 << 20)]
  for (let round = 0; round < 20; round++) {
    await Promise.all(payloads.map((payload) => pool.submit(tasks.identity, payload)))
  }
  // Otherwise the pool would be collected, and its workers would leave.
  Object.assign(globalThis, { pool })
  // The program stays without doing anything: an open pipe holds it, from which nothing comes.
  const { Socket } = await import('node:net')
  new Socket({ fd: 3, readable: true }).resume()
  say({ pids: [process.pid, ...pool.stats().workers.map(({ pid }) => pid)] })
}

if (!isWorker) await main()
