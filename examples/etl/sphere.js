// Great circles: the distance between two places, and how much of a flight between them is in the dark.

const EARTH_MILES = 3958.76
const RADIAN = Math.PI / 180
const DAY_MS = 86_400_000
const J2000_MS = Date.UTC(2000, 0, 1, 12)

/** Minutes of a flight besides cruising, and the miles of a minute's cruising. */
const [GROUND_MINUTES, CRUISE_MILES] = [30, 8]
/** The angle in radians by which the earth turns in a minute. */
const TURN = (360 * RADIAN) / (24 * 60)
/** The sine of the sun's height at sunrise: half of the sun is to be seen later, and the air bends its light. */
const HORIZON = Math.sin(-0.833 * RADIAN)

/** @typedef {{ x: number, y: number, z: number }} Place a point of the unit sphere; x is at 0° north, 0° east */

/**
 * @param {number} north degrees
 * @param {number} east degrees
 * @returns {Place}
 */
export function placeAt(north, east) {
  const [latitude, longitude] = [north * RADIAN, east * RADIAN]
  const radius = Math.cos(latitude)
  return { x: radius * Math.cos(longitude), y: radius * Math.sin(longitude), z: Math.sin(latitude) }
}

/**
 * The length of the great circle between two places.
 * @param {Place} one
 * @param {Place} other
 */
export function milesBetween(one, other) {
  // By the chord: exact for places that are near each other, where the angle's cosine is not.
  const chord = Math.hypot(one.x - other.x, one.y - other.y, one.z - other.z)
  // Rounding makes the chord of two antipodes longer than the diameter.
  return 2 * EARTH_MILES * Math.asin(Math.min(1, chord / 2))
}

/**
 * The place where the sun is overhead, to a hundredth of a degree: the Astronomical Almanac's low-precision formulas.
 * @param {number} time milliseconds since 1970, UTC
 */
function subsolar(time) {
  const days = (time - J2000_MS) / DAY_MS
  const anomaly = (357.529 + 0.98560028 * days) * RADIAN
  const ecliptic = (280.459 + 0.98564736 * days + 1.915 * Math.sin(anomaly) + 0.02 * Math.sin(2 * anomaly)) * RADIAN
  const tilt = (23.439 - 0.00000036 * days) * RADIAN
  const ascension = Math.atan2(Math.cos(tilt) * Math.sin(ecliptic), Math.cos(ecliptic))
  const sidereal = (280.46061838 + 360.98564736629 * days) * RADIAN
  const z = Math.sin(tilt) * Math.sin(ecliptic)
  return { longitude: ascension - sidereal, radius: Math.sqrt(1 - z * z), z }
}

/**
 * The minutes that a flight along the great circle spends between sunset and sunrise, as seen from the ground.
 * @param {Place} from
 * @param {Place} to
 * @param {number} miles between them, more than 0
 * @param {number} departed milliseconds since 1970, UTC
 */
export function darkMinutes(from, to, miles, departed) {
  const sun = subsolar(departed)
  const minutes = GROUND_MINUTES + miles / CRUISE_MILES
  const angle = miles / EARTH_MILES
  const whole = Math.sin(angle)
  let dark = 0
  for (let minute = 0; minute < minutes; minute++) {
    const flown = (minute / minutes) * angle
    const [a, b] = [Math.sin(angle - flown) / whole, Math.sin(flown) / whole]
    const longitude = sun.longitude - minute * TURN
    const equatorial = Math.cos(longitude) * (a * from.x + b * to.x) + Math.sin(longitude) * (a * from.y + b * to.y)
    if (sun.radius * equatorial + sun.z * (a * from.z + b * to.z) < HORIZON) dark += 1
  }
  return dark
}
