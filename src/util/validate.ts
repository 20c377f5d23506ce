// Checks of arguments.
//
// A value of a wrong type is a TypeError, a number out of range or not whole is a RangeError, any other wrong value is
// a TypeError. The errors have the codes of Node's own. The message names the argument, an option as `options.name`.

import { inspect } from './builtins.js'
import { stackOf } from './stacks.js'

/** A `TypeError` (`ERR_INVALID_ARG_TYPE`); `expected` completes "must be …". */
export function invalidType(name: string, expected: string, actual: unknown): TypeError {
  const error = new TypeError(`The "${name}" argument must be ${expected}; got ${describe(actual)}`)
  return withCode(error, 'ERR_INVALID_ARG_TYPE')
}

/** A `TypeError` (`ERR_INVALID_ARG_VALUE`) for a value of the right type; `expected` completes "must be …". */
export function invalidValue(name: string, expected: string, actual: unknown): TypeError {
  const error = new TypeError(`The "${name}" argument must be ${expected}; got ${show(actual)}`)
  return withCode(error, 'ERR_INVALID_ARG_VALUE')
}

/** A `RangeError` (`ERR_OUT_OF_RANGE`); `expected` completes "must be …". */
export function outOfRange(name: string, expected: string, actual: number): RangeError {
  const error = new RangeError(`The "${name}" argument must be ${expected}; got ${show(actual)}`)
  return withCode(error, 'ERR_OUT_OF_RANGE')
}

/** Checks that a value is a number from `minimum` to `maximum`, both included, and not NaN. */
export function validateNumber(
  value: unknown,
  name: string,
  minimum = -Infinity,
  maximum = Infinity,
): asserts value is number {
  if (typeof value !== 'number') throw invalidType(name, 'a number', value)
  if (!(value >= minimum && value <= maximum)) throw outOfRange(name, range('a number', minimum, maximum), value)
}

/** Checks that a value is a whole number from `minimum` to `maximum`, both included. */
export function validateInteger(
  value: unknown,
  name: string,
  minimum: number,
  maximum: number = Number.MAX_SAFE_INTEGER,
): asserts value is number {
  if (typeof value !== 'number') throw invalidType(name, 'a whole number', value)
  if (!Number.isInteger(value) || value < minimum || value > maximum) {
    throw outOfRange(name, range('a whole number', minimum, maximum), value)
  }
}

/** Checks that a value is true, false or undefined: any other truthy or falsy value is a mistake. */
export function validateBoolean(value: unknown, name: string): asserts value is boolean | undefined {
  if (value !== undefined && typeof value !== 'boolean') throw invalidType(name, 'true or false', value)
}

/** Checks that a value can be called. */
export function validateFunction(value: unknown, name: string): asserts value is (...args: never[]) => unknown {
  if (typeof value !== 'function') throw invalidType(name, 'a function', value)
}

/** Checks that a value is one of a few words. */
export function validateOneOf<T extends string>(
  value: unknown,
  name: string,
  allowed: readonly T[],
): asserts value is T {
  const choices = `one of ${allowed.map((choice) => `'${choice}'`).join(', ')}`
  if (typeof value !== 'string') throw invalidType(name, choices, value)
  if (!(allowed as readonly string[]).includes(value)) throw invalidValue(name, choices, value)
}

/**
 * The option `timeout` of a wait in milliseconds, undefined for no limit. With 0 or less a wait only looks at the
 * present state.
 *
 * @throws TypeError or RangeError that names `options.timeout`.
 */
export function timeoutOf(timeout: unknown): number | undefined {
  if (timeout === undefined) return undefined
  validateNumber(timeout, 'options.timeout')
  return timeout === Infinity ? undefined : timeout
}

/** The error, with a code that its stack shows as well. */
export function withCode<E extends Error>(error: E, code: string): E {
  // The head of the stack is made when `stack` is first read: with this name it is like Node's own,
  // `TypeError [ERR_INVALID_ARG_TYPE]: …`.
  const { name } = error
  Object.defineProperty(error, 'name', { value: `${name} [${code}]`, configurable: true })
  stackOf(error)
  delete (error as { name?: string }).name
  return Object.assign(error, { code })
}

function range(kind: string, minimum: number, maximum: number): string {
  if (minimum === Number.MIN_SAFE_INTEGER && maximum === Number.MAX_SAFE_INTEGER) return `${kind} within ±(2 ** 53 - 1)`
  if (minimum === -Infinity && maximum === Infinity) return `${kind}, not NaN`
  if (maximum === Infinity || maximum === Number.MAX_SAFE_INTEGER) return `${kind} of at least ${minimum}`
  if (minimum === -Infinity) return `${kind} of at most ${maximum}`
  return `${kind} from ${minimum} to ${maximum}`
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'object') return Array.isArray(value) ? 'an array' : 'an object'
  return `${typeof value} ${show(value)}`
}

/** A value as a short text. */
function show(value: unknown): string {
  const text = inspect(value, { depth: 0, customInspect: false, maxArrayLength: 3, breakLength: Infinity })
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}
