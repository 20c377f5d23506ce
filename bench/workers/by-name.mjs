// The module of workers whose pools call an export with one argument: here, the list of the function's arguments.

import { named } from '../functions.mjs'

/** @param {string} name */
const taking = (name) => {
  const called = named(name)
  return (/** @type {unknown[]} */ args) => called(...args)
}

export const add = taking('add')
export const echo = taking('echo')
export const incrementAll = taking('incrementAll')
export const spin = taking('spin')
export const rest = taking('rest')
export const restAndCount = taking('restAndCount')
export const etl = taking('etl')
