// The two groupings of the flights, with the names that tables and charts show.

import { BAND_MILES, LAST_BAND } from './aggregate.js'

/**
 * @typedef {object} Grouping
 * @property {'hours' | 'bands'} by
 * @property {string} title
 * @property {string} unit heading of the keys
 * @property {(key: number) => string} label
 */

/** @param {number} n */
export const whole = (n) => n.toLocaleString('en-US')

/** @type {Grouping[]} */
export const GROUPINGS = [
  { by: 'hours', title: 'Delay by hour of day', unit: 'hour', label: (key) => String(key).padStart(2, '0') },
  {
    by: 'bands',
    title: 'Delay by distance',
    unit: 'miles',
    label: (key) => (key === LAST_BAND ? `${whole(key)} +` : `${whole(key)}–${whole(key + BAND_MILES - 1)}`),
  },
]

/** Mean and percentile of fewer flights than this say little: tables and charts mark such groups. */
export const FEW = 100
