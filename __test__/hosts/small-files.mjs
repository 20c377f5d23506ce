// A pool in a process whose files must be small. Says whether its calls were right, and whether one was too large.

import { ProcessPoolExecutor } from 'millrace'

const { startMethod, bytes } = JSON.parse(process.argv[2] ?? '')
const pool = new ProcessPoolExecutor({ maxWorkers: 2, startMethod })
const small = await Promise.all(Array.from({ length: 50 }, (_, index) => pool.submit((n) => n + 1, index)))
/** @param {Uint8Array} array */
const increased = (array) => array.map((byte) => byte + 1)
const large = await pool.submit(increased, new Uint8Array(bytes).fill(6))
const right = small.every((value, index) => value === index + 1) && large.length === bytes && large.at(-1) === 7
const error = await pool.submit(increased, new Uint8Array(600 << 20)).exception()
console.log(JSON.stringify({ right, tooLarge: /** @type {Error} */ (error)?.name === 'SerializationError' }))
await pool.shutdown()
