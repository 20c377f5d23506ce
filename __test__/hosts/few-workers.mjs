// A pool for whose workers there are too few descriptors. Says how many calls had values, and the warnings.

import { ProcessPoolExecutor } from 'millrace'

const pool = new ProcessPoolExecutor({ maxWorkers: 40 })
/** @type {string[]} */
const warnings = []
pool.on('warning', (warning) => warnings.push(warning.name))
await pool.submit(() => 1)
/** @param {number} ms */
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms, 1))
let values = 0
// Each round lasts longer than the pause after a failed start.
for (let round = 0; round < 10; round++) {
  values += (await Promise.all(Array.from({ length: 30 }, () => pool.submit(wait, 50)))).length
}
console.log(JSON.stringify({ values, warnings }))
await pool.shutdown()
