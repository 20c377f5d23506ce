// The error envelope, sending side. Every codec loses of an error what matters: its class, `code`, own fields, the
// errors of an AggregateError. So what was thrown is described with plain data, and that is serialized. Nothing here
// may throw, whatever was thrown: frozen, cyclic, a proxy, getters that throw.

import { types } from '../util/builtins.js'
import { shortText } from '../util/text.js'
import { constructorOf, functionName, knownNameOf, nearestBuiltin, read } from './error-classes.js'
import { mayHideHostObject } from './host-objects.js'
import { findCulprit } from './uncloneable.js'
import { serialize } from './v8.js'

/** A value within a description: itself, an error by its number, a list with errors in it, a registered symbol. */
export type Reference =
  | readonly [typeof VALUE, unknown]
  | readonly [typeof NODE, number]
  | readonly [typeof LIST, Reference[]]
  | readonly [typeof SYMBOL, string]
export const VALUE = 0
export const NODE = 1
export const LIST = 2
export const SYMBOL = 3

/** One error. A tuple, since nothing can be mistaken for its fields then, not even a polluted prototype's. */
export type ErrorNode = readonly [
  /** As `knownNameOf` says. */
  known: string,
  name: string,
  message: string,
  stack: string,
  keys: string[],
  fields: Reference[],
  /** How many of the fields are enumerable; those come first. */
  visible: number,
  /** No element or one. */
  cause: Reference[],
]

/** What was thrown, and the errors in it; each refers only to errors before itself. */
export type Description = readonly [thrown: Reference, nodes: ErrorNode[]]

const DEEPEST = 100
const MOST_ERRORS = 10_000

/** Fields that are not enumerable on built-in errors. */
const HIDDEN = ['code', 'errors', 'error', 'suppressed']
/** Own properties that are described by themselves. */
const SPECIAL = new Set(['message', 'stack', 'cause'])

/** The payload that describes what was thrown. */
export function describeThrown(thrown: unknown): Uint8Array {
  try {
    return serialize(new Describer().describe(thrown)).payload
  } catch {
    // What could be cloned by itself could not be any more, or not all together. Then text is left, if it is not too
    // long.
    const node: ErrorNode = ['', 'Error', shortText(thrown), '', [], [], 0, []]
    return serialize([[NODE, 0], [node]] satisfies Description).payload
  }
}

class Describer {
  readonly #nodes: ErrorNode[] = []
  readonly #numbers = new Map<object, number>()
  /** The errors being described: a reference back to one of them is cut. */
  readonly #open = new Set<object>()
  /** Whether an object can be cloned; many errors may have the same large one. */
  readonly #travelling = new Map<object, boolean>()

