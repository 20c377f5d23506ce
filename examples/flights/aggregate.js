// Medians of parts do not add up to the median of the whole, but histograms do: delays are whole minutes, so how often
// each occurs says everything about a group. A worker counts; the host adds the counts up and reads the figures off,
// and they are exact, whichever way the flights were cut and in whichever order the parts arrive.

/** @typedef {Map<number, number>} Histogram delay → number of flights */
/** @typedef {Map<number, Histogram>} Groups hour, or first mile of the distance band → its flights */
/** @typedef {{ hours: Groups, bands: Groups }} Summary */
/** @typedef {{ key: number, flights: number, mean: number, median: number, p95: number }} Figures */

export const BAND_MILES = 250
/** From here on all distances are one band: hardly anything in the country is further apart. */
export const LAST_BAND = 2500

/** @returns {Summary} */
export const emptySummary = () => ({ hours: new Map(), bands: new Map() })

/**
 * @param {Iterable<import('./data.js').Flight>} flights
 * @returns {Summary}
 */
export function summarize(flights) {
  const summary = emptySummary()
  for (const { delay, distance, time } of flights) {
    add(summary.hours, Math.floor(time), delay, 1)
    add(summary.bands, Math.min(distance - (distance % BAND_MILES), LAST_BAND), delay, 1)
  }
  return summary
}

/**
 * Adds `part` to `total`.
 * @param {Summary} total
 * @param {Summary} part
 */
export function merge(total, part) {
  for (const by of /** @type {const} */ (['hours', 'bands'])) {
    for (const [key, histogram] of part[by]) {
      for (const [delay, flights] of histogram) add(total[by], key, delay, flights)
    }
  }
}

/**
 * @param {Groups} groups
 * @param {number} key
 * @param {number} delay
 * @param {number} flights
 */
function add(groups, key, delay, flights) {
  let histogram = groups.get(key)
  if (histogram === undefined) groups.set(key, (histogram = new Map()))
  histogram.set(delay, (histogram.get(delay) ?? 0) + flights)
}

/**
 * @param {Groups} groups
 * @returns {Figures[]} in the order of the keys
 */
export function figures(groups) {
  return [...groups]
    .sort(([a], [b]) => a - b)
    .map(([key, histogram]) => {
      const delays = [...histogram].sort(([a], [b]) => a - b)
      let flights = 0
      let minutes = 0
      for (const [delay, count] of delays) {
        flights += count
        minutes += delay * count
      }
      // Of an even number of flights the median is half way between the two in the middle.
      const median = (at(delays, Math.ceil(flights / 2)) + at(delays, Math.floor(flights / 2) + 1)) / 2
      return { key, flights, mean: minutes / flights, median, p95: at(delays, Math.ceil(flights * 0.95)) }
    })
}

/**
 * @param {[delay: number, flights: number][]} delays sorted
 * @param {number} rank from 1
 * @returns {number} the delay of the flight with that rank
 */
function at(delays, rank) {
  let seen = 0
  for (const [delay, flights] of delays) {
    seen += flights
    if (seen >= rank) return delay
  }
  throw new RangeError(`There is no flight of rank ${rank}`)
}
