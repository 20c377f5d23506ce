// The charts: which figures each one shows.

import { mkdirSync, writeFileSync } from 'node:fs'

import { cases } from './cases.mjs'
import { SUBJECT, summary, takingPart } from './results.mjs'
import { chart } from './svg.mjs'

/** @typedef {import('./results.mjs').Results} Results */

/**
 * `figures`: those that the chart shows; the tables have all. `hasInline`: the chart shows `inline`, which in other charts
 * would make all other bars too short to compare.
 *
 * @type {{ name: string, title: string, cases: string[], figures?: string[], hasInline?: boolean }[]}
 */
export const groups = [
  { name: 'calls', title: 'Small calls', cases: ['add', 'record', 'text'], figures: ['rate'] },
  { name: 'latency', title: 'One call at a time', cases: ['hot'] },
  {
    name: 'await',
    title: 'Loops of await',
    cases: ['addAwait', 'recordAwait', 'textAwait', 'blockAwait', 'largeAwait'],
    figures: ['rate'],
  },
  {
    name: 'bytes',
    title: 'Bytes',
    cases: ['block', 'block16', 'block8', 'large256', 'large', 'large8', 'huge'],
    figures: ['rate'],
  },
  {
    name: 'first',
    title: 'The first calls of a new pool',
    cases: ['addFirst', 'recordFirst', 'textFirst', 'blockFirst', 'largeFirst'],
    figures: ['rate'],
  },
  {
    name: 'processor',
    title: 'What a call costs',
    cases: ['add', 'record', 'text', 'block'],
    figures: ['host', 'all'],
  },
  {
    name: 'tasks',
    title: 'Workers at work',
    cases: ['task10us', 'task1ms', 'task10ms'],
    figures: ['efficiency'],
    hasInline: true,
  },
  { name: 'map', title: 'Many items', cases: ['map', 'mapArray', 'mapByHand'], figures: ['rate'] },
  { name: 'job', title: 'A real job', cases: ['etl'], figures: ['time'], hasInline: true },
  { name: 'cold', title: 'The start of a pool', cases: ['cold'], figures: ['first', 'ratio'] },
  { name: 'memory', title: 'Memory', cases: ['memory'] },
  { name: 'scale', title: 'More workers', cases: ['scale'], figures: ['w1', 'w4', 'w8', 'w16', 'w64'] },
  { name: 'blocked', title: 'A host that is busy', cases: ['blocked'], figures: ['kept'] },
]

/**
 * @param {Results} results
 * @param {typeof groups[number]} group
 */
function panels(results, { cases: ids, figures, hasInline = false }) {
  return ids.flatMap((id) =>
    Object.entries(cases[id]?.figures ?? {})
      .filter(([figure]) => figures?.includes(figure) ?? true)
      .map(([figure, { title, unit, better }]) => {
        const bars = takingPart(results)
          .filter(({ name }) => hasInline || name !== 'inline')
          .flatMap(({ name, title: label }) => {
            const found = summary(results, name, id, figure)
            if (found === undefined) return []
            return [{ label, value: found.median, least: found.least, most: found.most, isSubject: name === SUBJECT }]
          })
        return {
          title: `${cases[id]?.title}: ${title}`,
          note: `${unit}, ${better} is better`,
          isShare: unit === '%',
          bars,
        }
      })
      .filter(({ bars }) => bars.length > 0),
  )
}

/**
 * Writes each chart that has figures.
 *
 * @param {Results} results
 * @param {URL} directory
 * @returns {string[]} The names of the groups that have a chart.
 */
export function writeCharts(results, directory) {
  mkdirSync(directory, { recursive: true })
  return groups.flatMap((group) => {
    const drawn = panels(results, group)
    if (drawn.length === 0) return []
    writeFileSync(new URL(`${group.name}.svg`, directory), chart(group.title, drawn))
    return [group.name]
  })
}
