// Prints the figures on a terminal, as a table and as bars.

import { FEW, whole } from './groups.js'

const BAR_WIDTH = 60
const COLUMNS = ['flights', 'mean', 'median', '95th pct']

/**
 * @param {import('./groups.js').Grouping} grouping
 * @param {import('./aggregate.js').Figures[]} rows
 * @returns {string}
 */
export function table({ title, unit, label }, rows) {
  const cells = rows.map(({ key, flights, mean, median, p95 }) => [
    label(key),
    whole(flights),
    mean.toFixed(1),
    median.toFixed(1),
    String(p95),
  ])
  const widths = [unit, ...COLUMNS].map((head, column) =>
    Math.max(head.length, ...cells.map((row) => row[column].length)),
  )
  /** @param {string[]} row */
  const line = (row) => `  ${row.map((cell, column) => cell.padStart(widths[column])).join('   ')}`
  const rule = `  ${widths.map((width) => '─'.repeat(width)).join('───')}`
  return [`${title}, in minutes`, '', line([unit, ...COLUMNS]), rule, ...cells.map(line)].join('\n')
}

/**
 * @param {import('./groups.js').Grouping} grouping
 * @param {import('./aggregate.js').Figures[]} rows
 * @returns {string}
 */
export function bars({ title, label }, rows) {
  const labelWidth = Math.max(...rows.map(({ key }) => label(key).length))
  const scale = BAR_WIDTH / Math.max(...rows.map(({ p95 }) => p95))
  const lines = rows.map(({ key, flights, mean, p95 }) => {
    const dark = Math.max(0, Math.round(mean * scale))
    const light = Math.max(0, Math.round(p95 * scale) - dark)
    const few = flights < FEW ? ` (${flights} flights only)` : ''
    return `  ${label(key).padStart(labelWidth)} ${'█'.repeat(dark)}${'░'.repeat(light)} ${p95}${few}`
  })
  return [`${title}: █ mean, ░ up to the 95th percentile, in minutes`, '', ...lines].join('\n')
}
