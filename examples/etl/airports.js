// The airports of the United States: places and time zones.

import { readFileSync } from 'node:fs'
import { placeAt } from './sphere.js'
import { zoneOf } from './zones.js'

/**
 * @typedef {object} Airport
 * @property {number} number the key in the database: the line in the file of airports
 * @property {string} code
 * @property {string} state
 * @property {import('./sphere.js').Place} place
 * @property {import('./zones.js').Zone} zone
 */

const FILE = new URL('../data/airports.csv', import.meta.resolve('vega-datasets'))
/** iata,name,city,state,country,latitude,longitude; some names and cities have commas. */
const LINE = /^(\w+),.*,(\w\w),USA,([-\d.]+),([-\d.]+)$/

/** @returns {Map<string, Airport>} by code; those outside of the states are left out */
export function readAirports() {
  /** @type {Map<string, Airport>} */
  const airports = new Map()
  for (const [index, line] of readFileSync(FILE, 'utf8').split('\n').entries()) {
    const [, code, state, north, east] = LINE.exec(line.trimEnd()) ?? []
    if (code === undefined) continue
    const zone = zoneOf(state, Number(east))
    if (zone === undefined) continue
    airports.set(code, { number: index, code, state, place: placeAt(Number(north), Number(east)), zone })
  }
  return airports
}
