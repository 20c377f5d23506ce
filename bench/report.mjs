// The table of a run: node bench/report.mjs [FILE], the newest one if none is named.

import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'

import { cases } from './cases.mjs'

/**
 * @typedef {object} Results
 * @property {{ cpu: string, cores: number, platform: string, node: string, load: number }} machine
 * @property {string} date
 * @property {number} rounds
 * @property {import('./measure.mjs').Plan & { cases: string[] }} plan
 * @property {Record<string, { title: string, version?: string, skipped?: string,
 *   samples: Record<string, Record<string, number[]>> }>} contenders
 */

/** Ratios are to this contender. */
const SUBJECT = 'millrace'

/** @param {number[]} sorted */
function median(sorted) {
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2
}

/** @param {number} value */
function short(value) {
  if (value >= 999_500) return `${(value / 1e6).toPrecision(3)} M`
  if (value >= 9995) return `${(value / 1000).toPrecision(3)} k`
  return value >= 99.95 ? value.toFixed(0) : value.toPrecision(value < 1 ? 2 : 3)
}

/** @param {number[] | undefined} samples */
function cell(samples) {
  if (samples === undefined) return '–'
  const sorted = samples.toSorted((a, b) => a - b)
  const [least, most] = [sorted[0] ?? Number.NaN, sorted.at(-1) ?? Number.NaN]
  return sorted.length === 1 ? short(least) : `${short(median(sorted))} (${short(least)}–${short(most)})`
}

/**
 * How many times as good the subject is.
 *
 * @param {number[] | undefined} subject
 * @param {number[] | undefined} other
 * @param {'more' | 'less'} better
 */
function ratio(subject, other, better) {
  if (subject === undefined || other === undefined) return ''
  const [ours, theirs] = [median(subject.toSorted((a, b) => a - b)), median(other.toSorted((a, b) => a - b))]
  const factor = better === 'more' ? ours / theirs : theirs / ours
  if (factor < 0.01) return ''
  return `, ×${factor >= 10 ? factor.toFixed(0) : factor.toPrecision(2)}`
}

/**
 * As a table in Markdown: medians, with the least and the most of all rounds, and how many times as good Millrace is.
 *
 * @param {Results} results
 */
export function report(results) {
  const { machine, plan, rounds, date } = results
  const all = Object.entries(results.contenders)
  const taking = all.filter(([, { skipped }]) => skipped === undefined)
  const rows = [['', ...taking.map(([, { title }]) => title)]]
  for (const id of plan.cases) {
    const known = cases[id]
    if (known === undefined) continue
    for (const [figure, { unit, better }] of Object.entries(known.figures)) {
      const several = Object.keys(known.figures).length > 1
      const subject = results.contenders[SUBJECT]?.samples[id]?.[figure]
      const row = taking.map(([name, { samples }]) => {
        const found = samples[id]?.[figure]
        return cell(found) + (name === SUBJECT ? '' : ratio(subject, found, better))
      })
      rows.push([`${known.title}${several ? `, ${figure}` : ''}, ${unit}`, ...row])
    }
  }
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
  /** @param {string[]} row */
  const line = (row) => `| ${row.map((text, column) => text.padEnd(widths[column] ?? 0)).join(' | ')} |`
  const [heading = [], ...body] = rows
  return [
    `${machine.cpu}, ${machine.cores} cores, ${machine.platform}, Node ${machine.node}; ${date.slice(0, 10)}, ` +
      `load ${machine.load.toFixed(1)} before the run`,
    `${plan.workers} workers, ${rounds} rounds of ${plan.milliseconds / 1000} s for each figure: median (least–most), ` +
      'and ×: how many times as good Millrace is',
    '',
    line(heading),
    line(widths.map((width) => '-'.repeat(width))),
    ...body.map(line),
    '',
    ...all.map(([, { title, version, skipped }]) => `${title}: ${version ?? `skipped, ${skipped}`}`),
  ].join('\n')
}

function newest() {
  const directory = new URL('results/', import.meta.url)
  const name = readdirSync(directory)
    .filter((file) => /^\d.*\.json$/.test(file))
    .toSorted()
    .at(-1)
  if (name === undefined) throw new Error('There are no results yet: node bench/run.mjs')
  return fileURLToPath(new URL(name, directory))
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  console.log(report(JSON.parse(readFileSync(process.argv[2] ?? newest(), 'utf8'))))
}
