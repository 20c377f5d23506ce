// Loads three million flights into a database: in worker processes and, to compare, in this thread.
//
//   node examples/etl/main.js [OPTION...], see --help

import { mkdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { makeInput } from './data.js'
import { loadInOneThread, loadRanges, loadStream } from './load.js'
import { HELP, readOptions } from './options.js'
import { Progress } from './progress.js'
import { compare, contentsOf, showDelays, writeDeadLetters } from './report.js'
import { Warehouse } from './warehouse.js'

/** Exit codes of a program that ends by a signal. */
const CODES = /** @type {const} */ ({ SIGINT: 130, SIGTERM: 143 })
/** Milliseconds that a stopped program has for its last transaction. The database is whole without it, too. */
const GRACE_MS = 1500

const stopping = new AbortController()
for (const [name, code] of Object.entries(CODES)) {
  // A second signal ends the program at once.
  process.once(name, () => {
    console.error('\nStopping. What is finished is in the database: --resume goes on from there.')
    process.exitCode = code
    stopping.abort()
    setTimeout(() => process.exit(), GRACE_MS).unref()
  })
}

try {
  const options = readOptions(process.argv.slice(2))
  if (options === undefined) console.log(HELP)
  else await main(options, stopping.signal)
} catch (error) {
  // What a signal interrupts may fail in any way.
  if (!stopping.signal.aborted) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}

/**
 * @param {import('./options.js').Options} options
 * @param {AbortSignal} signal
 */
async function main({ workers, records, input: given, stream, transaction, resume, output }, signal) {
  const input = given === undefined ? await makeInput(records, signal) : resolve(given)
  const { size, mtimeMs } = await stat(input)
  await mkdir(output, { recursive: true })
  const [database, check] = ['flights.duckdb', 'one-thread.duckdb'].map((name) => join(output, name))
  // The keys of batches are places in this input, in one of two units.
  const job = JSON.stringify({ input, size, mtimeMs, keys: stream ? 'records' : 'bytes' })

  const title = `${workers} worker ${workers === 1 ? 'process' : 'processes'}`
  const parallel = await timed(title, database, resume, (load) => {
    return stream ? loadStream({ ...load, workers }) : loadRanges({ ...load, workers })
  })
  if (signal.aborted) return
  const found = await contentsOf(database)
  await showDelays(database, output)
  await writeDeadLetters(found, output)

  console.log('\nThe same functions in one thread, to compare:')
  const single = await timed('one thread', check, false, loadInOneThread)
  if (signal.aborted) return
  if (!compare({ ...parallel, ...found }, { ...single, ...(await contentsOf(check)) })) process.exitCode = 1

  /**
   * @param {string} name
   * @param {string} path
   * @param {boolean} goesOn
   * @param {(load: import('./load.js').Load) => Promise<void>} load
   */
  async function timed(name, path, goesOn, load) {
    const started = performance.now()
    const warehouse = await (goesOn ? Warehouse.open(path) : Warehouse.create(path))
    warehouse.rowsOfTransaction = transaction
    await warehouse.begin(job)
    const progress = new Progress(name, size)
    await load({ input, warehouse, progress, signal }).finally(() => progress.end())
    await warehouse.close()
    return { title: name, seconds: (performance.now() - started) / 1000, isWhole: !progress.hasSkipped }
  }
}
