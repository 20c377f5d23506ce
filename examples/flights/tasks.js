// What runs in the workers. They load this module by its URL, the host imports it to name the function and to call it
// itself.

import { defineTasks } from 'millrace'
import { summarize } from './aggregate.js'
import { parse } from './data.js'

export const { summarizeChunk } = defineTasks(import.meta.url, {
  /** @param {Uint8Array} chunk */
  summarizeChunk: (chunk) => summarize(parse(chunk)),
})
