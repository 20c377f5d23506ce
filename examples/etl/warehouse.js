// The database: flights, dead letters, and which batches of the input are in it.

import { rm } from 'node:fs/promises'
import * as api from '@duckdb/node-api'
import duckdb from '@duckdb/node-bindings'
import { BAND_MILES, LAST_BAND } from '../flights/aggregate.js'
import { COLUMNS, offsetsOf } from './columns.js'

/**
 * Rows of a transaction, about. A larger one costs less for each row, a smaller one loses less with the process. DuckDB
 * stores 122,880 rows together.
 */
export const ROWS_OF_TRANSACTION = 250_000

/** The line of the first record: the header comes before. */
const FIRST_LINE = 2

const TYPES = COLUMNS.map(({ type }) => api[type])

export class Warehouse {
  rowsOfTransaction = ROWS_OF_TRANSACTION
  #instance
  #connection
  /** @type {api.DuckDBAppender | undefined} exists as long as there is a transaction */
  #appender
  #pending = 0
  /** @type {api.DuckDBValue[][]} */
  #loaded = []
  /** @type {api.DuckDBValue[][]} */
  #dead = []

  /**
   * @param {api.DuckDBInstance} instance
   * @param {api.DuckDBConnection} connection
   */
  constructor(instance, connection) {
    this.#instance = instance
    this.#connection = connection
  }

  /**
   * Makes a database, in place of one that is there.
   * @param {string} path
   */
  static async create(path) {
    await Promise.all([path, `${path}.wal`].map((file) => rm(file, { force: true })))
    return Warehouse.open(path)
  }

  /**
   * Opens a database, or makes one if there is none.
   * @param {string} path
   */
  static async open(path) {
    // One thread: the comparison is one of processes, not of the database's threads.
    const instance = await api.DuckDBInstance.create(path, { threads: '1' })
    const connection = await instance.connect()
    await connection.run(`
      CREATE TABLE IF NOT EXISTS flights (${COLUMNS.map(({ name, type }) => `${name} ${type} NOT NULL`).join(', ')});
      CREATE TABLE IF NOT EXISTS dead_letters (batch BIGINT, line INTEGER, reason TEXT, error TEXT, record TEXT);
      CREATE TABLE IF NOT EXISTS loaded (batch BIGINT PRIMARY KEY, lines INTEGER NOT NULL);
      CREATE TABLE IF NOT EXISTS job (description TEXT NOT NULL);
    `)
    return new Warehouse(instance, connection)
  }

  /**
   * Binds the database to a job: batches of two jobs must not be mixed.
   * @param {string} description
   */
  async begin(description) {
    const [begun] = await this.#rows('SELECT description FROM job')
    if (begun === undefined) await this.#connection.run('INSERT INTO job VALUES ($1)', [description])
    else if (begun.description !== description) {
      throw new Error(`The database was begun with another job: ${begun.description}, and not ${description}`)
    }
  }

  /** @returns {Promise<Map<number, number>>} the key of each batch that is loaded, and the number of its lines */
  async loaded() {
    const rows = await this.#rows('SELECT batch, lines FROM loaded')
    return new Map(rows.map(({ batch, lines }) => [Number(batch), Number(lines)]))
  }

