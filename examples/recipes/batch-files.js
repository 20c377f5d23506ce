// A batch over the files of a folder: a task for each file, a table of results, and the files that failed by name.
//
//   node examples/recipes/batch-files.js [FOLDER] [--workers N] [--heap MB]
//
// Without a folder it takes data that the development dependencies have, some of which are no arrays of records. The
// exit code is 1 if a file failed. What it chose, and why:
//
// - One call for each file. A file takes milliseconds or more, so a call of its own costs nothing that counts, and each
//   file has an outcome of its own, a time limit of its own, and retries of its own.
// - Paths travel, not contents: the workers read, and this process keeps no file in memory.
// - maxQueue with ready(): a folder may have a million files. A few calls wait, and the rest of the folder is read when
//   there is room for it.
// - retries: a call whose worker died or that took too long is repeated, since a neighbour on the machine may have been
//   the reason. A file that no JSON parser takes fails at once: an error that a task throws is no reason to repeat it.
// - label: the errors of the pool name the file.
// - --max-old-space-size: a file that is too large for V8's heap costs its worker, and not the machine's memory.

import { opendir } from 'node:fs/promises'
import { join } from 'node:path'
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
  maxQueue: 16,
  execArgv: [`--max-old-space-size=${values.heap}`],
  name: 'batch',
})

/** @type {Record<string, { records: number, bytes: number, sha256: string }>} */
const results = {}
/** @type {{ file: string, reason: string }[]} */
const failures = []

/** @type {Promise<void>[]} */
const outcomes = []
for await (const entry of await opendir(folder)) {
  if (!entry.name.endsWith('.json')) continue
  await pool.ready()
  const call = pool.run(summarize, [join(folder, entry.name)], { timeout: 30_000, retries: 2, label: entry.name })
  outcomes.push(
    call.then(
      (result) => {
        results[entry.name] = result
      },
      (error) => {
        failures.push({ file: entry.name, reason: `${error.name}: ${error.message}` })
      },
    ),
  )
}
await Promise.all(outcomes)
await pool.shutdown()

console.table(Object.fromEntries(Object.entries(results).sort(([a], [b]) => (a < b ? -1 : 1))))
console.log(`${outcomes.length} files, ${failures.length} failed`)
for (const { file, reason } of failures) console.error(`${file}: ${reason}`)
process.exitCode = failures.length > 0 ? 1 : 0
