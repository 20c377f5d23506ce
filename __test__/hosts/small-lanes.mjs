// A `map` whose lanes are small, since the files of this process must be: chunks whose outcomes do not fit a lane
// together, and one outcome that does not fit a lane at all. Says the lengths of the results.

import { ProcessPoolExecutor } from 'millrace'
import { startMethod } from '../helpers/start-method.mjs'

const pool = new ProcessPoolExecutor({ maxWorkers: 1, startMethod, execArgv: [] })
/** @param {number} n */
const sized = (n) => new Uint8Array(n === 30 ? 2 << 20 : 20_000 + n)
const results = pool.map(
  sized,
  Array.from({ length: 60 }, (_, n) => n),
  { chunksize: 60 },
)
const lengths = /** @type {number[]} */ ([])
let tooLarge = ''
while (lengths.length < 60) {
  try {
    const { value } = await results.next()
    lengths.push(value?.length ?? 0)
  } catch (error) {
    tooLarge = String(error)
    lengths.push(-1)
  }
}
console.log(JSON.stringify({ lengths, tooLarge }))
await pool.shutdown()
