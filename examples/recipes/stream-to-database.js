// A stream of records, parsed in worker processes, into a database, with a file for the records that failed.
//
//   node examples/recipes/stream-to-database.js [INPUT.ndjson [FOLDER]]
//
// Without arguments it loads a sample with mistakes. It may be stopped at any moment, by Ctrl-C or SIGKILL: started
// again with the same input and folder, it goes on where it was. What it chose, and why:
//
// - map over lines(): one item for each record. Items travel in chunks of measured size, so this costs little; and each
//   record has an outcome of its own.
// - settle: true: a record that fails is an outcome like others, and goes to dead-letters.ndjson with its reason. What
//   ends the map (an input that fails, a broken pool) is thrown, and ends the program with an error.
// - taskTimeout: a record on which the parser loops costs itself and the start of a worker, not the load.
// - hardMemoryLimit: a record that eats memory costs itself and its worker, not the machine.
// - retries: 1: a record whose worker died is tried once more, since something else may have killed the worker.
// - ordered, the default: the number of lines in the database says where to go on.
// - A transaction for some thousand lines: one for each row is many times slower, and one for all would have nothing to
//   go on from. It holds the rows, the number of lines, and the size of the dead letters up to there.
// - No buffersize: the default reads some thousand records ahead of this loop and waits while the database is at work,
//   so memory stays bounded however slow the database is.
// - signal: Ctrl-C ends the map at once. Lines since the last transaction are loaded again by the next run.

import { createReadStream } from 'node:fs'
import { mkdir, open, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance, timestampMillisValue } from '@duckdb/node-api'
import { CancelledError, ProcessPoolExecutor } from 'millrace'
import { lines } from 'millrace/streams'
import { parse } from './stream-to-database-tasks.js'

const LINES_PER_TRANSACTION = 5000

const [input, folder = join(tmpdir(), 'millrace-load')] = process.argv.slice(2)
await mkdir(folder, { recursive: true })

const instance = await DuckDBInstance.create(join(folder, 'records.duckdb'))
const database = await instance.connect()
await database.run('CREATE TABLE IF NOT EXISTS records (line INTEGER, id VARCHAR, time TIMESTAMP_MS, amount DOUBLE)')
await database.run('CREATE TABLE IF NOT EXISTS progress AS SELECT 0 AS lines, 0 AS letters')
const [[before, lettersBefore]] = await rowsOf('SELECT lines, letters FROM progress')

// Dead letters of a transaction that was never committed are written again.
const letters = await open(join(folder, 'dead-letters.ndjson'), 'a')
await letters.truncate(lettersBefore)

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stop.abort())

const pool = new ProcessPoolExecutor({ hardMemoryLimit: 512 * 2 ** 20, name: 'load' })
let loaded = before
let lettersSize = lettersBefore
/** @type {{ line: number, row: import('./stream-to-database-tasks.js').Row }[]} */
let rows = []
/** @type {string[]} */
let failed = []

try {
  const source = createReadStream(input ?? (await makeSample()))
  const options = /** @type {const} */ ({ settle: true, taskTimeout: 1000, retries: 1, signal: stop.signal })
  for await (const outcome of pool.map(parse, rest(lines(source)), options)) {
    const line = before + outcome.index
    if (outcome.status === 'fulfilled') {
      rows.push({ line, row: outcome.value })
    } else {
      const { name, message } = outcome.reason
      failed.push(`${JSON.stringify({ line, text: outcome.item, reason: `${name}: ${message}` })}\n`)
    }
    if (rows.length + failed.length === LINES_PER_TRANSACTION) await commit()
  }
  await commit()
} catch (error) {
  if (!(error instanceof CancelledError && stop.signal.aborted)) throw error
  console.error('Stopped. The next run goes on from here.')
  process.exitCode = 130
} finally {
  await pool.shutdown({ cancelFutures: true })
}

const [[count, sum]] = await rowsOf('SELECT count(*)::INTEGER, coalesce(sum(amount), 0) FROM records')
console.log(
  `${loaded} lines, ${loaded - before} of them now: ${count} rows, ${loaded - count} dead letters, sum ${sum}`,
)
console.log(folder)
await letters.close()
database.closeSync()
instance.closeSync()

/**
 * The lines that are not in the database yet.
 *
 * @param {AsyncIterable<string>} all
 */
async function* rest(all) {
  let line = 0
  for await (const text of all) if (line++ >= before) yield text
}

/** Puts what has come since the last transaction into the database, or nothing of it. */
async function commit() {
  if (rows.length + failed.length === 0) return
  const text = failed.join('')
  await letters.appendFile(text)
  lettersSize += Buffer.byteLength(text)
  loaded += rows.length + failed.length
  await database.run('BEGIN')
  const appender = await database.createAppender('records')
  for (const { line, row } of rows) {
    appender.appendInteger(line)
    appender.appendVarchar(row.id)
    appender.appendTimestampMilliseconds(timestampMillisValue(BigInt(row.time)))
    appender.appendDouble(row.amount)
    appender.endRow()
  }
  appender.closeSync()
  await database.run('UPDATE progress SET lines = $1, letters = $2', [loaded, lettersSize])
  await database.run('COMMIT')
  console.error(`${loaded} lines`)
  rows = []
  failed = []
}

/**
 * @param {string} query
 * @returns {Promise<any[][]>}
 */
async function rowsOf(query) {
  return (await database.runAndReadAll(query)).getRows()
}

/** A file of 200,000 records, of which every thousandth is wrong in one way or another. */
async function makeSample() {
  const mistakes = ['{"id": "cut', '{"amount": 1}', '{"id":"7","amount":"1"}', '{"id":"8","amount":1,"time":"soon"}']
  const sample = Array.from({ length: 200_000 }, (_, n) =>
    n % 1000 === 999
      ? mistakes[(n >> 3) % 4]
      : JSON.stringify({ id: `r${n}`, time: new Date(n * 60_000).toISOString(), amount: n % 100 }),
  )
  const path = join(folder, 'sample.ndjson')
  await writeFile(path, `${sample.join('\n')}\n`)
  return path
}
