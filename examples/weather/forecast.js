// Forecasts of tomorrow's high: what is usual at the time of the year, and so much of what today deviates from that.

const DAYS_OF_YEAR = 365

/**
 * How to forecast.
 * @typedef {object} Parameters
 * @property {number} width usual is the mean of so many days before and after that date, in the other years
 * @property {number} memory the share of today's deviation that tomorrow is expected to have
 */

/**
 * How well that went.
 * @typedef {Parameters & { error: number }} Score `error` in degrees, the mean of how far off it was
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
 * A year must not be known when it is forecast: only the others count.
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

/** All combinations that are tried. */
export const WIDTHS = Array.from({ length: 31 }, (_, n) => 2 * n)
export const MEMORIES = Array.from({ length: 26 }, (_, n) => n / 25)

/** @returns {Generator<Parameters>} */
export function* combinations() {
  for (const width of WIDTHS) for (const memory of MEMORIES) yield { width, memory }
}
