// A pool for whose workers there are too few descriptors. Says how many calls had values, and the warnings.

import { ProcessPoolExecutor } from 'millrace'

const pool = new ProcessPoolExecutor({ maxWorkers: 40 })
/** @type {string[]} */
const warnings = []
pool.on('warning', (warning) => warnings.push(warning.name))
await pool.submit(() => 1)
/** @param {number} ms */
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms, 1))
const values = await Promise.all(Array.from({ length: 300 }, () => pool.submit(wait, 5)))
console.log(JSON.stringify({ values: values.length, warnings }))
await pool.shutdown()
