// A program whose task module starts workers whenever it is loaded. Says with which errors its calls fail.

import { importTasks, ProcessPoolExecutor } from 'millrace'
import { workersOf } from '../helpers/processes.mjs'
import { say } from './observe.mjs'

const { startMethod, module, preloaded } = JSON.parse(process.argv[2] ?? '{}')
const url = new URL(`../fixtures/${module}.mjs`, import.meta.url)
const { task } = /** @type {{ task: () => string }} */ (/** @type {unknown} */ (importTasks(url)))

const pool = new ProcessPoolExecutor({ startMethod, maxWorkers: 1, ...(preloaded ? { preload: [url] } : {}) })
pool.on('warning', () => {})
const failures = []
for (let attempt = 0; attempt < (preloaded ? 1 : 3); attempt++) {
  const error = /** @type {any} */ (await pool.submit(task).exception())
  failures.push([error.name, error.cause?.name, error.message])
}
const workers = workersOf().length
// A worker that could not load this module goes on with others.
const works = preloaded ? undefined : await pool.submit((/** @type {number} */ a) => a + 1, 1)
await pool.shutdown()
say({ failures, workers, works })
