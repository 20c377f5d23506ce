// The task of the batch: it reads one file, so that a path travels to the worker and not the file's content.

import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { defineTasks } from 'millrace'

export const { summarize } = defineTasks(import.meta.url, {
  /**
   * Counts the records of a file, which is an array in JSON.
   *
   * @param {string} path
   */
  async summarize(path) {
    const bytes = await readFile(path)
    const records = JSON.parse(bytes.toString())
    if (!Array.isArray(records)) throw new TypeError('the file is no array of records')
    return {
      path,
      records: records.length,
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex').slice(0, 12),
    }
  },
})
