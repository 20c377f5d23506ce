// Measures the cost of workers by start method (spawn, forkserver), with nothing loaded and with the TypeScript
// compiler. Each combination has a process of its own in each round, and the rounds are interleaved.

import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { writePage } from './markdown.mjs'
import { mistake, optionsOf } from './options.mjs'
import { DIRECTORY, spread, times } from './results.mjs'
import { chart } from './svg.mjs'
import { cell, machine, table } from './tables.mjs'

const USAGE = `
Usage: node bench/starts.mjs [OPTION…] [FILE]

Measures the start methods of Millrace on the Node that runs this: the first result of a new pool, beside \`node -e 0\`
in alternation, the times until workers are ready, their memory, and the speed of their code.

  --smoke              a moment, to see that everything works; the figures mean nothing
  --rounds N           rounds, in each of which each combination has a process of its own (5)
  --docs               writes the table in docs/start-methods.md, its chart and its figures in place of printing
  --help               this text

With FILE nothing is measured: the figures are those of FILE, an earlier run in bench/results/.
`

const WORKERS = 10

/** @type {Record<string, import('./cases.mjs').Figure>} */
const figures = {
  result: { title: 'the first result of a new pool', unit: 'ms', better: 'less' },
  ratio: { title: 'the same in starts of Node', unit: '× node -e 0', better: 'less' },
  inlineRatio: { title: 'the same, of a function that comes as text', unit: '× node -e 0', better: 'less' },
  usedRatio: { title: 'processor time of the worker by then', unit: '× node -e 0', better: 'less' },
  first: { title: 'the first worker is ready', unit: 'ms', better: 'less' },
  all: { title: `${WORKERS} workers are ready`, unit: 'ms', better: 'less' },
  more: { title: 'one more worker is ready', unit: 'ms', better: 'less' },
  again: { title: `${WORKERS} more workers are ready`, unit: 'ms', better: 'less' },
  pss: { title: `memory of ${WORKERS} workers`, unit: 'MB', better: 'less' },
  compute: { title: 'arithmetic', unit: 'calls/s', better: 'more' },
  computing: { title: 'arithmetic: processor time', unit: 'ms/call', better: 'less' },
  allocate: { title: 'many objects', unit: 'calls/s', better: 'more' },
  allocating: { title: 'many objects: processor time', unit: 'ms/call', better: 'less' },
  recycling: { title: 'a new worker for each call', unit: 'calls/s', better: 'more' },
}

/** What workers load before their first call, by the name of the file in workers/. */
const loads = { starts: 'nothing loaded', 'starts-heavy': 'TypeScript loaded' }
const methods = /** @type {const} */ (['spawn', 'forkserver'])

/**
 * @typedef {object} StartsResults
 * @property {import('./results.mjs').Results['machine']} machine
 * @property {string} date
 * @property {number} rounds
 * @property {Record<string, Record<string, number[]>>} samples - By load and method, then by figure: one a round.
 */

/** @param {string} load @param {string} method */
const subject = (load, method) => `${load} ${method}`

/**
 * @param {number} rounds
 * @param {boolean} smoke
 * @returns {Promise<StartsResults>}
 */
async function measure(rounds, smoke) {
  const host = fileURLToPath(new URL('starts-host.mjs', import.meta.url))
  const plan = smoke
    ? { workers: 2, more: 1, steps: 1000, objects: 10, milliseconds: 50, results: 1 }
    : { workers: WORKERS, more: 9, steps: 10_000_000, objects: 20_000, milliseconds: 2000, results: 9 }
  /** @type {StartsResults['samples']} */
  const samples = {}
  const load = loadavg()[0] ?? 0
  for (let round = 1; round <= rounds; round++) {
    for (const name of Object.keys(loads)) {
      for (const method of methods) {
        const { stdout } = await promisify(execFile)(process.execPath, [host, method, name, JSON.stringify(plan)])
        const own = (samples[subject(name, method)] ??= {})
        for (const [figure, value] of Object.entries(JSON.parse(stdout))) {
          if (value !== null) (own[figure] ??= []).push(value)
        }
      }
    }
  }
  return {
    machine: {
      cpu: cpus()[0]?.model ?? 'unknown',
      cores: availableParallelism(),
      memory: totalmem(),
      platform: `${process.platform} ${release()} ${process.arch}`,
      node: process.version,
      load,
    },
    date: new Date().toISOString(),
    rounds,
    samples,
  }
}

