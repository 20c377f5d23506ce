// The module of poolifier's workers.

import { ThreadWorker } from 'poolifier'

import { functions } from '../functions.mjs'

export default new ThreadWorker(
  Object.fromEntries(
    Object.entries(functions).map(([name, called]) => [name, (/** @type {any} */ args) => called(...args)]),
  ),
)
