// Reads the file of flights, cuts it into chunks, and parses a chunk.
//
// A worker receives the text of some thousand records and parses it, because parsing is the expensive part of the job:
// records that the host parsed would cost more to send than to aggregate.

import { readFile } from 'node:fs/promises'

/**
 * One record of the file.
 * @typedef {object} Flight
 * @property {number} delay minutes, negative when early; whole
 * @property {number} distance miles
 * @property {number} time hour of the day, with its fraction
 */

const FILE = new URL('../data/flights-200k.json', import.meta.resolve('vega-datasets'))
const BETWEEN_RECORDS = '},{'

/** @returns {Promise<Buffer>} 200,000 flights of the U.S. Bureau of Transportation Statistics: `[{…},{…},…]` */
export const readFlights = () => readFile(FILE)

/**
 * Cuts `[{…},{…},…]` between records, into chunks of about `size` bytes: `{…},…,{…}`. Records hold numbers only, so every
 * `},{` is the end of a record.
 * @param {Buffer} file
 * @param {number} size
 * @returns {Uint8Array[]}
 */
export function cut(file, size) {
  const end = file.lastIndexOf(']')
  const chunks = []
  let from = file.indexOf('[') + 1
  while (from < end) {
    const next = file.indexOf(BETWEEN_RECORDS, from + size)
    const to = next < 0 ? end : next + 1
    chunks.push(file.subarray(from, to))
    from = to + 1
  }
  return chunks
}

/**
 * @param {Uint8Array} chunk
 * @returns {Flight[]}
 */
export const parse = (chunk) => JSON.parse(`[${new TextDecoder().decode(chunk)}]`)
