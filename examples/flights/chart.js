// The figures as an SVG chart: one panel for each grouping, a bar up to the 95th percentile, marks for mean and median.

import { element } from '../svg.js'
import { FEW, GROUPINGS, whole } from './groups.js'

const WIDTH = 960
const PANEL_HEIGHT = 300
const MARGIN = { top: 92, right: 24, bottom: 56, left: 64 }
const PANEL_GAP = 96

const COLORS = {
  paper: '#ffffff',
  ink: '#1f2933',
  faint: '#616e7c',
  grid: '#e4e7eb',
  bar: '#9fc5e8',
  few: '#dde3ea',
  mean: '#c2410c',
  median: '#1f2933',
}

/**
 * @param {number} x
 * @param {number} y
 * @param {string} content
 * @param {Record<string, string | number>} [attributes]
 */
const text = (x, y, content, attributes = {}) =>
  element('text', { x, y, 'font-size': 13, fill: COLORS.faint, ...attributes }, content)

/** @param {number} x @param {number} y @param {number} width */
const medianMark = (x, y, width) => element('rect', { x, y: y - 1.5, width, height: 3, fill: COLORS.median })

/** @param {number} x @param {number} y */
const meanMark = (x, y) => element('circle', { cx: x, cy: y, r: 4, fill: COLORS.mean, stroke: COLORS.paper })

/**
 * @param {import('./groups.js').Grouping} grouping
 * @param {import('./aggregate.js').Figures[]} rows
 * @param {number} top
 */
function panel({ title, unit, label }, rows, top) {
  const low = Math.min(0, ...rows.flatMap(({ mean, median }) => [mean, median]))
  const most = Math.max(1, ...rows.flatMap(({ p95, mean }) => [p95, mean]))
  const step = most > 120 ? 50 : 20
  const high = Math.ceil(most / step) * step
  const bottom = top + PANEL_HEIGHT
  /** @param {number} minutes */
  const y = (minutes) => bottom - ((minutes - low) / (high - low)) * PANEL_HEIGHT
  const slot = (WIDTH - MARGIN.left - MARGIN.right) / rows.length
  const barWidth = slot * 0.72

  const parts = [text(MARGIN.left, top - 20, title, { 'font-size': 16, 'font-weight': 600, fill: COLORS.ink })]
  for (let minutes = 0; minutes <= high; minutes += step) {
    const stroke = minutes === 0 ? COLORS.faint : COLORS.grid
    parts.push(
      element('line', { x1: MARGIN.left, x2: WIDTH - MARGIN.right, y1: y(minutes), y2: y(minutes), stroke }),
      text(MARGIN.left - 10, y(minutes) + 4, String(minutes), { 'text-anchor': 'end' }),
    )
  }
  const middle = (top + bottom) / 2
  parts.push(
    text(20, middle, 'delay, minutes', { 'text-anchor': 'middle', transform: `rotate(-90 20 ${middle})` }),
    text((MARGIN.left + WIDTH - MARGIN.right) / 2, bottom + 44, unit, { 'text-anchor': 'middle' }),
  )
  for (const [index, { key, flights, mean, median, p95 }] of rows.entries()) {
    const center = MARGIN.left + (index + 0.5) * slot
    const left = center - barWidth / 2
    const fill = flights < FEW ? COLORS.few : COLORS.bar
    const tip = `${label(key)}: ${whole(flights)} flights, mean ${mean.toFixed(1)}, median ${median}, 95 % ${p95} min`
    parts.push(
      element('g', {}, [
        element('title', {}, tip),
        element('rect', { x: left, y: y(Math.max(p95, 0)), width: barWidth, height: Math.abs(y(0) - y(p95)), fill }),
        medianMark(left, y(median), barWidth),
        meanMark(center, y(mean)),
        text(center, y(Math.max(p95, 0)) - 6, String(p95), { 'font-size': 11, 'text-anchor': 'middle' }),
        text(center, bottom + 20, label(key), { 'font-size': 11, 'text-anchor': 'middle', fill: COLORS.ink }),
      ]),
    )
  }
  return element('g', {}, parts)
}

/** @param {number} y */
function legend(y) {
  const x = MARGIN.left
  return element('g', {}, [
    element('rect', { x, y: y - 11, width: 14, height: 13, fill: COLORS.bar }),
    text(x + 22, y, '95 % of the flights are at most this late'),
    meanMark(x + 306, y - 4),
    text(x + 318, y, 'mean'),
    medianMark(x + 372, y - 4, 16),
    text(x + 396, y, 'median'),
    element('rect', { x: x + 462, y: y - 11, width: 14, height: 13, fill: COLORS.few }),
    text(x + 484, y, `of fewer than ${FEW} flights`),
  ])
}

/**
 * @param {Record<'hours' | 'bands', import('./aggregate.js').Figures[]>} figures
 * @param {string} title
 * @returns {string}
 */
export function chart(figures, title) {
  const height = MARGIN.top + GROUPINGS.length * (PANEL_HEIGHT + PANEL_GAP) + MARGIN.bottom - PANEL_GAP / 2
  const svg = element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      viewBox: `0 0 ${WIDTH} ${height}`,
      width: WIDTH,
      height,
      'font-family': 'system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif',
    },
    [
      element('title', {}, title),
      element('rect', { width: WIDTH, height, fill: COLORS.paper }),
      text(MARGIN.left, 32, title, { 'font-size': 20, 'font-weight': 600, fill: COLORS.ink }),
      legend(56),
      ...GROUPINGS.map((grouping, index) => {
        return panel(grouping, figures[grouping.by], MARGIN.top + 32 + index * (PANEL_HEIGHT + PANEL_GAP))
      }),
    ],
  )
  return `${svg}\n`
}
