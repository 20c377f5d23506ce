// Flights in columns, in one piece of memory: it travels between processes and into the database as it is.

/** Names and types in the database, and the bytes of a value. Larger values come first, so that each is aligned. */
export const COLUMNS = /** @type {const} */ ([
  { name: 'departed', type: 'TIMESTAMP_MS', bytes: 8 },
  { name: 'checksum', type: 'UBIGINT', bytes: 8 },
  { name: 'miles', type: 'DOUBLE', bytes: 8 },
  { name: 'id', type: 'INTEGER', bytes: 4 },
  { name: 'hour', type: 'SMALLINT', bytes: 2 },
  { name: 'delay', type: 'SMALLINT', bytes: 2 },
  { name: 'origin', type: 'SMALLINT', bytes: 2 },
  { name: 'destination', type: 'SMALLINT', bytes: 2 },
  { name: 'filed', type: 'SMALLINT', bytes: 2 },
  { name: 'dark', type: 'SMALLINT', bytes: 2 },
])

/** The bytes of a flight. */
const WIDTH = COLUMNS.reduce((sum, { bytes }) => sum + bytes, 0)

/**
 * Flights in columns. A column begins behind the one before it, which has room for `capacity` values.
 * @typedef {object} Table
 * @property {number} flights
 * @property {number} capacity
 * @property {ArrayBuffer} memory
 */

/** Collects flights. */
export class Columns {
  #flights = 0
  #capacity
  #memory
  #departed
  #checksum
  #miles
  #id
  #hour
  #delay
  #origin
  #destination
  #filed
  #dark

  /** @param {number} capacity the most flights */
  constructor(capacity) {
    // Multiples of 8 keep the columns aligned.
    this.#capacity = Math.ceil(capacity / 8) * 8
    this.#memory = new ArrayBuffer(this.#capacity * WIDTH)
    const offsets = offsetsOf(this.#capacity)
    const column = (/** @type {number} */ index) =>
      /** @type {const} */ ([this.#memory, offsets[index], this.#capacity])
    this.#departed = new BigInt64Array(...column(0))
    this.#checksum = new BigUint64Array(...column(1))
    this.#miles = new Float64Array(...column(2))
    this.#id = new Int32Array(...column(3))
    this.#hour = new Int16Array(...column(4))
    this.#delay = new Int16Array(...column(5))
    this.#origin = new Int16Array(...column(6))
    this.#destination = new Int16Array(...column(7))
    this.#filed = new Int16Array(...column(8))
    this.#dark = new Int16Array(...column(9))
  }

  /** @param {import('./record.js').Flight} flight */
  push(flight) {
    const row = this.#flights++
    this.#departed[row] = BigInt(flight.departed)
    this.#checksum[row] = flight.checksum
    this.#miles[row] = flight.miles
    this.#id[row] = flight.id
    this.#hour[row] = flight.hour
    this.#delay[row] = flight.delay
    this.#origin[row] = flight.origin
    this.#destination[row] = flight.destination
    this.#filed[row] = flight.filed
    this.#dark[row] = flight.dark
  }

  /** @returns {Table} */
  table() {
    return { flights: this.#flights, capacity: this.#capacity, memory: this.#memory }
  }
}

/**
 * Where the columns begin.
 * @param {number} capacity
 */
export function offsetsOf(capacity) {
  let offset = 0
  return COLUMNS.map(({ bytes }) => {
    const begin = offset
    offset += bytes * capacity
    return begin
  })
}
