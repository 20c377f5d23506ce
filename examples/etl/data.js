// The input: three million real flights as a file of CSV, some of them spoilt.

import { mkdir, rename, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DuckDBInstance } from '@duckdb/node-api'
import { MARKS } from './poison.js'

/** Three million flights from January to June 2001, of the U.S. Bureau of Transportation Statistics. */
const FLIGHTS = fileURLToPath(new URL('../data/flights-3m.parquet', import.meta.resolve('vega-datasets')))
export const MOST_RECORDS = 3_000_000

/** Is part of the file's name: a file of another version is not taken. */
const VERSION = 2

/**
 * One of so many records is malformed, and another one throws; each file has some of both. Each kind that costs the
 * process is there once.
 */
const SPOILT = 20_000
const LEAST_SPOILT = 5

/**
 * Makes the file, unless it is there.
 * @param {number} records
 * @param {AbortSignal} signal ends the work
 * @returns {Promise<string>} its path
 */
export async function makeInput(records, signal) {
  const folder = join(tmpdir(), 'millrace-etl')
  const path = join(folder, `flights-${records}-v${VERSION}.csv`)
  if (await exists(path)) return path
  await mkdir(folder, { recursive: true })
  console.error(`Writing ${records.toLocaleString('en-US')} flights to ${path}, once`)
  // Under another name until it is whole, and in another one than that of a program that does the same.
  const part = `${path}.${process.pid}`
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' })
  const connection = await instance.connect()
  const interrupt = () => connection.interrupt()
  signal.addEventListener('abort', interrupt)
  try {
    signal.throwIfAborted()
    await connection.run(`COPY (${query(records)}) TO '${quoted(part)}' (FORMAT csv, HEADER true)`)
    await rename(part, path)
  } finally {
    signal.removeEventListener('abort', interrupt)
    connection.closeSync()
    instance.closeSync()
    await rm(part, { force: true })
  }
  return path
}

/** @param {number} records */
function query(records) {
  const step = Math.floor(records / Math.max(LEAST_SPOILT, Math.round(records / SPOILT)))
  const marks = Object.keys(MARKS)
  const marked = marks.map((mark, index) => {
    return `WHEN id = ${Math.floor((records * (index + 0.5)) / marks.length)} THEN '${mark}'`
  })
  return `
    SELECT
      id,
      strftime(date, '%Y-%m-%d %H:%M') AS date,
      CASE ${marked.join(' ')} WHEN id % ${step} = ${Math.floor(step / 3)} THEN 'n/a' ELSE delay::VARCHAR END AS delay,
      distance,
      CASE WHEN id % ${step} = ${Math.floor((step * 2) / 3)} THEN '???' ELSE origin END AS origin,
      destination
    FROM (SELECT *, file_row_number + 1 AS id FROM read_parquet('${quoted(FLIGHTS)}', file_row_number = true))
    WHERE id <= ${records}
    ORDER BY id`
}

/** @param {string} path in a literal of SQL */
const quoted = (path) => path.replaceAll("'", "''")

/** @param {string} path */
const exists = (path) =>
  stat(path).then(
    () => true,
    () => false,
  )
