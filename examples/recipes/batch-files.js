// A batch over the files of a folder: a task for each file, a table of results, and the files that failed by name.
//
//   node examples/recipes/batch-files.js [FOLDER] [--workers N] [--heap MB]
//
// Without a folder it takes data that the development dependencies have, some of which are no arrays of records. The
// exit code is 1 if a file failed. What it chose, and why:
//
// - Paths travel, not contents: the workers read, and this process keeps no file in memory.
// - chunksize: 1: a file takes milliseconds or more, so a call of its own costs nothing that counts. Small items are
//   better left to the default, 'auto'.
// - settle: true: a file that fails is an outcome like others. The loop goes on, and knows which file it was.
// - ordered: false: the table is sorted in the end, so no result waits for a slower one.
// - No buffersize: the folder is read a little ahead of the workers, though it may have a million files.
// - taskTimeout, retries: a call that takes too long or whose worker died is repeated twice, since a neighbour on the
//   machine may have been the reason. A file that no JSON parser takes fails at once: an error that a task throws is no
//   reason to repeat it.
// - --max-old-space-size: a file that is too large for V8's heap costs its worker, and not the machine's memory.

import { opendir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { ProcessPoolExecutor } from 'millrace'
import { summarize } from './batch-files-tasks.js'

const { values, positionals } = parseArgs({
  options: { workers: { type: 'string' }, heap: { type: 'string', default: '512' } },
  allowPositionals: true,
})
const [folder = fileURLToPath(new URL('../../node_modules/vega-datasets/data', import.meta.url))] = positionals

const pool = new ProcessPoolExecutor({
  maxWorkers: values.workers === undefined ? undefined : Number(values.workers),
  execArgv: [`--max-old-space-size=${values.heap}`],
  name: 'batch',
})

async function* paths() {
  for await (const { name } of await opendir(folder)) if (name.endsWith('.json')) yield join(folder, name)
}

/** @type {Record<string, { records: number, bytes: number, sha256: string }>} */
const results = {}
/** @type {Record<string, string>} */
const failures = {}

const options = /** @type {const} */ ({
  settle: true,
  chunksize: 1,
  ordered: false,
  taskTimeout: 30_000,
  retries: 2,
})
for await (const outcome of pool.map(summarize, paths(), options)) {
  if (outcome.status === 'fulfilled') {
    const { path, ...result } = outcome.value
    results[basename(path)] = result
  } else {
    const { name, message } = outcome.reason
    failures[basename(outcome.item)] = `${name}: ${message}`
  }
}
await pool.shutdown()

const names = Object.keys(failures)
console.table(Object.fromEntries(Object.entries(results).sort(([a], [b]) => (a < b ? -1 : 1))))
console.log(`${Object.keys(results).length + names.length} files, ${names.length} failed`)
for (const name of names) console.error(`${name}: ${failures[name]}`)
process.exitCode = names.length > 0 ? 1 : 0
