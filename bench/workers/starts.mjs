// The tasks by which start methods are measured.

import { record } from '../functions.mjs'

/** Never returns: a worker that runs this is ready and does nothing. */
export const stay = () => new Promise(() => {})

export const pid = () => process.pid

/** The processor time that this process has used so far, in milliseconds. */
export const used = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/**
 * Arithmetic on small integers, which allocates nothing.
 *
 * @param {number} steps
 */
export const compute = (steps) => {
  let sum = 0
  for (let step = 0; step < steps; step++) sum = (sum * 31 + step) % 1_000_003
  return sum
}

/**
 * Makes many objects. Some live for a while, so that V8 has to collect garbage.
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