  /**
   * Adds a batch: its flights, its dead letters and the mark that it is loaded go into the same transaction.
   * @param {number} key
   * @param {import('./batch.js').Batch} batch
   */
  async add(key, { lines, table, dead }) {
    if (this.#appender === undefined) {
      await this.#connection.run('BEGIN')
      this.#appender = await this.#connection.createAppender('flights')
    }
    append(this.#appender, table)
    this.#loaded.push([BigInt(key), lines])
    for (const { line, reason, error, text } of dead) this.#dead.push([BigInt(key), line, reason, error, text])
    this.#pending += lines
    if (this.#pending >= this.rowsOfTransaction) await this.commit()
  }

  async commit() {
    if (this.#appender === undefined) return
    this.#appender.closeSync()
    await this.#insert('loaded', this.#loaded)
    await this.#insert('dead_letters', this.#dead)
    this.#appender = undefined
    this.#loaded = []
    this.#dead = []
    this.#pending = 0
    await this.#connection.run('COMMIT')
  }

  /** Writes the database to its file, and ends its use. */
  async close() {
    await this.#connection.run('CHECKPOINT')
    this.#connection.closeSync()
    this.#instance.closeSync()
  }

  /**
   * Records that could not be loaded, in the order of the input.
   * @returns {Promise<{ line: number, reason: string, error: string, record: string }[]>} `line` in the file, from 1
   */
  async deadLetters() {
    const rows = await this.#rows(`
      SELECT dead.line + coalesce(before, 0) + ${FIRST_LINE} AS line, reason, error, record
      FROM dead_letters AS dead JOIN (
        SELECT batch, sum(lines) OVER (ORDER BY batch ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
        FROM loaded
      ) USING (batch)
      ORDER BY 1`)
    return rows.map(({ line, reason, error, record }) => {
      return { line: Number(line), reason: `${reason}`, error: `${error}`, record: `${record}` }
    })
  }

  /** What two databases with the same flights have in common, in whatever order the flights were added. */
  async fingerprint() {
    const names = COLUMNS.map(({ name }) => name).join(', ')
    const [row] = await this.#rows(`
      SELECT count(*) AS flights, count(DISTINCT id) AS ids, sum(hash(${names})) AS hashes FROM flights`)
    return { flights: Number(row.flights), ids: Number(row.ids), hashes: `${row.hashes}` }
  }

  /**
   * Delays by hour, or by distance.
   * @param {import('../flights/groups.js').Grouping['by']} by
   * @returns {Promise<import('../flights/aggregate.js').Figures[]>}
   */
  async figures(by) {
    const band = `least(miles::INTEGER // ${BAND_MILES} * ${BAND_MILES}, ${LAST_BAND})`
    const rows = await this.#rows(`
      SELECT ${by === 'hours' ? 'hour' : band} AS key, count(*) AS flights, avg(delay) AS mean, median(delay) AS median,
        quantile_disc(delay, 0.95) AS p95
      FROM flights GROUP BY 1 ORDER BY 1`)
    return rows.map(({ key, flights, mean, median, p95 }) => {
      const [keyed, count, average, middle, late] = [key, flights, mean, median, p95].map(Number)
      return { key: keyed, flights: count, mean: average, median: middle, p95: late }
    })
  }

  /** Hours that all flights together spend in the dark. */
  async darkHours() {
    const [{ hours }] = await this.#rows('SELECT sum(dark) / 60 AS hours FROM flights')
    return Number(hours)
  }

  /** @param {string} query */
  async #rows(query) {
    return (await this.#connection.runAndReadAll(query)).getRowObjectsJS()
  }

  /**
   * @param {string} table
   * @param {api.DuckDBValue[][]} rows
   */
  async #insert(table, rows) {
    const appender = await this.#connection.createAppender(table)
    for (const row of rows) {
      for (const value of row) appender.appendValue(value)
      appender.endRow()
    }
    appender.closeSync()
  }
}

/**
 * Copies columns into the database, as many rows at a time as its vectors have. To append values one by one would take
 * several times as long.
 * @param {api.DuckDBAppender} appender
 * @param {import('./columns.js').Table} table
 */
function append(appender, { flights, capacity, memory }) {
  const offsets = offsetsOf(capacity)
  const most = api.DuckDBVector.standardSize()
  for (let from = 0; from < flights; from += most) {
    const count = Math.min(most, flights - from)
    const chunk = api.DuckDBDataChunk.create(TYPES, count)
    for (const [index, { bytes }] of COLUMNS.entries()) {
      const vector = duckdb.data_chunk_get_vector(chunk.chunk, index)
      duckdb.copy_data_to_vector(vector, 0, memory, offsets[index] + from * bytes, count * bytes)
    }
    appender.appendDataChunk(chunk)
  }
}