  describe(thrown: unknown): Description {
    const reference = this.#refer(thrown)
    if (reference !== undefined) return [reference, this.#nodes]
    return [[NODE, this.#number(Object(thrown), foreignName(thrown), shortText(thrown))], this.#nodes]
  }

  // Undefined for what cannot travel, and for the way back to an error that is being described.
  #refer(value: unknown): Reference | undefined {
    if (typeof value === 'symbol') {
      const key = Symbol.keyFor(value)
      return key === undefined ? undefined : [SYMBOL, key]
    }
    if (isError(value)) {
      const known = this.#numbers.get(value)
      if (known !== undefined) return [NODE, known]
      if (this.#open.has(value) || this.#open.size >= DEEPEST || this.#nodes.length >= MOST_ERRORS) return undefined
      return [NODE, this.#number(value, errorName(value), readMessage(value))]
    }
    // Only the errors themselves: lists in lists could be cyclic.
    if (holdsErrors(value)) return [LIST, value.map((element) => this.#referAlways(element))]
    return this.#referPlain(value)
  }

  #referPlain(value: unknown): Reference | undefined {
    if (typeof value !== 'object' || value === null) return typeof value === 'function' ? undefined : [VALUE, value]
    let answer = this.#travelling.get(value)
    if (answer === undefined) {
      answer = travels(value)
      this.#travelling.set(value, answer)
    }
    return answer ? [VALUE, value] : undefined
  }

  // For the elements of lists, which cannot be left out: in their place comes what `inspect` would say of them.
  #referAlways(element: unknown): Reference {
    const reference = isError(element) || typeof element === 'symbol' ? this.#refer(element) : this.#referPlain(element)
    return reference ?? [VALUE, shortText(element)]
  }

  #number(error: object, name: string, message: string): number {
    this.#open.add(error)
    const isProxy = types.isProxy(error)
    const known = isProxy || !isError(error) ? '' : knownNameOf(error)
    const stack = isProxy ? undefined : read(error, 'stack')
    const keys: string[] = []
    const fields: Reference[] = []
    const add = (key: string): void => {
      const reference = this.#refer(read(error, key))
      if (reference === undefined) return
      keys.push(key)
      fields.push(reference)
    }
    const own = isProxy ? [] : Object.keys(error)
    for (const key of own) if (!SPECIAL.has(key)) add(key)
    const visible = keys.length
    // A DOMException's own code follows from its name.
    const hidden = isProxy || known === 'DOMException' ? [] : HIDDEN
    for (const key of hidden) if (!keys.includes(key) && read(error, key) !== undefined) add(key)
    const node: ErrorNode = [
      known,
      name,
      message,
      typeof stack === 'string' ? stack : `${name}: ${message}`,
      keys,
      fields,
      visible,
      isProxy ? [] : this.#causeOf(error),
    ]
    this.#open.delete(error)
    const number = this.#nodes.push(node) - 1
    this.#numbers.set(error, number)
    return number
  }

  #causeOf(error: object): Reference[] {
    if (!Object.hasOwn(error, 'cause')) return []
    const cause = read(error, 'cause')
    const reference = this.#refer(cause)
    if (reference !== undefined) return [reference]
    // An error that is left out is one of a cycle, or too far down.
    return isError(cause) ? [] : [[VALUE, shortText(cause)]]
  }
}

/** Whether a value is an error of any realm; never runs code. */
function isError(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || types.isProxy(value)) return false
  if (types.isNativeError(value)) return true
  for (let object = Object.getPrototypeOf(value); object !== null; object = Object.getPrototypeOf(object)) {
    if (types.isProxy(object)) return false
    if (object === Error.prototype) return true
  }
  return false
}

function holdsErrors(value: unknown): value is unknown[] {
  if (types.isProxy(value) || !Array.isArray(value) || value.length > MOST_ERRORS) return false
  try {
    return value.some(isError)
  } catch {
    return false
  }
}

function travels(value: object): boolean {
  try {
    const { payload, structure } = serialize(value)
    return !mayHideHostObject(payload, structure) || findCulprit(value, '', false) === undefined
  } catch {
    return false
  }
}

/** The error's name; that of its class where the class is the user's own and does not set one. */
function errorName(error: object): string {
  const name = read(error, 'name')
  const own = className(error)
  if (typeof name !== 'string' || name === '') return own || 'Error'
  const isInherited = !Object.hasOwn(error, 'name') && name === nearestBuiltin(error)
  return isInherited && own !== '' && knownNameOf(error) === '' ? own : name
}

function className(object: object): string {
  const constructor = constructorOf(object)
  return constructor === undefined ? '' : functionName(constructor)
}

function readMessage(error: object): string {
  const message = read(error, 'message')
  if (typeof message === 'string') return message
  return message === undefined ? '' : shortText(message)
}

/** A name for something thrown that is no error and cannot be cloned. */
function foreignName(thrown: unknown): string {
  if (typeof thrown === 'function') return 'Function'
  if (typeof thrown === 'symbol') return 'Symbol'
  if (types.isProxy(thrown)) return 'Proxy'
  return className(thrown as object) || 'Object'
}
