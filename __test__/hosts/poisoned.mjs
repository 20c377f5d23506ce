// A program that feeds records to two workers. One record in each thousand answers and wedges its worker. The program
// prints the throughput of each interval, and at the end what became of all records.

import process from 'node:process'
import { ProcessPoolExecutor } from 'millrace'
import { poisoned } from '../fixtures/poisoned.mjs'
import { startMethod } from '../helpers/start-method.mjs'

/** @type {{ seconds: number, intervalSeconds: number, poisonEvery?: number, ms?: number }} */
const { seconds, intervalSeconds, poisonEvery = 1000, ms = 10 } = JSON.parse(process.argv[2] ?? '')
const IN_FLIGHT = 64

const pool = new ProcessPoolExecutor({ maxWorkers: 2, execArgv: [], startMethod, onWorkerDeath: 'isolate' })
let silent = 0
pool.on('warning', ({ message }) => (silent += Number(message.includes('did not come to its calls'))))
const wrong = /** @type {string[]} */ ([])
let submitted = 0
let poison = 0
let answered = 0

/** Feeds records one after the other until `end`. @param {number} end */
async function feed(end) {
  while (performance.now() < end) {
    const id = ++submitted
    const isPoison = id % poisonEvery === 0
    poison += Number(isPoison)
    try {
      const value = await pool.submit(isPoison ? poisoned.wedge : poisoned.work, id, ms)
      if (value !== id) wrong.push(`record ${id} has the value ${value}`)
    } catch (error) {
      wrong.push(`record ${id}${isPoison ? ' (poison)' : ''}: ${String(error)}`)
    }
    answered++
  }
}

const intervals = /** @type {number[]} */ ([])
let before = 0
const timer = setInterval(() => {
  const rate = Math.round((answered - before) / intervalSeconds)
  before = answered
  intervals.push(rate)
  if (process.stderr.isTTY || process.env.MILLRACE_PRINT) {
    const { restarts } = pool.stats()
    console.error(`${intervals.length * intervalSeconds} s: ${rate} records/s, ${silent} wedged, ${restarts} restarts`)
  }
}, intervalSeconds * 1000)
const end = performance.now() + seconds * 1000
await Promise.all(Array.from({ length: IN_FLIGHT }, () => feed(end)))
clearInterval(timer)
await pool.shutdown()
console.log(JSON.stringify({ submitted, answered, poison, silent, wrong, intervals }))
