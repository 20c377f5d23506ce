// Prints or writes the report of a run that was measured before.
//
// node bench/report.mjs [FILE] prints the tables of a run, of the newest one if none is named.
// node bench/report.mjs --docs [FILE] writes docs/benchmarks.md and docs/benchmarks/ from a run; with
// --page benchmarks-node24 that page and directory.

import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

import { writeDocs } from './docs.mjs'
import { newest } from './results.mjs'
import { report } from './tables.mjs'

const { values, positionals } = parseArgs({
  options: { docs: { type: 'boolean', default: false }, page: { type: 'string', default: 'benchmarks' } },
  allowPositionals: true,
})
/** @type {import('./results.mjs').Results} */
const results = JSON.parse(readFileSync(positionals[0] ?? newest(), 'utf8'))
if (values.docs) await writeDocs(results, values.page)
else console.log(report(results))
