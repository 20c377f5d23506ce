// The command line.

import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { MOST_RECORDS } from './data.js'
import { ROWS_OF_TRANSACTION } from './warehouse.js'

const OUTPUT = fileURLToPath(new URL('./output/', import.meta.url))

export const HELP = `Loads three million flights into a database, in worker processes.

npm run demo -- [OPTION...]

  --workers N     worker processes (default: as many as there are processors, 8 at most)
  --records N     build and load a smaller file, of N records
  --input FILE    load this file, which must look like the one that is built otherwise
  --stream        the simple program: the host reads lines, and a worker gets each record
  --transaction N about so many rows come into the database together (default: ${ROWS_OF_TRANSACTION})
  --resume        go on where an earlier run has stopped
  --output DIR    where the database, the dead letters and the chart go (default: ${OUTPUT})
  --help          this text

Ctrl-C stops the run at any moment. Everything that is in the database then is there once and whole.`

/**
 * @typedef {object} Options
 * @property {number} workers
 * @property {number} records
 * @property {string | undefined} input
 * @property {boolean} stream
 * @property {number} transaction
 * @property {boolean} resume
 * @property {string} output
 */

/**
 * @param {string[]} args
 * @returns {Options | undefined} undefined when help is wanted
 * @throws {Error} whose message is for the user
 */
export function readOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      workers: { type: 'string' },
      records: { type: 'string' },
      input: { type: 'string' },
      stream: { type: 'boolean', default: false },
      transaction: { type: 'string' },
      resume: { type: 'boolean', default: false },
      output: { type: 'string', default: OUTPUT },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined
  if (values.input !== undefined && values.records !== undefined) {
    throw new Error('--records is for the file that is built, and --input names another one')
  }
  const { input, stream, resume, output } = values
  const workers = whole('--workers', values.workers, 1, 1000) ?? Math.min(availableParallelism(), 8)
  const records = whole('--records', values.records, LEAST_RECORDS, MOST_RECORDS) ?? MOST_RECORDS
  const transaction = whole('--transaction', values.transaction, 1, MOST_RECORDS) ?? ROWS_OF_TRANSACTION
  return { workers, records, input, stream, transaction, resume, output }
}

/** Fewer records would leave no room for the spoilt ones among them. */
const LEAST_RECORDS = 100

/**
 * @param {string} name
 * @param {string | undefined} text
 * @param {number} least
 * @param {number} most
 */
function whole(name, text, least, most) {
  if (text === undefined) return undefined
  const number = Number(text)
  if (Number.isInteger(number) && number >= least && number <= most) return number
  throw new Error(`${name} must be a whole number from ${least} to ${most}, and is "${text}"`)
}
