// Counts primes in all processors.

import { ProcessPoolExecutor } from 'millrace'
import { tasks } from './jobs.js'

const limits = [10_000, 20_000, 30_000, 40_000]

const pool = new ProcessPoolExecutor()
let index = 0
for await (const count of pool.map(tasks.countPrimes, limits)) {
  console.log(`${count} primes below ${limits[index++]}`)
}
await pool.shutdown()
