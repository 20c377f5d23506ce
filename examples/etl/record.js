// One record: parsed, checked and enriched.

import { hash } from 'node:crypto'
import { readAirports } from './airports.js'
import { MARKS } from './poison.js'
import { darkMinutes, milesBetween } from './sphere.js'

/**
 * A flight as it goes into the database.
 * @typedef {object} Flight
 * @property {number} id
 * @property {number} departed milliseconds since 1970, UTC
 * @property {number} hour of the day at the airport
 * @property {number} delay minutes, negative when early
 * @property {number} origin number of the airport
 * @property {number} destination number of the airport
 * @property {number} filed miles, as the airline filed them
 * @property {number} miles along the great circle
 * @property {number} dark minutes of the flight between sunset and sunrise
 * @property {bigint} checksum the first 64 bits of the line's SHA-256
 */

export const HEADER = 'id,date,delay,distance,origin,destination'
export const EXAMPLE = '1,2001-01-01 00:01,33,2176,LAS,PHL'
const DATE = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d)$/
const HOUR_MS = 3_600_000
/** By how much a filed distance may differ from the great circle: in miles, and as a share. */
const MILES_APART = 30
const SHARE_APART = 0.03

/** A record that does not say what it should. */
export class RecordError extends Error {
  /** @override */
  name = 'RecordError'
}

const airports = readAirports()

/**
 * @param {string} line
 * @param {import('./poison.js').Misbehave} misbehave
 * @returns {Flight}
 * @throws {RecordError}
 */
export function parse(line, misbehave) {
  const cells = line.split(',')
  if (cells.length !== 6) throw new RecordError(`6 fields are expected, and there are ${cells.length}`)
  const delay = Number(cells[2])
  if (!Number.isInteger(delay) || cells[2] === '') notWhole(cells[2], misbehave)
  const id = positive('id', cells[0])
  const filed = positive('distance', cells[3])
  const { year, local } = localTime(cells[1])
  // Nobody has thought of airports that are not in the list: a TypeError.
  const origin = /** @type {import('./airports.js').Airport} */ (airports.get(cells[4]))
  const destination = /** @type {import('./airports.js').Airport} */ (airports.get(cells[5]))
  const miles = milesBetween(origin.place, destination.place)
  if (Math.abs(miles - filed) > Math.max(MILES_APART, miles * SHARE_APART)) {
    throw new RecordError(`${cells[4]} and ${cells[5]} are ${Math.round(miles)} miles apart, not ${filed}`)
  }
  const departed = origin.zone.toUtc(local, year)
  return {
    id,
    departed,
    hour: Math.floor(local / HOUR_MS) % 24,
    delay,
    origin: origin.number,
    destination: destination.number,
    filed,
    miles,
    dark: darkMinutes(origin.place, destination.place, miles, departed),
    checksum: BigInt(`0x${hash('sha256', line, 'hex').slice(0, 16)}`),
  }
}

/**
 * @param {string} text
 * @returns {{ year: number, local: number }} `local`: milliseconds since 1970, as if local time were UTC
 */
function localTime(text) {
  const [, year, month, day, hour, minute] = (DATE.exec(text) ?? []).map(Number)
  const local = Date.UTC(year, month - 1, day, hour, minute)
  // Of a day or an hour that does not exist, JavaScript makes another one.
  const made = new Date(local)
  if (made.getUTCDate() === day && made.getUTCHours() === hour && made.getUTCMinutes() === minute)
    return { year, local }
  throw new RecordError(`the date is "${text}"`)
}

/**
 * @param {string} name
 * @param {string} cell
 */
function positive(name, cell) {
  const number = Number(cell)
  if (Number.isInteger(number) && number > 0) return number
  throw new RecordError(`the ${name} is "${cell}"`)
}

/**
 * @param {string} cell
 * @param {import('./poison.js').Misbehave} misbehave
 */
function notWhole(cell, misbehave) {
  if (cell in MARKS) misbehave(/** @type {import('./poison.js').Mark} */ (cell))
  throw new RecordError(`the delay is "${cell}"`)
}
