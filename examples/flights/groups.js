// The two ways in which the flights are grouped, as tables and charts name them.

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

/** Of fewer flights than this, mean and percentile say little: tables and charts mark them. */
export const FEW = 100
