// What workers run that are measured by how they are started.

import { record } from '../functions.mjs'

/** Does not answer: a worker that runs this is there, and does nothing. */
export const stay = () => new Promise(() => {})

export const pid = () => process.pid

/**
 * Arithmetic on numbers that are known to be small: nothing is allocated.
 *
 * @param {number} steps
 */
export const compute = (steps) => {
  let sum = 0
  for (let step = 0; step < steps; step++) sum = (sum * 31 + step) % 1_000_003
  return sum
}

/**
 * Makes many objects, some of which live for a while: V8 has to collect.
 *
 * @param {number} count
 */
export const allocate = (count) => {
  const kept = []
  let length = 0
  for (let index = 0; index < count; index++) {
    const text = JSON.stringify({ ...record, id: index })
    length += text.length
    kept[index % 20_000] = JSON.parse(text)
  }
  return length
}
