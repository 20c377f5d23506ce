// The contenders of jest-worker, with threads and with processes.

import { Worker } from 'jest-worker'
import { fileURLToPath } from 'node:url'

import { functions } from '../functions.mjs'
import { workerFile } from './installed.mjs'

/**
 * @param {boolean} enableWorkerThreads
 * @returns {import('./index.mjs').Contender}
 */
const contender = (enableWorkerThreads) => ({
  start({ workers }) {
    const exposedMethods = Object.keys(functions)
    const options = { enableWorkerThreads, exposedMethods, numWorkers: workers }
    const pool = new Worker(fileURLToPath(workerFile('jest-worker')), options)
    // The pool defines a method for each exposed function.
    const methods = /** @type {Record<string, (...args: unknown[]) => Promise<unknown>>} */ (
      /** @type {unknown} */ (pool)
    )
    return {
      call: (name, args) => methods[name]?.(...args) ?? Promise.reject(new Error(`There is no method ${name}`)),
      async stop() {
        await pool.end()
      },
    }
  },
})

export const threads = contender(true)
export const processes = contender(false)
