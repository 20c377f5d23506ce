// A program that submits a call when it gets SIGUSR2, and says which worker has run the call.

import process from 'node:process'
import { ProcessPoolExecutor } from 'millrace'
import { tasks } from '../fixtures/basic.mjs'
import { startMethod } from '../helpers/start-method.mjs'

/** @param {unknown} words */
const say = (words) => console.log(JSON.stringify(words))

const pool = new ProcessPoolExecutor({ maxWorkers: 1, execArgv: [], startMethod })
const held = setInterval(() => {}, 1000)
let warnings = 0
pool.on('warning', () => warnings++)
process.once('SIGUSR2', async () => {
  const call = pool.submit(tasks.pid)
  say('submitted')
  say({ worker: await call, warnings })
  await pool.shutdown()
  clearInterval(held)
})
say({ worker: await pool.submit(tasks.pid) })
