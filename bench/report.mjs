// node bench/report.mjs [FILE]         prints the tables of a run again, of the newest one if none is named
// node bench/report.mjs --docs [FILE]  writes docs/benchmarks.md and docs/benchmarks/ from it; with --page benchmarks-node24 that page

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
if (values.docs) writeDocs(results, values.page)
else console.log(report(results))
