// The tasks of the workers: each worker reads the data once, when it starts.

import { defineTasks } from 'millrace'
import { readDays } from './data.js'
import { score } from './forecast.js'

/** @type {import('./data.js').Day[]} */
let days = []

export const { prepare, evaluate } = defineTasks(import.meta.url, {
  prepare: async () => {
    days = await readDays()
  },

  /** @param {import('./forecast.js').Parameters} parameters */
  evaluate: (parameters) => score(days, parameters),
})
