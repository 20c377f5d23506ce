// Writes generated pages of the documents, formatted as the pages that people write.

import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { format, resolveConfig } from 'prettier'

/**
 * @param {URL} page
 * @param {string} text
 */
export async function writePage(page, text) {
  const options = await resolveConfig(fileURLToPath(page))
  writeFileSync(page, await format(text, { ...options, parser: 'markdown' }))
}
