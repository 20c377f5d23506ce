// The tasks: functions that workers run. Workers import this file, so it starts nothing by itself.

import { createHash } from 'node:crypto'
import { defineTasks } from 'millrace'

/**
 * A digest that takes a while.
 *
 * @param {string} text
 * @param {number} rounds
 */
function digest(text, rounds) {
  let value = text
  for (let round = 0; round < rounds; round++) value = createHash('sha256').update(value).digest('hex')
  return value
}

export const tasks = defineTasks(import.meta.url, { digest })
