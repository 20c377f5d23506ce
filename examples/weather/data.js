// Reads four years of weather in Seattle.

import { readFile } from 'node:fs/promises'

/**
 * One day.
 * @typedef {object} Day
 * @property {number} year
 * @property {number} ofYear days since the first of January
 * @property {number} high degrees Celsius
 */

const FILE = new URL('../data/seattle-weather.csv', import.meta.resolve('vega-datasets'))
const DAY_MS = 86_400_000

/**
 * @returns {Promise<Day[]>} 1,461 days of the U.S. National Oceanic and Atmospheric Administration, one after the other
 */
export async function readDays() {
  const [head = '', ...lines] = (await readFile(FILE, 'utf8')).trim().split('\n')
  const [date, high] = ['date', 'temp_max'].map((name) => head.split(',').indexOf(name))
  return lines.map((line) => {
    const cells = line.split(',')
    const time = Date.parse(`${cells[date]}`)
    const year = new Date(time).getUTCFullYear()
    return { year, ofYear: Math.round((time - Date.UTC(year, 0)) / DAY_MS), high: Number(cells[high]) }
  })
}
