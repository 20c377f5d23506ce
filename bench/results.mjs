// The results of a run, and how figures are read from them.

import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { cases } from './cases.mjs'
import { contenders } from './contenders/index.mjs'

/**
 * @typedef {object} Results
 * @property {{ cpu: string, cores: number, memory: number, platform: string, node: string, load: number }} machine
 * @property {string} date
 * @property {number} rounds
 * @property {import('./measure.mjs').Plan & { cases: string[] }} plan
 * @property {Record<string, Outcome>} contenders
 * @property {Record<string, import('./layers.mjs').LayerOutcome>} layers
 */

/**
 * @typedef {object} Outcome
 * @property {string} [version]
 * @property {string} [skipped] - Why the contender was skipped.
 * @property {Record<string, string>} failed - The reasons, by case.
 * @property {Record<string, Record<string, number[]>>} samples - By case and figure; one for each round.
 */

/** @typedef {{ median: number, least: number, most: number, rounds: number }} Summary */

/** The contender that all others are compared with. */
export const SUBJECT = 'millrace'

/** The directory of the results of runs. */
export const DIRECTORY = new URL('results/', import.meta.url)

/**
 * @param {Results} results
 * @param {string} contender
 * @param {string} id - The case.
 * @param {string} figure
 * @returns {Summary | undefined}
 */
export function summary(results, contender, id, figure) {
  return spread(results.contenders[contender]?.samples[id]?.[figure])
}

/**
 * @param {number[] | undefined} samples - One for each round.
 * @returns {Summary | undefined}
 */
export function spread(samples) {
  if (samples === undefined || samples.length === 0) return undefined
  const sorted = samples.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return {
    median: sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2,
    least: sorted[0] ?? Number.NaN,
    most: sorted.at(-1) ?? Number.NaN,
    rounds: sorted.length,
  }
}

/**
 * How many times as good the subject is as another contender.
 *
 * @param {Results} results
 * @param {string} contender
 * @param {string} id
 * @param {string} figure
 * @returns {{ factor: number, isNoise: boolean } | undefined} `isNoise`: the bands of the two overlap.
 */
export function comparison(results, contender, id, figure) {
  const ours = summary(results, SUBJECT, id, figure)
  const theirs = summary(results, contender, id, figure)
  if (ours === undefined || theirs === undefined || contender === SUBJECT) return undefined
  const isMore = cases[id]?.figures[figure]?.better === 'more'
  return {
    factor: isMore ? ours.median / theirs.median : theirs.median / ours.median,
    isNoise: ours.least <= theirs.most && theirs.least <= ours.most,
  }
}

/**
 * The contenders that took part, in the order of the report.
 *
 * @param {Results} results
 */
export function takingPart(results) {
  return Object.entries(contenders)
    .filter(([name]) => results.contenders[name] !== undefined && results.contenders[name].skipped === undefined)
    .map(([name, known]) => ({ name, ...known }))
}

/**
 * The figures of a case that any contender has.
 *
 * @param {Results} results
 * @param {string} id
 */
export function figuresOf(results, id) {
  return Object.entries(cases[id]?.figures ?? {}).filter(([figure]) =>
    Object.values(results.contenders).some(({ samples }) => samples[id]?.[figure] !== undefined),
  )
}

/** The run that was written last. */
export function newest() {
  const name = (existsSync(DIRECTORY) ? readdirSync(DIRECTORY) : [])
    .filter((file) => /^\d.*\.json$/.test(file))
    .toSorted()
    .at(-1)
  if (name === undefined) throw new Error('There are no results yet: npm run bench')
  return fileURLToPath(new URL(name, DIRECTORY))
}

/** @param {number} value */
export function short(value) {
  if (value >= 999_500_000) return `${(value / 1e9).toPrecision(3)} G`
  if (value >= 999_500) return `${(value / 1e6).toPrecision(3)} M`
  if (value >= 9995) return `${(value / 1000).toPrecision(3)} k`
  if (value >= 99.95) return value.toFixed(0)
  // So little is nothing, in every unit of the cases.
  return Math.abs(value) < 0.005 ? '0' : value.toPrecision(value < 1 ? 2 : 3)
}

/** @param {number} factor */
export const times = (factor) => `×${factor >= 10 ? factor.toFixed(0) : factor.toPrecision(2)}`
