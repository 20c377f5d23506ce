// The tasks of the workers.

import { defineTasks } from 'millrace'
import { readRange } from 'millrace/streams'
import { parseBatch } from './batch.js'
import { misbehave } from './poison.js'
import { EXAMPLE, parse } from './record.js'

export const { prepare, parseRange, parseLine } = defineTasks(import.meta.url, {
  /** Loads and warms up, before the first call: the time limit of a record is for the record. */
  prepare: () => {
    parse(EXAMPLE, misbehave)
  },

  /**
   * Reads a range of the input and parses its lines.
   * @param {import('millrace/streams').Range} range
   */
  parseRange: async (range) => parseBatch(await readRange(range), misbehave),

  /** @param {string} line */
  parseLine: (line) => parse(line, misbehave),
})
