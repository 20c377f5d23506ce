// The figures of a run as tables in Markdown: one for each case, with a row for each contender.

import { cases } from './cases.mjs'
import { comparison, figuresOf, short, SUBJECT, summary, takingPart, times } from './results.mjs'

/** @typedef {import('./results.mjs').Results} Results */

/** @param {string[][]} rows - The first is the heading. */
export function table([heading = [], ...body]) {
  const widths = heading.map((_, column) => Math.max(3, ...[heading, ...body].map((row) => row[column]?.length ?? 0)))
  /** @param {string[]} row */
  const line = (row) => `| ${widths.map((width, column) => (row[column] ?? '').padEnd(width)).join(' | ')} |`
  return [line(heading), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n')
}

/** @param {import('./results.mjs').Summary | undefined} found */
export function cell(found) {
  if (found === undefined) return '–'
  const { median, least, most, rounds } = found
  return rounds === 1 ? short(median) : `${short(median)} (${short(least)}–${short(most)})`
}

/**
 * The table of a case: medians, the least and the most of all rounds, and how many times as good Millrace is.
 *
 * @param {Results} results
 * @param {string} id - The case.
 */
export function caseTable(results, id) {
  const figures = figuresOf(results, id)
  const rows = takingPart(results).flatMap(({ name, title }) => {
    const failed = results.contenders[name]?.failed[id]
    const found = figures.map(([figure]) => {
      const compared = comparison(results, name, id, figure)
      const ratio =
        compared === undefined || compared.factor < 0.01 || compared.factor === Infinity
          ? ''
          : `, ${times(compared.factor)}`
      return cell(summary(results, name, id, figure)) + ratio
    })
    if (failed === undefined && found.every((text) => text === '–')) return []
    const marked = name === SUBJECT ? `**${title}**` : title
    return [[failed === undefined ? marked : `${marked} (failed)`, ...found]]
  })
  return table([['', ...figures.map(([, { title, unit }]) => `${title}, ${unit}`)], ...rows])
}

/** @param {Pick<Results, 'machine'>} results */
export function machine({ machine: { cpu, cores, memory, platform, node, load } }) {
  const about = `${cpu}, ${cores} cores, ${(memory / 2 ** 30).toFixed(0)} GiB, ${platform}, Node ${node}`
  return `${about}; load ${load.toFixed(1)} before the run`
}

/** @param {number} n @param {string} what */
const count = (n, what) => `${n} ${what}${n === 1 ? '' : 's'}`

/** @param {Results} results */
export function conditions({ plan, rounds, date }) {
  return `${date.slice(0, 10)}: ${count(plan.workers, 'worker')}, ${count(rounds, 'round')} of ${plan.milliseconds / 1000} s for each figure`
}

/**
 * The versions of all contenders, and what was skipped or failed; a line each.
 *
 * @param {Results} results
 */
export function notes(results) {
  const all = Object.entries(results.contenders)
  return [
    ...all.map(([name, { version, skipped }]) => `${name}: ${version ?? `skipped, ${skipped}`}`),
    ...all.flatMap(([name, { failed }]) => Object.entries(failed).map(([id, why]) => `FAILED: ${name}, ${id}: ${why}`)),
    ...Object.entries(results.layers).flatMap(([name, { failed, skipped }]) => [
      ...(failed === undefined ? [] : [`FAILED: the layer ${name}: ${failed}`]),
      ...(skipped === undefined ? [] : [`The layer ${name}: skipped, ${skipped}`]),
    ]),
  ]
}

/**
 * The report of a run, for a terminal.
 *
 * @param {Results} results
 */
export function report(results) {
  const found = results.plan.cases.filter((id) => figuresOf(results, id).length > 0)
  return [
    machine(results),
    `${conditions(results)}: median (least–most), and how many times as good Millrace is`,
    ...found.map((id) => `\n${cases[id]?.title}\n${caseTable(results, id)}`),
    '',
    ...notes(results),
  ].join('\n')
}
