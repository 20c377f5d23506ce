// Options objects: which properties of such an object are options, and the refusal of unknown ones.
//
// The rule: an option is a property of the object itself, or one that the object's class defines (a getter). Nothing
// else that the object inherits is an option, so code that has written to `Object.prototype`, or has put a prototype
// of its own under the object, decides nothing.

import { meantOption } from './meant-option.js'
import { invalidType, invalidValue, withCode } from './validate.js'

/** The options of one function: all their names, and the function's name for messages. */
export interface OptionNames<T extends object> {
  readonly of: string
  /** The name of the object for messages: `options`, or `options.retries` for options inside of an option. */
  readonly at: string
  readonly names: readonly (keyof T & string)[]
  readonly known: ReadonlySet<string>
}

/** Options that were read and have known names. They have no prototype, through which others could be read. */
export type OwnOptions<T extends object> = { readonly [K in keyof T]?: T[K] }

/**
 * The names of the options of the function `of`.
 *
 * @param table - Has each name of `T`, so that the compiler finds one that is missing.
 */
export function optionNames<T extends object>(
  of: string,
  table: Record<keyof T, true>,
  at = 'options',
): OptionNames<T> {
  const names = Object.keys(table) as (keyof T & string)[]
  return { of, at, names, known: new Set<string>(names) }
}

const NONE = Object.freeze(Object.create(null) as object)

/**
 * Reads an options object, each option once.
 *
 * An unknown name with the value undefined is no error: undefined asks for nothing, whatever its name.
 *
 * @throws TypeError when `options` is no object, has an unknown option, or inherits an option from an object that is
 * not its class.
 */
export function ownOptions<T extends object>(
  options: T | undefined,
  { of, at, names, known }: OptionNames<T>,
): OwnOptions<T> {
  if (options === undefined) return NONE as OwnOptions<T>
  if (options === null || typeof options !== 'object' || Array.isArray(options)) {
    throw invalidType(at, 'an object', options)
  }
  const own = Object.create(null) as { [K in keyof T]?: T[K] }
  const prototype: unknown = Object.getPrototypeOf(options)
  const isPlain = prototype === null || prototype === Object.prototype
  for (const name of names) {
    if (isPlain ? Object.hasOwn(options, name) : isOption(options, name, at)) own[name] = options[name]
  }
  for (const name of Object.keys(options)) {
    if (!known.has(name)) refuseUnknown(name, (options as Record<string, unknown>)[name], { of, at, names })
  }
  return own
}

/** Whether an object that has a prototype of its own has the option. */
function isOption(options: object, name: string, at: string): boolean {
  for (let holder: unknown = options; holder !== null; holder = Object.getPrototypeOf(holder)) {
    if (!Object.hasOwn(holder as object, name)) continue
    if (holder === options || isClassPrototype(holder as object)) return true
    if (isRoot(holder as object)) return false
    const rule = 'a property of the options object itself: this one is inherited, from an object that is no class'
    throw invalidValue(`${at}.${name}`, rule, Reflect.get(options, name))
  }
  return false
}

/** Whether an object is the prototype of a class, or of a function used as one, that programs have written. */
function isClassPrototype(holder: object): boolean {
  if (isRoot(holder)) return false
  const constructor: unknown = Object.getOwnPropertyDescriptor(holder, 'constructor')?.value
  return typeof constructor === 'function' && constructor.prototype === holder
}

/** Whether an object is `Object.prototype`, of this realm or of another. */
function isRoot(holder: object): boolean {
  return Object.getPrototypeOf(holder) === null && Object.hasOwn(holder, 'hasOwnProperty')
}

function refuseUnknown(
  name: string,
  value: unknown,
  { of, at, names }: { of: string; at: string; names: readonly string[] },
): void {
  if (value === undefined) return
  const meant = meantOption(name, names)
  const advice = meant === undefined ? `Its options are: ${names.join(', ')}` : `Did you mean "${meant}"?`
  throw withCode(new TypeError(`"${at}.${name}" is no option of ${of}. ${advice}`), 'ERR_INVALID_ARG_VALUE')
}
