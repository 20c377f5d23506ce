// node bench/report.mjs [FILE]         prints the tables of a run again, of the newest one if none is named
// node bench/report.mjs --docs [FILE]  writes docs/benchmarks.md and docs/benchmarks/ from it

import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

import { writeDocs } from './docs.mjs'
import { newest } from './results.mjs'
import { report } from './tables.mjs'

const { values, positionals } = parseArgs({
  options: { docs: { type: 'boolean', default: false } },
  allowPositionals: true,
})
/** @type {import('./results.mjs').Results} */
const results = JSON.parse(readFileSync(positionals[0] ?? newest(), 'utf8'))
if (values.docs) writeDocs(results)
else console.log(report(results))
