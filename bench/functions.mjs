// The functions that every contender calls, and their arguments. contenders/cpython.py has the same in Python.

import { openSync, writeSync } from 'node:fs'
import { threadId } from 'node:worker_threads'

import { etl } from './etl.mjs'

/**
 * @param {number} a
 * @param {number} b
 */
const add = (a, b) => a + b

/** @param {unknown} value */
const echo = (value) => value

/** @param {number} value */
const increment = (value) => value + 1

/** @param {number[]} values - A chunk, for a contender whose user cuts the chunks. */
const incrementAll = (values) => values.map(increment)

/**
 * Computes for a number of steps, not for a time: a worker that has to share its processor takes longer.
 *
 * @param {number} steps
 */
const spin = (steps) => {
  let x = 1
  for (let step = 0; step < steps; step++) x = (Math.imul(x, 1_664_525) + 1_013_904_223) | 0
  return x
}

const sleeper = new Int32Array(new SharedArrayBuffer(4))

/**
 * Keeps a worker busy without using its processor, and returns an id of the worker.
 *
 * @param {number} milliseconds
 */
const rest = (milliseconds) => {
  Atomics.wait(sleeper, 0, 0, milliseconds)
  return `${process.pid}:${threadId}`
}

/** @type {Map<string, number>} */
const counters = new Map()

/**
 * Rests, then makes a file one byte longer: the file counts finished calls without the host.
 *
 * @param {string} file
 * @param {number} milliseconds
 */
const restAndCount = (file, milliseconds) => {
  Atomics.wait(sleeper, 0, 0, milliseconds)
  let counter = counters.get(file)
  if (counter === undefined) counters.set(file, (counter = openSync(file, 'a')))
  writeSync(counter, '.')
}

/**
 * All functions by the names that contenders call them by.
 *
 * @type {Record<string, (...args: any[]) => unknown>}
 */
export const functions = { add, echo, increment, incrementAll, spin, rest, restAndCount, etl }

/** @param {string} name */
export function named(name) {
  const found = functions[name]
  if (found === undefined) throw new Error(`There is no function ${name}`)
  return found
}

/** An object of 240 bytes as JSON. */
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

/** 1,024 characters of one byte each. */
export const text = 'The quick brown fox jumps over the lazy dog. 0123456789 '.repeat(19).slice(0, 1024)

/** @param {number} length */
export const bytes = (length) => new Uint8Array(length).map((_, index) => index)