/**
 * @param {StartsResults} results
 * @param {string} load
 * @param {string} method
 * @param {string} figure
 */
const found = ({ samples }, load, method, figure) => spread(samples[subject(load, method)]?.[figure])

/** The figures that the run has. @param {StartsResults} results */
const measuredFigures = ({ samples }) =>
  Object.entries(figures).filter(([figure]) => Object.values(samples).some((own) => own[figure] !== undefined))

/** @param {StartsResults} results */
function tableOf(results) {
  const heading = [
    '',
    ...Object.values(loads).flatMap((title) => [...methods.map((method) => `${title}: ${method}`), '']),
  ]
  const rows = measuredFigures(results).map(([figure, { title, unit, better }]) => [
    `${title}, ${unit}`,
    ...Object.keys(loads).flatMap((load) => {
      const [spawned, forked] = methods.map((method) => found(results, load, method, figure))
      if (spawned === undefined || forked === undefined) return [cell(spawned), cell(forked), '']
      const [most, least] = better === 'more' ? [forked, spawned] : [spawned, forked]
      return [cell(spawned), cell(forked), times(most.median / least.median)]
    }),
  ])
  return table([heading, ...rows])
}

/** @param {StartsResults} results */
function chartOf(results) {
  const panels = measuredFigures(results).flatMap(([figure, { title, unit, better }]) => {
    const bars = Object.entries(loads).flatMap(([load, loaded]) =>
      methods.flatMap((method) => {
        const value = found(results, load, method, figure)
        if (value === undefined) return []
        const { median, least, most } = value
        return [{ label: `${method}, ${loaded}`, value: median, least, most, isSubject: method === 'forkserver' }]
      }),
    )
    return bars.length === 0 ? [] : [{ title, note: `${unit}, ${better} is better`, isShare: false, bars }]
  })
  return chart('Start methods', panels)
}

/** @param {StartsResults} results */
async function writeDocs(results) {
  const docs = new URL('../docs/', import.meta.url)
  const page = new URL('start-methods.md', docs)
  const conditions = `${machine(results)}. ${results.date.slice(0, 10)}, ${results.rounds} rounds`
  const generated = `${tableOf(results)}\n\n${conditions}: medians, with the least and the most; × is how many times as good \`forkserver\` is.`
  const text = readFileSync(page, 'utf8')
  const pattern = /(<!-- measured: .*? -->\n\n)[\s\S]*?(\n\n<!-- \/measured -->)/
  if (!pattern.test(text)) throw new Error('docs/start-methods.md has no place for the figures')
  await writePage(
    page,
    text.replace(pattern, (_, begin, end) => `${begin}${generated}${end}`),
  )
  writeFileSync(new URL('benchmarks/start-methods.svg', docs), chartOf(results))
  writeFileSync(new URL('benchmarks/start-methods.json', docs), `${JSON.stringify(results, undefined, 2)}\n`)
}

const { values, positionals } = optionsOf(USAGE, {
  options: {
    smoke: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    docs: { type: 'boolean', default: false },
  },
  allowPositionals: true,
})
const [file] = positionals
const rounds = Number(values.rounds ?? (values.smoke ? 1 : 5))
if (!(rounds > 0)) mistake('--rounds takes a positive number', USAGE)
const results =
  file === undefined
    ? await measure(rounds, values.smoke)
    : /** @type {StartsResults} */ (JSON.parse(readFileSync(file, 'utf8')))
if (file === undefined && !values.smoke) {
  mkdirSync(DIRECTORY, { recursive: true })
  const written = new URL(`starts-${results.date.replaceAll(/[:.]/g, '-')}.json`, DIRECTORY)
  writeFileSync(written, `${JSON.stringify(results, undefined, 2)}\n`)
}
if (values.docs) await writeDocs(results)
else console.log(tableOf(results))
// A smoke run also shows that the chart can be made.
if (values.smoke) chartOf(results)
