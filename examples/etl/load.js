// Three programs that load the same input: workers that read ranges of the file for themselves, workers that get each
// line from the host, and one thread.

import { createReadStream } from 'node:fs'
import { getAllStartMethods, ProcessPoolExecutor, TaskTimeoutError, WorkerDiedError } from 'millrace'
import { byteRanges, lines, readRange } from 'millrace/streams'
import { deadLetter, parseBatch } from './batch.js'
import { Columns } from './columns.js'
import { leaveOut } from './poison.js'
import { HEADER } from './record.js'
import { parseLine, parseRange, prepare } from './tasks.js'

/** Some 3,000 records: some 10 ms of work. */
const RANGE_BYTES = 128 * 1024
/** Records that the simple program gives to the database at a time. */
const BATCH_RECORDS = 10_000

/**
 * Milliseconds for a range, many times what it takes on an idle machine. When the limit was too short after all, the
 * range is only read again, record by record.
 */
const RANGE_MS = 500
/** Milliseconds for a record, which takes microseconds; a record that eats memory reaches its own limit in less. */
const RECORD_MS = 500
/** Bytes that a record has at least. */
const SHORTEST_RECORD = 16
/** Ranges that are read ahead, for each worker: work for the time that the database takes for a transaction. */
const RANGES_AHEAD = 32
/** Resident bytes of a worker, three times as many as it takes: more is a record that eats memory. */
const MEMORY = 256 * 1024 * 1024

/**
 * @typedef {object} Load
 * @property {string} input
 * @property {import('./warehouse.js').Warehouse} warehouse
 * @property {import('./progress.js').Progress} progress
 * @property {AbortSignal} signal ends the load: what is finished by then is in the database
 */

/**
 * The fast program: each range is one call. A worker reads the range, parses its records, and hands columns back.
 * @param {Load & { workers: number }} load
 */
export async function loadRanges({ input, warehouse, progress, signal, workers }) {
  const ranges = await rangesOf(input)
  const loaded = await warehouse.loaded()
  const todo = ranges.filter(({ start }) => !loaded.has(start))
  for (const { start, end } of ranges) if (loaded.has(start)) progress.skip(end - start)
  await withPool(workers, signal, async (pool) => {
    /** @type {Promise<[range: import('millrace/streams').Range, batch: import('./batch.js').Batch]>[]} */
    const again = []
    const options = /** @type {const} */ ({
      settle: true,
      chunksize: 1,
      ordered: false,
      buffersize: RANGES_AHEAD * workers,
      taskTimeout: RANGE_MS,
      signal,
    })
    for await (const outcome of pool.map(parseRange, todo, options)) {
      const range = todo[outcome.index]
      if (outcome.status === 'fulfilled') await store(range, outcome.value)
      else if (costsTheWorker(outcome.reason)) again.push(byRecord(pool, range, signal))
      else throw outcome.reason
      // An error of theirs is thrown below; by then this loop may have ended with an error of its own.
      again.at(-1)?.catch(() => {})
    }
    for (const [range, batch] of await Promise.all(again)) await store(range, batch)
  })
  await warehouse.commit()

  /**
   * @param {import('millrace/streams').Range} range
   * @param {import('./batch.js').Batch} batch
   */
  async function store({ start, end }, batch) {
    await warehouse.add(start, batch)
    progress.advance(end - start, batch)
  }
}

/**
 * Parses a range whose worker was lost, record by record: then a record that costs its worker is the only one to fail.
 * @param {ProcessPoolExecutor} pool
 * @param {import('millrace/streams').Range} range
 * @param {AbortSignal} signal
 * @returns {Promise<[range: import('millrace/streams').Range, batch: import('./batch.js').Batch]>}
 */
async function byRecord(pool, range, signal) {
  const collected = new Collector((range.end - range.start) / SHORTEST_RECORD)
  const outcomes = pool.map(parseLine, lines(range), { settle: true, taskTimeout: RECORD_MS, signal })
  for await (const outcome of outcomes) collected.add(outcome)
  return [range, collected.take()]
}

/**
 * The simple program: the host reads the lines, and each record is one item of a map.
 * @param {Load & { workers: number }} load
 */
