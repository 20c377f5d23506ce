// Forecasts tomorrow's high: the usual high of the season, plus a share of today's deviation from the usual high.

const DAYS_OF_YEAR = 365

/**
 * The parameters of a forecast.
 * @typedef {object} Parameters
 * @property {number} width days before and after a date that count as its season
 * @property {number} memory the share of today's deviation that the forecast adds
 */

/**
 * The quality of a forecast.
 * @typedef {Parameters & { error: number }} Score `error`: the mean error in degrees
 */

/**
 * @param {import('./data.js').Day[]} days
 * @param {Parameters} parameters
 * @returns {Score}
 */
export function score(days, { width, memory }) {
  const usual = days.map((day) => usualHigh(days, day, width))
  let sum = 0
  for (let today = 0; today + 1 < days.length; today++) {
    const forecast = usual[today + 1] + memory * (days[today].high - usual[today])
    sum += Math.abs(forecast - days[today + 1].high)
  }
  return { width, memory, error: sum / (days.length - 1) }
}

/**
 * The usual high of a day's season, in the other years: a forecast must not know its own year.
 * @param {import('./data.js').Day[]} days
 * @param {import('./data.js').Day} day
 * @param {number} width
 */
function usualHigh(days, { year, ofYear }, width) {
  let sum = 0
  let count = 0
  for (const other of days) {
    if (other.year === year) continue
    const apart = Math.abs(other.ofYear - ofYear)
    if (Math.min(apart, DAYS_OF_YEAR - apart) > width) continue
    sum += other.high
    count += 1
  }
  return sum / count
}

/** The values of both parameters that are tried. */
export const WIDTHS = Array.from({ length: 31 }, (_, n) => 2 * n)
export const MEMORIES = Array.from({ length: 26 }, (_, n) => n / 25)

/** @returns {Generator<Parameters>} */
export function* combinations() {
  for (const width of WIDTHS) for (const memory of MEMORIES) yield { width, memory }
}
