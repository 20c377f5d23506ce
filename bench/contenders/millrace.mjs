// The contender Millrace, as built last: dist/ and native/ at the top of the repository.

import { readFileSync } from 'node:fs'

import { importTasks, ProcessPoolExecutor } from '../../dist/index.js'
import { workerFile } from './installed.mjs'

const manifest = new URL('../../package.json', import.meta.url)

/** @type {import('./index.mjs').Contender} */
export default {
  version: () => `millrace ${JSON.parse(readFileSync(manifest, 'utf8')).version}, Node ${process.version}`,
  start({ workers }) {
    const pool = new ProcessPoolExecutor({ maxWorkers: workers })
    const tasks = /** @type {Record<string, (...args: any[]) => any>} */ (importTasks(workerFile('millrace')))
    /** @param {string} name */
    const task = (name) => tasks[name] ?? raise(name)
    return {
      call: (name, args) => pool.submit(task(name), ...args),
      async map(name, items) {
        let sum = 0
        for await (const value of pool.map(task(name), items, { chunksize: 'auto' })) sum += value
        return sum
      },
      mapArray: (name, items) => pool.map(task(name), items, { chunksize: 'auto' }).toArray(),
      stop: () => pool.shutdown(),
    }
  },
}

/**
 * @param {string} name
 * @returns {never}
 */
function raise(name) {
  throw new Error(`There is no function ${name}`)
}
