// Makes pools until no descriptors are left. Says with which error the last pool failed, and whether a pool works again
// when the others are gone.

import { ProcessPoolExecutor } from 'millrace'
import { say } from './observe.mjs'

/** @type {ProcessPoolExecutor[]} */
const pools = []
/** @type {any} */
let error
while (error === undefined && pools.length < 1000) {
  try {
    pools.push(new ProcessPoolExecutor({ maxWorkers: 1, execArgv: [] }))
  } catch (thrown) {
    error = thrown
  }
}
await Promise.all(pools.map((pool) => pool.shutdown()))
const pool = new ProcessPoolExecutor({ maxWorkers: 1, execArgv: [] })
const value = await pool.submit(() => 'value')
await pool.shutdown()
const { name, message, code, cause } = error ?? {}
say({ name, message, code, cause: { ...cause, message: cause?.message }, value })