export async function loadStream({ input, warehouse, progress, signal, workers }) {
  const source = createReadStream(input)
  const loaded = [...(await warehouse.loaded()).values()].reduce((sum, count) => sum + count, 0)
  let batchStart = loaded
  let bytesBefore = 0
  const collected = new Collector(BATCH_RECORDS)
  await withPool(workers, signal, async (pool) => {
    const options = /** @type {const} */ ({ settle: true, taskTimeout: RECORD_MS, signal })
    for await (const outcome of pool.map(parseLine, recordsFrom(loaded), options)) {
      collected.add(outcome)
      if (collected.lines === BATCH_RECORDS) await store()
    }
    await store()
  })
  await warehouse.commit()

  /** @param {number} first the first record, from 0 */
  async function* recordsFrom(first) {
    let number = -1
    for await (const line of lines(source)) {
      if (number < 0 && line !== HEADER) throw otherInput(input, line)
      if (number >= first) yield line
      else if (number >= 0 && number === first - 1) progress.skip((bytesBefore = source.bytesRead))
      number += 1
    }
  }

  async function store() {
    const batch = collected.take()
    if (batch.lines === 0) return
    await warehouse.add(batchStart, batch)
    batchStart += batch.lines
    progress.advance(source.bytesRead - bytesBefore, batch)
    bytesBefore = source.bytesRead
  }
}

/**
 * The same work in this thread. It has to know the records that would end the process, and leaves them out.
 * @param {Load} load
 */
export async function loadInOneThread({ input, warehouse, progress, signal }) {
  for (const range of await rangesOf(input)) {
    if (signal.aborted) return
    const batch = parseBatch(await readRange(range), leaveOut)
    await warehouse.add(range.start, batch)
    progress.advance(range.end - range.start, batch)
  }
  await warehouse.commit()
}

/** Puts the outcomes of records together to a batch. */
class Collector {
  lines = 0
  #columns
  /** @type {import('./batch.js').DeadLetter[]} */
  #dead = []
  #capacity

  /** @param {number} capacity the most records */
  constructor(capacity) {
    this.#capacity = capacity
    this.#columns = new Columns(capacity)
  }

  /** @param {import('millrace').ItemOutcome<string, import('./record.js').Flight>} outcome */
  add(outcome) {
    if (outcome.status === 'fulfilled') this.#columns.push(outcome.value)
    else this.#dead.push(deadLetter(this.lines, outcome.item, outcome.reason))
    this.lines += 1
  }

  /** @returns {import('./batch.js').Batch} */
  take() {
    const batch = { lines: this.lines, table: this.#columns.table(), dead: this.#dead }
    this.lines = 0
    this.#columns = new Columns(this.#capacity)
    this.#dead = []
    return batch
  }
}

/**
 * Runs a job with a pool. The signal ends the maps of the job, and the calls that run.
 * @param {number} workers
 * @param {AbortSignal} signal
 * @param {(pool: ProcessPoolExecutor) => Promise<void>} job
 */
async function withPool(workers, signal, job) {
  const pool = new ProcessPoolExecutor({
    maxWorkers: workers,
    // A worker that a poison record has ended is forked again within milliseconds, where there are forks.
    startMethod: getAllStartMethods().includes('forkserver') ? 'forkserver' : 'spawn',
    preload: [new URL('tasks.js', import.meta.url)],
    initializer: prepare,
    hardMemoryLimit: MEMORY,
    name: 'etl',
  })
  try {
    await job(pool)
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    await pool.shutdown()
  }
}

/** @param {string} input */
async function rangesOf(input) {
  const ranges = await byteRanges(input, { bytes: RANGE_BYTES, header: true })
  const [{ header = '' } = {}] = ranges
  if (header !== HEADER) throw otherInput(input, header)
  return ranges
}

/**
 * @param {string} input
 * @param {string} header
 */
const otherInput = (input, header) => new Error(`${input} begins with "${header}" and not with "${HEADER}"`)

/** @param {unknown} error */
const costsTheWorker = (error) => error instanceof WorkerDiedError || error instanceof TaskTimeoutError
