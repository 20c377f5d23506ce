// What is called, and with what: the same for every contender. contenders/cpython.py has the same in Python.

/**
 * @param {number} a
 * @param {number} b
 */
export const add = (a, b) => a + b

/** @param {unknown} value */
export const echo = (value) => value

/** @param {number} value */
export const increment = (value) => value + 1

/** Every function by its name, which is how contenders name them. */
export const functions = { add, echo, increment }

/** As JSON it has 240 bytes. */
export const record = {
  id: 184_467,
  carrier: 'Northern',
  from: { code: 'SEA', city: 'Seattle', lat: 47.4502, lon: -122.3088 },
  to: { code: 'ORD', city: 'Chicago', lat: 41.9742, lon: -87.9073 },
  delay: -7.5,
  cancelled: false,
  tags: ['red-eye', 'weekly'],
  note: null,
}

/** 64 KiB. */
export const block = new Uint8Array(65_536).map((_, index) => index)
