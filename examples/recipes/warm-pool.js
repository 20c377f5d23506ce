// A warm pool: each worker loads a model once, and all workers are ready before the first request.
//
//   node examples/recipes/warm-pool.js [--workers N] [BOOK...]
//
// The books are texts, by default the guide and its neighbours. What it chose, and why:
//
// - initializer: loads the model once in each worker, also in a worker that replaces another one. Calls find it in a
//   variable of their module. An argument would travel with each call.
// - initargs: the paths of the books. Each worker reads them: the model itself need not travel.
// - One call for each worker before the first request: a pool starts a worker when a call needs it, so the first
//   requests would wait for Node and for the model.
// - No idleTimeout: warm workers stay. No maxTasksPerChild: each replacement loads the model again.
// - startTimeout: the initializer counts. A model that needs a minute needs more than the default of 30 s.
//
// A model that is large and only read is loaded once for all workers by startMethod: 'forkserver' with a preloaded
// module: the workers are forks that share the memory. See docs/start-methods.md.

import { availableParallelism } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { ProcessPoolExecutor } from 'millrace'
import { correct, isReady, readBooks } from './warm-pool-tasks.js'

const { values, positionals } = parseArgs({ options: { workers: { type: 'string' } }, allowPositionals: true })
const workers = values.workers === undefined ? availableParallelism() : Number(values.workers)
const pages = ['guide.md', 'troubleshooting.md', 'architecture.md', 'reliability.md']
const books =
  positionals.length > 0
    ? positionals
    : pages.map((name) => fileURLToPath(new URL(`../../docs/${name}`, import.meta.url)))

const pool = new ProcessPoolExecutor({
  maxWorkers: workers,
  initializer: readBooks,
  initargs: books,
  startTimeout: 60_000,
  name: 'warm',
})

/** Resolves when all workers are ready; rejects, with the initializer's error as the cause, when none gets ready. */
async function warmUp() {
  // As many calls at once as there are to be workers: each call for which no worker is idle has another one started.
  await Promise.all(Array.from({ length: workers }, () => pool.submit(isReady)))
  // A worker that was ready first may have answered several of them.
  while (pool.stats().idle < workers) await sleep(5)
}

const started = performance.now()
await warmUp()
console.log(`${workers} workers are warm after ${(performance.now() - started).toFixed(0)} ms`)

for (const word of ['wroker', 'memry', 'proces', 'future', 'tiemout']) {
  const asked = performance.now()
  const corrected = await pool.submit(correct, word)
  console.log(`${word.padEnd(8)} ${corrected.padEnd(8)} ${(performance.now() - asked).toFixed(1).padStart(6)} ms`)
}

await pool.shutdown()
