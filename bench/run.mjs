// node bench/run.mjs [--smoke] [--rounds N] [--seconds N] [--workers N] [--only CONTENDER,…] [--cases CASE,…]
//
// Each contender has a process of its own in each round, and the rounds are interleaved: whatever else the machine does
// meanwhile hits all alike. The figures of all rounds go to results/, the report says their median, least and most.

import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { cpus, loadavg, release } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'

import { cases } from './cases.mjs'
import { contenders, load } from './contenders/index.mjs'
import { report } from './report.mjs'

const { values } = parseArgs({
  options: {
    smoke: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    workers: { type: 'string', default: '2' },
    only: { type: 'string' },
    cases: { type: 'string' },
  },
})
const { smoke } = values
const rounds = Number(values.rounds ?? (smoke ? 1 : 5))
const milliseconds = 1000 * Number(values.seconds ?? (smoke ? 0.05 : 1))
const plan = {
  workers: Number(values.workers),
  warmup: smoke ? 20 : 500,
  milliseconds,
  items: smoke ? 10_000 : 1_000_000,
  cases: values.cases?.split(',') ?? Object.keys(cases),
}
const unknown = plan.cases.filter((id) => !(id in cases))
if (unknown.length > 0) throw new Error(`There is no case '${unknown[0]}', only ${Object.keys(cases).join(', ')}`)

const host = fileURLToPath(new URL('host.mjs', import.meta.url))

/** @type {import('./report.mjs').Results} */
const results = {
  machine: {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    platform: `${process.platform} ${release()} ${process.arch}`,
    node: process.version,
    load: loadavg()[0] ?? 0,
  },
  date: new Date().toISOString(),
  rounds,
  plan,
  contenders: {},
}

/** @type {string[]} */
const taking = []
for (const name of values.only?.split(',') ?? contenders) {
  const { title, version } = await load(name)
  try {
    results.contenders[name] = { title, version: await version(), samples: {} }
    taking.push(name)
  } catch (error) {
    results.contenders[name] = { title, skipped: String(error instanceof Error ? error.message : error), samples: {} }
  }
}

for (let round = 1; round <= rounds; round++) {
  for (const name of taking) {
    process.stderr.write(`\rround ${round} of ${rounds}: ${name.padEnd(20)}`)
    const { command } = await load(name)
    const [program, args] = command?.(plan, plan.cases) ?? [process.execPath, [host, name, JSON.stringify(plan)]]
    const { stdout } = await promisify(execFile)(program, args, { maxBuffer: 1 << 24 })
    /** @type {Record<string, Record<string, number>>} */
    const figures = JSON.parse(stdout)
    const samples = results.contenders[name]?.samples ?? {}
    for (const [id, found] of Object.entries(figures)) {
      for (const [figure, value] of Object.entries(found)) ((samples[id] ??= {})[figure] ??= []).push(value)
    }
  }
}
process.stderr.write('\r'.padEnd(50) + '\r')

const directory = new URL('results/', import.meta.url)
await mkdir(directory, { recursive: true })
const file = new URL(`${smoke ? 'smoke' : results.date.replaceAll(/[:.]/g, '-')}.json`, directory)
await writeFile(file, `${JSON.stringify(results, undefined, 2)}\n`)
console.log(report(results))
console.log(`\nAll figures: ${fileURLToPath(file)}`)
