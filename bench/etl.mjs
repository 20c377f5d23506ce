// A real job for a benchmark: workers parse flights as CSV, aggregate them by hour and distance, compress and hash
// them, chunk by chunk, and the host adds up the results.

import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'

import { emptySummary, merge, summarize } from '../examples/flights/aggregate.js'

/** Characters of the input. */
const SIZE = 2_000_000

/** Characters of a chunk. */
const CHUNK = 64_000

/** @typedef {[key: number, delays: [delay: number, flights: number][]][]} Groups */
/** @typedef {{ hours: Groups, bands: Groups, compressed: number, hash: string }} Part */

/**
 * Runs in the worker. The result has only plain lists, which every contender can send.
 *
 * @param {string} csv
 * @returns {Part}
 */
export function etl(csv) {
  const flights = csv
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [delay, distance, time] = line.split(',')
      return { delay: Number(delay), distance: Number(distance), time: Number(time) }
    })
  const { hours, bands } = summarize(flights)
  const compressed = gzipSync(csv)
  const hash = createHash('sha256').update(compressed).digest('hex')
  return { hours: toLists(hours), bands: toLists(bands), compressed: compressed.length, hash }
}

/** @param {import('../examples/flights/aggregate.js').Groups} groups */
const toLists = (groups) => [...groups].map(([key, histogram]) => /** @type {Groups[number]} */ ([key, [...histogram]]))

/** @param {Groups} lists */
const toGroups = (lists) => new Map(lists.map(([key, delays]) => [key, new Map(delays)]))

/**
 * Runs in the host: the file as CSV, cut between lines.
 *
 * @param {string} file - Flights as JSON.
 */
export async function readChunks(file) {
  /** @type {import('../examples/flights/data.js').Flight[]} */
  const flights = JSON.parse(await readFile(file, 'utf8'))
  let csv = ''
  for (const { delay, distance, time } of flights) {
    if (csv.length >= SIZE) break
    csv += `${delay},${distance},${time}\n`
  }
  const chunks = []
  for (let from = 0; from < csv.length;) {
    const end = csv.indexOf('\n', from + CHUNK)
    const to = end < 0 ? csv.length : end + 1
    chunks.push(csv.slice(from, to))
    from = to
  }
  return chunks
}

/**
 * Runs in the host: the sum of all parts, whatever their order.
 *
 * @param {Part[]} parts
 */
export function total(parts) {
  const sum = emptySummary()
  for (const part of parts) merge(sum, { hours: toGroups(part.hours), bands: toGroups(part.bands) })
  const hashes = parts.map(({ hash }) => hash).toSorted()
  return { sum, hashes, compressed: parts.reduce((bytes, part) => bytes + part.compressed, 0) }
}
