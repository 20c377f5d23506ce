// Time zones: which one an American airport has, and which instant a local time is.

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
/** Steps in which a year is searched for changes of the clock: less than the time between two changes. */
const STEP_MS = 7 * DAY_MS

const STATES = {
  'America/Anchorage': 'AK',
  'America/Boise': 'ID',
  'America/Chicago': 'AL AR IA IL KS LA MN MO MS ND NE OK SD TN TX WI',
  'America/Denver': 'CO MT NM UT WY',
  'America/Detroit': 'MI NA',
  'America/Indiana/Indianapolis': 'IN',
  'America/Los_Angeles': 'CA NV OR WA',
  'America/New_York': 'CT DC DE FL GA KY MA MD ME NC NH NJ NY OH PA RI SC VA VT WV',
  'America/Phoenix': 'AZ',
  'America/Puerto_Rico': 'PR VI',
  'Pacific/Honolulu': 'HI',
}

/** States that a border between zones crosses, about at a meridian: the zone of the smaller part. */
const CROSSED = [
  { state: 'FL', westOf: -85, zone: 'America/Chicago' },
  { state: 'IN', westOf: -87, zone: 'America/Chicago' },
  { state: 'KS', westOf: -101, zone: 'America/Denver' },
  { state: 'KY', westOf: -86, zone: 'America/Chicago' },
  { state: 'ND', westOf: -102, zone: 'America/Denver' },
  { state: 'NE', westOf: -101, zone: 'America/Denver' },
  { state: 'SD', westOf: -101, zone: 'America/Denver' },
  { state: 'TN', eastOf: -85.4, zone: 'America/New_York' },
  { state: 'TX', westOf: -105, zone: 'America/Denver' },
]

/** @type {Map<string, Zone>} */
const zones = new Map()

/** @param {string} name */
function zoneNamed(name) {
  let zone = zones.get(name)
  if (zone === undefined) zones.set(name, (zone = new Zone(name)))
  return zone
}

/**
 * @param {string} state
 * @param {number} longitude degrees
 * @returns {Zone | undefined} undefined outside of the states
 */
export function zoneOf(state, longitude) {
  const crossed = CROSSED.find(({ state: crossing, westOf = -Infinity, eastOf = Infinity }) => {
    return crossing === state && (longitude < westOf || longitude > eastOf)
  })
  const name = crossed?.zone ?? Object.entries(STATES).find(([, states]) => states.split(' ').includes(state))?.[0]
  return name === undefined ? undefined : zoneNamed(name)
}

/**
 * A time in which the clocks of a zone do not change.
 * @typedef {object} Period
 * @property {number} from the first local time, in milliseconds as if local time were UTC
 * @property {number} offset local time minus UTC, in milliseconds
 */

/** A time zone. The rules of a year are looked up once: `Intl` takes microseconds for each question. */
export class Zone {
  /** @type {Map<number, Period[]>} */
  #years = new Map()
  /** @type {Intl.DateTimeFormat | undefined} made when it is needed: few zones are */
  #format

  /** @param {string} name */
  constructor(name) {
    this.name = name
  }

  /**
   * The instant of a local time. Of two instants with the same local time, in autumn, it is the first; a local time
   * that the clocks leave out, in spring, is as long after the gap's beginning as the clocks would have shown.
   * @param {number} local milliseconds, as if local time were UTC
   * @param {number} year
   */
  toUtc(local, year) {
    let periods = this.#years.get(year)
    if (periods === undefined) this.#years.set(year, (periods = this.#periods(year)))
    let last = periods.length - 1
    while (periods[last].from > local) last--
    return local - periods[last].offset
  }

  /** @param {number} year */
  #periods(year) {
    // The first and the last day of a year in local time may be in the years beside it in UTC.
    const end = Date.UTC(year + 1, 0) + DAY_MS
    let time = Date.UTC(year, 0) - DAY_MS
    let offset = this.#offsetAt(time)
    /** @type {Period[]} */
    const periods = [{ from: -Infinity, offset }]
    for (; time < end; time += STEP_MS) {
      const next = this.#offsetAt(time + STEP_MS)
      if (next === offset) continue
      periods.push({ from: this.#change(time, time + STEP_MS) + Math.max(offset, next), offset: next })
      offset = next
    }
    return periods
  }

  /**
   * The instant of the change between two instants with different offsets.
   * @param {number} before
   * @param {number} after
   */
  #change(before, after) {
    const old = this.#offsetAt(before)
    while (after - before > MINUTE_MS) {
      const middle = before + Math.floor((after - before) / 2 / MINUTE_MS) * MINUTE_MS
      if (this.#offsetAt(middle) === old) before = middle
      else after = middle
    }
    return after
  }

  /** @param {number} time */
  #offsetAt(time) {
    this.#format ??= new Intl.DateTimeFormat('en-US', { timeZone: this.name, timeZoneName: 'longOffset' })
    const text = this.#format.formatToParts(time).find(({ type }) => type === 'timeZoneName')?.value ?? ''
    const [, sign = '+', hours = '0', minutes = '0'] = /GMT(?:([+-])(\d\d):(\d\d))?/.exec(text) ?? []
    return (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -MINUTE_MS : MINUTE_MS)
  }
}
