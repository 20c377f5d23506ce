// Pools that are made one after another and dropped without an end, with few descriptors and without --expose-gc. Says
// how many were of use, or with which error one failed.

import { AsyncLocalStorage } from 'node:async_hooks'
import { setImmediate } from 'node:timers/promises'
import { Pool, ProcessPoolExecutor, SharedBuffer } from 'millrace'
import { startMethod } from '../helpers/start-method.mjs'
import { say } from './observe.mjs'

const WORKERS = 4
const stores = new AsyncLocalStorage()
const makePool = () => new ProcessPoolExecutor({ maxWorkers: WORKERS, startMethod })

/** @param {ProcessPoolExecutor} pool */
const use = (pool) => Promise.all(Array.from({ length: WORKERS }, () => pool.submit(() => 'value')))

/** @type {Record<string, () => unknown>} */
const scenarios = {
  'an executor': () => use(makePool()),

  'an executor that was never used': () => {
    for (let count = 0; count < WORKERS; count++) makePool()
    return setImmediate()
  },

  'an executor whose listeners hold it': () => {
    const pool = makePool()
    pool.on('workerExit', () => pool.stats()).once('workerStart', () => pool.stats())
    return use(pool)
  },

  'an executor that lies in a store of its context': () =>
    stores.run({ pool: makePool() }, () => use(/** @type {any} */ (stores.getStore()).pool)),

  'an executor with a buffer of its memory': async () => {
    const pool = makePool()
    const buffer = SharedBuffer.allocate(1 << 16, pool)
    await Promise.all([use(pool), pool.submit((it) => it.byteLength, buffer)])
  },

  'an executor that is shut down, and nobody waits': async () => {
    const pool = makePool()
    await use(pool)
    void pool.shutdown()
  },

  'a Pool': async () => {
    const pool = new Pool(WORKERS, { startMethod })
    await pool.map(() => 'value', [1, 2, 3, 4])
  },
}

const { scenario, times } = JSON.parse(process.argv[2] ?? '{}')
let made = 0
try {
  for (; made < times; made++) await scenarios[scenario]?.()
  say({ made })
} catch (error) {
  say({ made, error: String(error) })
}
process.exit()
