// A batch: some thousand lines of the input, parsed. The unit that workers hand back and the database takes.

import { Columns } from './columns.js'
import { reasonOf } from './poison.js'
import { parse } from './record.js'

/**
 * A record that could not be loaded.
 * @typedef {object} DeadLetter
 * @property {number} line in the batch, from 0
 * @property {import('./poison.js').Reason} reason
 * @property {string} error the message
 * @property {string} text the record
 */

/**
 * @typedef {object} Batch
 * @property {number} lines
 * @property {import('./columns.js').Table} table
 * @property {DeadLetter[]} dead
 */

/**
 * Parses whole lines. A record that throws costs itself only.
 * @param {Buffer} bytes
 * @param {import('./poison.js').Misbehave} misbehave
 * @returns {Batch}
 */
export function parseBatch(bytes, misbehave) {
  const text = bytes.toString()
  const lines = text.split(text.includes('\r') ? /\r?\n/ : '\n')
  if (lines.at(-1) === '') lines.pop()
  const columns = new Columns(lines.length)
  /** @type {DeadLetter[]} */
  const dead = []
  for (let line = 0; line < lines.length; line++) {
    try {
      columns.push(parse(lines[line], misbehave))
    } catch (error) {
      dead.push(deadLetter(line, lines[line], error))
    }
  }
  return { lines: lines.length, table: columns.table(), dead }
}

/**
 * @param {number} line in the batch
 * @param {string} text
 * @param {unknown} error what the record has thrown, here or in a worker
 * @returns {DeadLetter}
 */
export function deadLetter(line, text, error) {
  const thrown = /** @type {Error} */ (error)
  return { line, reason: reasonOf(thrown), error: `${thrown.name}: ${thrown.message}`, text }
}
