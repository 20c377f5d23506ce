// Bar charts as SVG, readable on light and dark pages: one panel below the other, one bar for each contender.

import { short } from './results.mjs'

/**
 * @typedef {object} Bar
 * @property {string} label
 * @property {number} value
 * @property {number} least - The noise band is from `least` to `most`.
 * @property {number} most
 * @property {boolean} isSubject
 */

/**
 * @typedef {object} Panel
 * @property {string} title
 * @property {string} note
 * @property {boolean} isShare - Shares of a whole are never on a logarithmic scale.
 * @property {Bar[]} bars
 */

const WIDTH = 760
const LABELS = 216
const VALUES = 76
const ROW = 21
const HEAD = 50
const FOOT = 42

/** If medians differ by more than this factor, the scale is logarithmic. */
const LINEAR = 50

// The background is drawn, too: a page may be dark where the reader's system is light.
const STYLE = `
  text { font: 13px system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif; fill: #3d4852 }
  .paper { fill: #ffffff } .title { font-size: 17px; font-weight: 600; fill: #1f2933 }
  .panel { font-weight: 600; fill: #1f2933 } .small { font-size: 11px }
  .grid { stroke: #dfe3e8 } .zero { stroke: #7b8794 } .band { stroke: #1f2933; stroke-width: 1.5 }
  .bar { fill: #a9b8c8 } .subject { fill: #e0742a } .subject-label { font-weight: 700; fill: #b4531a }
  @media (prefers-color-scheme: dark) {
    text { fill: #b6c2cf } .paper { fill: #161b22 } .title, .panel { fill: #e6edf3 }
    .grid { stroke: #2d333b } .zero { stroke: #768390 } .band { stroke: #e6edf3 }
    .bar { fill: #4b5f75 } .subject { fill: #d9681d } .subject-label { fill: #f0955a }
  }`

/** @param {string} text */
const escape = (text) => text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`)

/** @param {number} value */
const round = (value) => Math.round(value * 10) / 10

/** @param {number} x @param {number} y @param {string} content @param {string} [kind] @param {string} [anchor] */
const text = (x, y, content, kind = '', anchor = 'start') =>
  `<text x="${round(x)}" y="${round(y)}"${kind && ` class="${kind}"`} text-anchor="${anchor}">${escape(content)}</text>`

/** @param {number} x1 @param {number} y1 @param {number} x2 @param {number} y2 @param {string} kind */
const line = (x1, y1, x2, y2, kind) =>
  `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" class="${kind}"/>`

/** @typedef {{ ticks: number[], share: (value: number) => number, isLog: boolean }} Axis */

/**
 * @param {Panel} panel
 * @returns {Axis}
 */
function axis({ bars, isShare }) {
  const least = Math.min(...bars.map((bar) => bar.least))
  const most = Math.max(...bars.map((bar) => bar.most))
  const medians = bars.map(({ value }) => value)
  if (!isShare && least > 0 && Math.max(...medians) / Math.min(...medians) > LINEAR) {
    // The scale begins at a power of ten that leaves the shortest bar some length.
    const [from, to] = [Math.floor(Math.log10(least) - 0.2), Math.ceil(Math.log10(most))]
    const ticks = Array.from({ length: to - from + 1 }, (_, index) => 10 ** (from + index))
    return { ticks, share: (value) => (Math.log10(value) - from) / (to - from), isLog: true }
  }
  const raw = Math.max(most, Number.MIN_VALUE) / 5
  const power = 10 ** Math.floor(Math.log10(raw))
  const step = ([1, 2, 5].find((factor) => factor * power >= raw) ?? 10) * power
  const count = Math.ceil(most / step)
  const ticks = Array.from({ length: count + 1 }, (_, index) => index * step)
  return { ticks, share: (value) => Math.max(0, value) / (step * count), isLog: false }
}

/** @param {Bar} bar @param {number} y @param {(value: number) => number} x */
function row({ label, value, least, most, isSubject }, y, x) {
  const middle = y + ROW / 2
  const parts = [
    `<title>${escape(`${label}: ${short(value)} (${short(least)}–${short(most)})`)}</title>`,
    text(LABELS - 8, middle + 4.5, label, isSubject ? 'subject-label' : '', 'end'),
    `<rect x="${LABELS}" y="${y + 3}" width="${round(x(value) - LABELS)}" height="${ROW - 6}" class="${isSubject ? 'subject' : 'bar'}"/>`,
  ]
  if (most > least) {
    parts.push(
      line(x(least), middle, x(most), middle, 'band'),
      line(x(least), middle - 3, x(least), middle + 3, 'band'),
      line(x(most), middle - 3, x(most), middle + 3, 'band'),
    )
  }
  parts.push(text(x(Math.max(value, most)) + 6, middle + 4.5, short(value), isSubject ? 'subject-label' : ''))
  return `<g>${parts.join('')}</g>`
}

/** @param {Panel} panel @param {number} top */
function draw(panel, top) {
  const { title, note, bars } = panel
  const { ticks, share, isLog } = axis(panel)
  /** @param {number} value */
  const x = (value) => LABELS + share(value) * (WIDTH - LABELS - VALUES)
  const first = top + HEAD
  const bottom = first + bars.length * ROW
  const scale = isLog ? `; logarithmic scale, bars begin at ${tick(ticks[0] ?? 0)}` : ''
  return [
    text(16, top + 22, title, 'panel'),
    text(16, top + 39, note + scale, 'small'),
    ...ticks.map((value, index) => line(x(value), first, x(value), bottom, index === 0 ? 'zero' : 'grid')),
    ...ticks.map((value) => text(x(value), bottom + 15, tick(value), 'small', 'middle')),
    ...bars.map((bar, index) => row(bar, first + index * ROW, x)),
  ].join('\n')
}

/** @param {number} value */
function tick(value) {
  const [divided, unit] = value >= 1e6 ? [value / 1e6, ' M'] : value >= 1e4 ? [value / 1e3, ' k'] : [value, '']
  return `${Number(divided.toPrecision(6))}${unit}`
}

/**
 * @param {string} title
 * @param {Panel[]} panels
 */
export function chart(title, panels) {
  let height = 40
  const drawn = panels.map((panel) => {
    const top = height
    height += HEAD + panel.bars.length * ROW + FOOT
    return draw(panel, top)
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">`,
    `<title>${escape(title)}</title>`,
    `<style>${STYLE}\n</style>`,
    `<rect width="${WIDTH}" height="${height}" class="paper"/>`,
    text(16, 30, title, 'title'),
    ...drawn,
    '</svg>',
    '',
  ].join('\n')
}
