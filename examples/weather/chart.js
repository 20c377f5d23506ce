// The scores of all combinations as a map: an SVG chart, and text for a terminal.

import { element } from '../svg.js'
import { MEMORIES, WIDTHS } from './forecast.js'

const CELL = { width: 26, height: 16 }
const MARGIN = { top: 84, right: 24, bottom: 64, left: 72 }
const COLORS = { paper: '#ffffff', ink: '#1f2933', faint: '#616e7c', best: '#c2410c' }
/** The shades of a score, from the worst to the best. */
const SHADES = ' ░▒▓█'

/** The chart shows this root of the scores, so that the small differences between good forecasts can be seen. */
const CONTRAST = 3

/** @typedef {import('./forecast.js').Score} Score */

/** @param {readonly Score[]} scores */
export const best = (scores) => scores.reduce((one, other) => (other.error < one.error ? other : one))

/**
 * Where a score lies between the best one (0) and the worst (1).
 * @param {readonly Score[]} scores
 */
function scale(scores) {
  const errors = scores.map(({ error }) => error)
  const low = Math.min(...errors)
  const range = Math.max(...errors) - low || 1
  return (/** @type {Score} */ { error }) => ((error - low) / range) ** (1 / CONTRAST)
}

/** @param {number} share 0 to 1 */
function color(share) {
  const [good, bad] = [
    [11, 83, 148],
    [247, 250, 252],
  ]
  return `rgb(${good.map((channel, index) => Math.round(channel + share * (bad[index] - channel))).join(' ')})`
}

/**
 * @param {number} x
 * @param {number} y
 * @param {string} content
 * @param {Record<string, string | number>} [attributes]
 */
const text = (x, y, content, attributes = {}) =>
  element('text', { x, y, 'font-size': 12, fill: COLORS.faint, 'text-anchor': 'middle', ...attributes }, content)

/**
 * @param {readonly Score[]} scores
 * @param {string} title
 */
export function chart(scores, title) {
  const [width, height] = [MEMORIES.length * CELL.width, WIDTHS.length * CELL.height]
  const shareOf = scale(scores)
  const winner = best(scores)
  const x = (/** @type {number} */ memory) => MARGIN.left + MEMORIES.indexOf(memory) * CELL.width
  const y = (/** @type {number} */ days) => MARGIN.top + WIDTHS.indexOf(days) * CELL.height
  const cells = scores.map((one) => {
    const tip = `${one.width} days, ${Math.round(one.memory * 100)} %: off by ${one.error.toFixed(2)} °C`
    const place = { x: x(one.memory), y: y(one.width), ...CELL, fill: color(shareOf(one)) }
    return element('g', {}, [element('title', {}, tip), element('rect', place)])
  })
  const middle = MARGIN.top + height / 2
  const [totalWidth, totalHeight] = [MARGIN.left + width + MARGIN.right, MARGIN.top + height + MARGIN.bottom]
  return `${element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      viewBox: `0 0 ${totalWidth} ${totalHeight}`,
      width: totalWidth,
      height: totalHeight,
      'font-family': 'system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif',
    },
    [
      element('title', {}, title),
      element('rect', { width: totalWidth, height: totalHeight, fill: COLORS.paper }),
      text(MARGIN.left, 32, title, { 'font-size': 20, 'font-weight': 600, fill: COLORS.ink, 'text-anchor': 'start' }),
      text(MARGIN.left, 58, `Darker is better. The best: off by ${winner.error.toFixed(2)} °C, in the mean`, {
        'text-anchor': 'start',
      }),
      ...cells,
      element('rect', {
        x: x(winner.memory),
        y: y(winner.width),
        ...CELL,
        fill: 'none',
        stroke: COLORS.best,
        'stroke-width': 3,
      }),
      ...MEMORIES.filter((_, index) => index % 5 === 0).map((memory) => {
        return text(x(memory) + CELL.width / 2, MARGIN.top + height + 20, `${Math.round(memory * 100)} %`)
      }),
      ...WIDTHS.filter((_, index) => index % 5 === 0).map((days) => {
        return text(MARGIN.left - 10, y(days) + 12, String(days), { 'text-anchor': 'end' })
      }),
      text(
        MARGIN.left + width / 2,
        MARGIN.top + height + 46,
        "how much of today's deviation tomorrow is expected to have",
      ),
      text(20, middle, 'days before and after that count as the season', { transform: `rotate(-90 20 ${middle})` }),
    ],
  )}\n`
}

/**
 * The map as text, for a terminal.
 * @param {readonly Score[]} scores
 */
export function shades(scores) {
  const shareOf = scale(scores)
  const winner = best(scores)
  const rows = WIDTHS.map((days) => {
    const row = scores.filter(({ width }) => width === days).sort((a, b) => a.memory - b.memory)
    const marks = row.map((one) => {
      const shade = SHADES[Math.min(SHADES.length - 1, Math.floor((1 - shareOf(one)) * SHADES.length))]
      return one === winner ? '◆◆' : `${shade}${shade}`
    })
    return `${String(days).padStart(5)} │${marks.join('')}`
  })
  const axis = `      └${'──'.repeat(MEMORIES.length)}`
  const label = `       0 %${'share of today’s deviation'.padStart(MEMORIES.length + 8).padEnd(2 * MEMORIES.length - 8)}100 %`
  return [' days │', ...rows, axis, label].join('\n')
}
