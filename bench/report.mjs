// Prints or writes the report of a run that was measured before.

import { readFileSync } from 'node:fs'

import { writeDocs } from './docs.mjs'
import { optionsOf } from './options.mjs'
import { newest } from './results.mjs'
import { report } from './tables.mjs'

const USAGE = `
Usage: node bench/report.mjs [OPTION…] [FILE]

Prints the tables of a run: of FILE, or of the newest run in bench/results/.

  --docs               writes docs/benchmarks.md and docs/benchmarks/ in place of printing
  --page NAME          with --docs: another page and directory, such as benchmarks-node24
  --help               this text
`

const { values, positionals } = optionsOf(USAGE, {
  options: { docs: { type: 'boolean', default: false }, page: { type: 'string', default: 'benchmarks' } },
  allowPositionals: true,
})
/** @type {import('./results.mjs').Results} */
const results = JSON.parse(readFileSync(positionals[0] ?? newest(), 'utf8'))
if (values.docs) await writeDocs(results, values.page)
else console.log(report(results))
