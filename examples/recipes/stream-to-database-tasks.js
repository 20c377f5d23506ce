// The task of the load: a line of the input becomes a row, or an error that says what is wrong with the line.

import { defineTasks } from 'millrace'

/**
 * @typedef {object} Row
 * @property {string} id
 * @property {number} time in milliseconds since 1970: a Date is encoded several times slower than plain data
 * @property {number} amount
 */

export const { parse } = defineTasks(import.meta.url, {
  /**
   * @param {string} line
   * @returns {Row}
   */
  parse(line) {
    const { id, time, amount } = JSON.parse(line)
    if (typeof id !== 'string' || id === '') throw new TypeError('the record has no id')
    if (typeof amount !== 'number') throw new TypeError('amount is no number')
    const parsed = Date.parse(time)
    if (Number.isNaN(parsed)) throw new RangeError('time is no time')
    return { id, time: parsed, amount }
  },
})
