// A program that finishes its calls when it gets a signal, and then ends.

import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { ProcessPoolExecutor } from 'millrace'
import { tasks } from '../fixtures/basic.mjs'
import { signalled } from '../fixtures/signalled.mjs'
import { startMethod } from '../helpers/start-method.mjs'

/** @param {unknown} words */
const say = (words) => console.log(JSON.stringify(words))

/** @type {{ onWorkerDeath: 'break' | 'isolate', signal: NodeJS.Signals }} */
const { onWorkerDeath, signal } = JSON.parse(process.argv[2] ?? '')
const pool = new ProcessPoolExecutor({ maxWorkers: 2, execArgv: [], startMethod, onWorkerDeath })
const warnings = /** @type {string[]} */ ([])
pool.on('warning', (warning) => warnings.push(warning.message))
const calls = [0, 1, 2, 3, 4, 5].map((n) => {
  if (n % 3 === 0) return pool.submit(tasks.sleep, 500, n)
  return n % 3 === 1 ? pool.submit(signalled.compute, 500, n) : pool.submit(tasks.block, 500, n)
})
const held = setInterval(() => {}, 1000)
process.once(signal, async () => {
  const results = await Promise.allSettled(calls)
  say({
    values: results.map((result) => (result.status === 'fulfilled' ? result.value : String(result.reason))),
    warnings,
  })
  await pool.shutdown()
  clearInterval(held)
})
while (calls.filter((call) => call.running()).length < 2) await sleep(5)
say('ready')
