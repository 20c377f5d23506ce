// Workers write to an output whose reader has gone: node unread.mjs stdout|stderr. The other one has the result.

import { setTimeout as sleep } from 'node:timers/promises'
import { ProcessPoolExecutor } from 'millrace'

const output = /** @type {'stdout' | 'stderr'} */ (process.argv[2])
process[output].on('error', () => {})
const pool = new ProcessPoolExecutor({ maxWorkers: 1 })
let starts = 0
let failed = 0
pool.on('workerStart', () => starts++)
pool.on('warning', () => {})
/** @param {'stdout' | 'stderr'} output */
const write = (output) => void process[output].write('a line\n')
for (let call = 0; call < 20; call++) {
  await pool.submit(write, output).catch(() => failed++)
  await sleep(5)
}
/** @param {'stdout' | 'stderr'} output @returns {Promise<string | undefined>} */
const listen = (output) =>
  new Promise((resolve) => {
    process[output].once('error', (error) => resolve(/** @type {NodeJS.ErrnoException} */ (error).code))
    process[output].write('another\n')
  })
const heard = await pool.submit(listen, output)
await pool.shutdown()
process[output === 'stdout' ? 'stderr' : 'stdout'].write(JSON.stringify({ starts, failed, heard }))
