// Writes a page of docs/ with its charts and figures, from one run. Every number on the page comes from the run; every
// sentence in this file has to be true for any run.

import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'

import { cases } from './cases.mjs'
import { groups, writeCharts } from './charts.mjs'
import { layers } from './layers.mjs'
import { writePage } from './markdown.mjs'
import { comparison, figuresOf, takingPart, times } from './results.mjs'
import { caseTable, conditions, machine, notes } from './tables.mjs'
import { why } from './why.mjs'

const docs = new URL('../docs/', import.meta.url)

/** @typedef {import('./results.mjs').Results} Results */

/** A ratio below this is a loss. Ratios nearer to 1 also appear between two builds of the same source. */
const LOSS = 0.9

/**
 * The cases where others are better by more than the noise, a line each.
 *
 * @param {Results} results
 */
function losses(results) {
  return results.plan.cases.flatMap((id) => {
    const lines = figuresOf(results, id).flatMap(([figure, { title }]) => {
      const better = takingPart(results).flatMap(({ name, title: contender }) => {
        const compared = name === 'inline' ? undefined : comparison(results, name, id, figure)
        if (compared === undefined || compared.isNoise || compared.factor >= LOSS) return []
        return [`${contender} ${compared.factor === 0 ? 'entirely' : times(1 / compared.factor)}`]
      })
      return better.length === 0 ? [] : [`${title}: ${better.join(', ')}`]
    })
    if (lines.length === 0) return []
    return [`- **${cases[id]?.title}.** ${[...lines, why[id] ?? ''].join('. ').replaceAll('..', '.').trim()}`.trim()]
  })
}

/** @param {Results} results @param {string} page @param {typeof groups[number]} group */
function section(results, page, { name, title, cases: ids }) {
  const own = ids.filter((id) => figuresOf(results, id).length > 0)
  // A case of several charts has its table below the first of these charts.
  const first = own.filter((id) => groups.find((group) => group.cases.includes(id))?.name === name)
  return [
    `## ${title}`,
    `![${title}](${page}/${name}.svg)`,
    ...(first.length === 0 ? ['The tables are above.'] : []),
    ...first.flatMap((id) => [`**${cases[id]?.title}.** ${cases[id]?.about}`, caseTable(results, id)]),
  ]
}

/** @param {Results} results */
function below(results) {
  const found = Object.entries(results.layers).filter(([, { output }]) => output.trim() !== '')
  if (found.length === 0) return []
  return [
    '## Below the pool',
    'The cost of each layer by itself.',
    ...found.flatMap(([name, { output }]) => [
      `**${layers[name]?.title ?? name}**`,
      `\`\`\`text\n${output.replaceAll(/[ \t]+$/gm, '').replace(/^\n+|\n+$/g, '')}\n\`\`\``,
    ]),
  ]
}

/**
 * @param {Results} results
 * @param {string[]} drawn - The groups that have a chart.
 * @param {string} name - The name of the page and of the directory of its charts.
 * @param {string[]} others - The names of the pages of other runs.
 */
export function page(results, drawn, name, others) {
  const lost = losses(results)
  return [
    `<!-- Generated from docs/${name}/results.json by bench/report.mjs: see bench/README.md. -->`,
    '# Benchmarks',
    'Millrace beside other ways to run functions in threads and processes: on one machine, in one run, with the same functions and data.',
    `${machine(results)}. ${conditions(results)}.`,
    ...(others.length === 0 ? [] : [`Other runs: ${others.map((other) => `[${other}](${other}.md)`).join(', ')}.`]),
    'Each contender has a process of its own in each round, and the rounds are interleaved. A figure is the median of the rounds; the least and the most are in parentheses, and a line across the bar. × is how many times as good Millrace is: below 1 the other contender is better. Absolute figures move by tens of per cent from run to run: only ratios of one run mean something, and only beyond the noise.',
    '`inline`, `raw postMessage` and `raw fork` are floors: they have no promise for each call, no errors and no cancelling, and they send everything at once. `inline` calls in the same thread and copies nothing; most charts leave it out. [The method](../bench/README.md#method)',
    '## Where Millrace loses',
    lost.length === 0
      ? 'Nowhere in this run, beyond the noise and apart from `inline`.'
      : 'How many times as good other contenders are, where the bands of the rounds do not overlap, apart from `inline`:',
    ...(lost.length === 0 ? [] : [lost.join('\n')]),
    ...groups.filter(({ name }) => drawn.includes(name)).flatMap((group) => section(results, name, group)),
    ...below(results),
    '## What was measured',
    notes(results)
      .map((note) => `- ${note}`)
      .join('\n'),
    `All figures of all rounds: [results.json](${name}/results.json).`,
  ]
    .join('\n\n')
    .concat('\n')
}

/**
 * @param {Results} results
 * @param {string} name - The name of the page and of the directory beside it.
 */
export async function writeDocs(results, name) {
  const { flights: _, node: __, ...plan } = results.plan
  const directory = new URL(`${name}/`, docs)
  mkdirSync(directory, { recursive: true })
  const drawn = writeCharts(results, directory)
  // Without the paths of the machine that measured.
  writeFileSync(new URL('results.json', directory), `${JSON.stringify({ ...results, plan }, undefined, 2)}\n`)
  const others = readdirSync(docs).filter(
    (other) => other.startsWith('benchmarks') && !other.endsWith('.md') && other !== name,
  )
  await writePage(new URL(`${name}.md`, docs), page(results, drawn, name, others.toSorted()))
}
