// Runs the benchmarks, and writes figures and charts to results/. README.md describes the method.

import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'

import { cases } from './cases.mjs'
import { writeCharts } from './charts.mjs'
import { contenders, isRival, load, NotHere } from './contenders/index.mjs'
import { versionOf } from './contenders/installed.mjs'
import { compete } from './contest.mjs'
import { page } from './docs.mjs'
import { layers, runLayer } from './layers.mjs'
import { mistake, optionsOf, wrap } from './options.mjs'
import { DIRECTORY } from './results.mjs'
import { notes, report } from './tables.mjs'

const USAGE = `
Usage: node bench/run.mjs [OPTION…]

Measures all contenders beside each other, prints tables, and writes figures and charts to bench/results/.

  --smoke              a minute, to see that everything works; the figures mean nothing
  --rounds N           rounds, in each of which each contender has a process of its own (5)
  --seconds N          for each figure, after half a second of warm-up (1)
  --workers N          workers of each contender (2)
  --only NAME,…        contenders (all)
  --cases NAME,…       cases (all)
  --layers NAME,…      layers below whole pools (all); --layers '' leaves all out
  --help               this text

Contenders:${wrap(Object.keys(contenders))}

Cases:${wrap(Object.keys(cases))}

Layers:${wrap(Object.keys(layers))}
`

const { values } = optionsOf(USAGE, {
  options: {
    smoke: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    workers: { type: 'string' },
    only: { type: 'string' },
    cases: { type: 'string' },
    layers: { type: 'string' },
  },
})

/**
 * @param {string | undefined} asked
 * @param {Record<string, unknown>} known
 */
function choose(asked, known) {
  const chosen = asked?.split(',').filter(Boolean) ?? Object.keys(known)
  const unknown = chosen.find((name) => !(name in known))
  if (unknown !== undefined) mistake(`There is no '${unknown}'`, USAGE)
  return chosen
}

/**
 * @param {'rounds' | 'seconds' | 'workers'} name
 * @param {number} otherwise
 */
function positive(name, otherwise) {
  const value = Number(values[name] ?? otherwise)
  if (!(value > 0)) mistake(`--${name} takes a positive number`, USAGE)
  return value
}

const { smoke } = values
const rounds = positive('rounds', smoke ? 1 : 5)
const flights = fileURLToPath(new URL('../node_modules/vega-datasets/data/flights-200k.json', import.meta.url))
const plan = {
  workers: positive('workers', 2),
  cores: availableParallelism(),
  warmup: smoke ? 10 : 500,
  milliseconds: 1000 * positive('seconds', smoke ? 0.03 : 1),
  items: smoke ? 10_000 : 1_000_000,
  huge: smoke ? 4 << 20 : 64 << 20,
  scale: smoke ? [1, 2] : [1, 2, 8, 64],
  pending: smoke ? 200 : 2000,
  starts: smoke ? 1 : 5,
  pools: smoke ? 1 : 3,
  share: smoke ? 0.02 : 1,
  flights: existsSync(flights) ? flights : undefined,
  node: process.execPath,
  cases: choose(values.cases, cases),
}

/** @type {import('./results.mjs').Results} */
const results = {
  machine: {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: plan.cores,
    memory: totalmem(),
    platform: `${process.platform} ${release()} ${process.arch}`,
    node: process.version,
    load: loadavg()[0] ?? 0,
  },
  date: new Date().toISOString(),
  rounds,
  plan,
  contenders: {},
  layers: {},
}

/** @type {Map<string, import('./contenders/index.mjs').Contender>} */
const taking = new Map()
for (const name of choose(values.only, contenders)) {
  try {
    const rival = contenders[name]?.package
    const contender = rival === undefined ? await load(name) : {}
    const version = rival === undefined ? contender.version?.() : versionOf(rival)
    results.contenders[name] = { version, failed: {}, samples: {} }
    taking.set(name, contender)
  } catch (error) {
    if (!(error instanceof NotHere)) throw error
    results.contenders[name] = { skipped: error.message, failed: {}, samples: {} }
  }
}

let passed = 0

/**
 * @param {string} name
 * @param {import('./contenders/index.mjs').Contender} contender
 */
async function takeTurn(name, contender) {
  const { failed, samples } = results.contenders[name] ?? { failed: {}, samples: {} }
  // A case that failed in an earlier round would cost the same time again.
  const left = plan.cases.filter((id) => failed[id] === undefined)
  for (const line of await compete(name, contender, plan, left, smoke ? 60_000 : 180_000)) {
    if (line.failed !== undefined) failed[line.case] = line.failed
    else passed++
    for (const [figure, value] of Object.entries(line.figures ?? {})) {
      ;((samples[line.case] ??= {})[figure] ??= []).push(value)
    }
  }
}

for (let round = 1; round <= rounds; round++) {
  if (!process.stderr.isTTY) console.error(`round ${round} of ${rounds}`)
  const queue = [...taking]
  const turns = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      if (process.stderr.isTTY) process.stderr.write(`\rround ${round} of ${rounds}: ${next[0].padEnd(24)}`)
      await takeTurn(...next)
    }
  }
  // Two contenders at a time disturb each other. In a smoke run that does not matter: its figures mean nothing.
  await Promise.all(Array.from({ length: smoke ? 2 : 1 }, turns))
}
if (process.stderr.isTTY) process.stderr.write('\r'.padEnd(50) + '\r')

for (const name of choose(values.layers, layers)) {
  const layer = layers[name]
  if (layer === undefined) continue
  console.log(`\n${layer.title}\n`)
  const outcome = await runLayer(layer, smoke)
  results.layers[name] = outcome
  if (outcome.failed === undefined && outcome.skipped === undefined) passed++
}

await mkdir(DIRECTORY, { recursive: true })
const stem = smoke ? 'smoke' : results.date.replaceAll(/[:.]/g, '-')
const file = new URL(`${stem}.json`, DIRECTORY)
await writeFile(file, `${JSON.stringify(results, undefined, 2)}\n`)
const directory = new URL(`${stem}/`, DIRECTORY)
const charts = writeCharts(results, directory)
const tables = report(results)
if (smoke) {
  // A smoke run also shows that the page can be made.
  page(results, charts, 'benchmarks', [])
  console.log(`\n${notes(results).join('\n')}\n`)
} else {
  console.log(`\n${tables}\n`)
  console.log(`All figures: ${fileURLToPath(file)}\nCharts: ${fileURLToPath(directory)} (${charts.join(', ')})\n`)
}

const failures = Object.entries(results.contenders).flatMap(([name, { failed }]) =>
  Object.keys(failed).map((id) => ({ name, id })),
)
const rivals = failures.filter(({ name }) => isRival(name))
const layersFailed = Object.values(results.layers).filter(({ failed }) => failed !== undefined).length
const failed = failures.length - rivals.length + layersFailed
for (const { name, id } of rivals) console.log(`  ${name} failed in '${id}': a rival's failure, which fails no run`)
/** @param {number} count */
const tests = (count) => `  ${count} ${count === 1 ? 'test' : 'tests'}`
console.log(`${tests(passed)} passed`)
if (failed > 0) {
  console.log(`${tests(failed)} failed`)
  process.exitCode = 1
}
