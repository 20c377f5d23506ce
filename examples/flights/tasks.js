// The task of the workers. Workers load this module by its URL; the host imports it to submit the function, and to call
// the function itself.

import { defineTasks } from 'millrace'
import { summarize } from './aggregate.js'
import { parse } from './data.js'

export const { summarizeChunk } = defineTasks(import.meta.url, {
  /** @param {Uint8Array} chunk */
  summarizeChunk: (chunk) => summarize(parse(chunk)),
})
