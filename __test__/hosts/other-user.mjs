// A program of root's that changes its user or its groups while its pool has workers.

import process from 'node:process'
import { ProcessPoolExecutor } from 'millrace'
import { credentials, ids, misbehaves } from '../fixtures/users.mjs'
import { startMethod } from '../helpers/start-method.mjs'

/** @type {{ change: 'user' | 'effective' | 'groups', method?: 'spawn' | 'forkserver' }} */
const { change, method = startMethod } = JSON.parse(process.argv[2] ?? '')

const pool = new ProcessPoolExecutor({ maxWorkers: 1, execArgv: [], startMethod: method })
const warnings = /** @type {string[]} */ ([])
pool.on('warning', (warning) => warnings.push(warning.message))
await pool.submit(credentials.all)

process.setgroups?.(change === 'groups' ? [65534] : [])
if (change !== 'groups') process.setegid?.(65534)
if (change === 'user') {
  process.setgid?.(65534)
  process.setuid?.(65534)
}
if (change === 'effective') process.seteuid?.(65534)

/** @param {import('millrace').Future<unknown>} future */
const nameOf = async (future) => (await future.exception())?.constructor.name
const outcomes = []
for (const task of [misbehaves.spin, misbehaves.stop]) {
  outcomes.push(await nameOf(pool.run(task, [], { timeout: 300 })))
  const left = await pool.submit(credentials.all)
  outcomes.push(JSON.stringify(left) === JSON.stringify(ids()))
}
const stuck = pool.submit(misbehaves.spin)
const end = nameOf(stuck)
while (!stuck.running()) await new Promise((resolve) => setTimeout(resolve, 5))
const started = pool.stats().workers.length
await pool.shutdown({ kill: true })
outcomes.push(await end, started)
console.log(JSON.stringify({ outcomes, warnings }))
