// Millrace as it was built last: dist/ and native/ at the top of the repository.

import { readFileSync } from 'node:fs'

import { importTasks, ProcessPoolExecutor } from '../../dist/index.js'

/** @type {import('./index.mjs').Contender} */
export default {
  title: 'Millrace',
  version: () =>
    `millrace ${JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version}, Node ${process.version}`,
  async start({ workers }) {
    const pool = new ProcessPoolExecutor({ maxWorkers: workers })
    const tasks = /** @type {Record<string, (...args: any[]) => any>} */ (
      importTasks(new URL('../functions.mjs', import.meta.url))
    )
    /** @param {string} name */
    const task = (name) => tasks[name] ?? raise(name)
    // Workers start when there is something to do: one call for each.
    await Promise.all(Array.from({ length: workers }, () => pool.submit(task('add'), 1, 2)))
    return {
      call: (name, args) => pool.submit(task(name), ...args),
      async map(name, items) {
        let sum = 0
        for await (const value of pool.map(task(name), items, { chunksize: 'auto' })) sum += value
        return sum
      },
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
