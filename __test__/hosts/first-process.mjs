// A program that is the first process of its PID namespace, so that orphans of its workers become its children.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { ProcessPoolExecutor } from 'millrace'
import { families } from '../fixtures/families.mjs'
import { children } from '../helpers/holdings.mjs'
import { startMethod } from '../helpers/start-method.mjs'

/** @type {{ how: 'timeout' | 'death' | 'exit' | 'shutdown', method?: 'spawn' | 'forkserver' }} */
const { how, method = startMethod } = JSON.parse(process.argv[2] ?? '')

/** Exit codes of processes that the program itself starts, and waits for. */
const codes = /** @type {number[]} */ ([])
const over = new AbortController()
const own = (async () => {
  for (let code = 0; !over.signal.aborted; code = (code + 1) % 100) {
    const [ended] = await once(spawn('sh', ['-c', `exit ${code}`], { detached: code % 2 === 0 }), 'exit')
    codes.push(ended === code ? 0 : 1)
  }
})()

const pool = new ProcessPoolExecutor({ maxWorkers: 2, execArgv: [], onWorkerDeath: 'isolate', startMethod: method })
pool.on('warning', () => {})
const task = how === 'death' ? families.dies : how === 'exit' ? families.leaves : families.waits
const calls = [1, 2, 3, 4].map(() => pool.run(task, [], how === 'timeout' ? { timeout: 600 } : {}))
if (how === 'shutdown') {
  while (calls.filter((call) => call.running()).length < 2) await new Promise((resolve) => setTimeout(resolve, 5))
  await new Promise((resolve) => setTimeout(resolve, 200))
  await pool.shutdown({ kill: true, cancelFutures: true })
}
await Promise.allSettled(calls)
await pool.shutdown()
over.abort()
await own
// The processes that a worker leaves behind by its own exit live on for a second.
while (children().length > 0) await new Promise((resolve) => setTimeout(resolve, 10))
console.log(JSON.stringify({ pid: process.pid, started: codes.length > 0, wrong: codes.filter((code) => code !== 0) }))
