// Counts delays by group, adds counts up, and computes exact means, medians and percentiles from the sums.
//
// Medians of chunks cannot be combined, but histograms can. Delays are whole minutes, so the number of flights for each
// delay says everything about a group. A worker counts, and the host adds the counts up. The figures are exact, however
// the flights were cut into chunks and in whatever order the chunks arrive.

/** @typedef {Map<number, number>} Histogram delay → number of flights */
/** @typedef {Map<number, Histogram>} Groups hour, or first mile of the distance band → its flights */
/** @typedef {{ hours: Groups, bands: Groups }} Summary */
/** @typedef {{ key: number, flights: number, mean: number, median: number, p95: number }} Figures */

export const BAND_MILES = 250
/** All distances from here on form one band: few flights in the country are longer. */
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
      // The median of an even number of flights is half way between the two in the middle.
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
