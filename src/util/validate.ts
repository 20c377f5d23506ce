// Checks of arguments. A wrong type is a TypeError, a number out of range or not whole a RangeError, any other wrong
// value a TypeError, with the codes that Node itself uses. The message always names the argument, options as
// `options.name`.

import { inspect } from './builtins.js'

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

/** Checks for a number that is not NaN, from `minimum` to `maximum`; both infinities are allowed unless excluded so. */
export function validateNumber(
  value: unknown,
  name: string,
  minimum = -Infinity,
  maximum = Infinity,
): asserts value is number {
  if (typeof value !== 'number') throw invalidType(name, 'a number', value)
  if (!(value >= minimum && value <= maximum)) throw outOfRange(name, range('a number', minimum, maximum), value)
}

/** Checks for a whole number from `minimum` to `maximum`. */
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

/** Checks for true, false or undefined: anything else that happens to be truthy is a mistake. */
export function validateBoolean(value: unknown, name: string): asserts value is boolean | undefined {
  if (value !== undefined && typeof value !== 'boolean') throw invalidType(name, 'true or false', value)
}

/** Checks for something callable. */
export function validateFunction(value: unknown, name: string): asserts value is (...args: never[]) => unknown {
  if (typeof value !== 'function') throw invalidType(name, 'a function', value)
}

/** Checks for an object that options can be read from, or undefined. */
export function validateOptions(value: unknown, name = 'options'): asserts value is object | undefined {
  if (value !== undefined && (value === null || typeof value !== 'object')) throw invalidType(name, 'an object', value)
}

/** Checks for one of a few words. */
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
 * The `timeout` of a wait: milliseconds, where 0 and less mean to look once; undefined for no limit.
 *
 * @throws TypeError or RangeError that names `options` or `options.timeout`.
 */
export function timeoutOf(options: { readonly timeout?: number } | undefined): number | undefined {
  validateOptions(options)
  const timeout = options?.timeout
  if (timeout === undefined) return undefined
  validateNumber(timeout, 'options.timeout')
  return timeout === Infinity ? undefined : timeout
}

function withCode<E extends Error>(error: E, code: string): E {
  // The head of the stack, like Node's: `TypeError [ERR_INVALID_ARG_TYPE]: …`. It is made when `stack` is first read.
  const { name } = error
  Object.defineProperty(error, 'name', { value: `${name} [${code}]`, configurable: true })
  void error.stack
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

/** A short form of a value, which may be anything that a caller passes. */
function show(value: unknown): string {
  const text = inspect(value, { depth: 0, customInspect: false, maxArrayLength: 3, breakLength: Infinity })
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}
