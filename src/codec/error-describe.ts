// The error envelope, sending side.
//
// Every codec would lose parts of an error that matter: the class, `code`, own fields, the errors of an AggregateError.
// So a thrown value is described by plain data, and this description is serialized. Nothing here may throw, whatever
// was thrown: frozen or cyclic errors, proxies, getters that throw.

import { types } from '../util/builtins.js'
import { shortText } from '../util/text.js'
import { constructorOf, functionName, knownNameOf, nearestBuiltin, read } from './error-classes.js'
import { mayHideHostObject } from './host-objects.js'
import { findCulprit } from './uncloneable.js'
import { serialize } from './v8.js'

/** A value in a description: the value itself, an error's number, a list with errors in it, or a registered symbol. */
export type Reference =
  | readonly [typeof VALUE, unknown]
  | readonly [typeof NODE, number]
  | readonly [typeof LIST, Reference[]]
  | readonly [typeof SYMBOL, string]
export const VALUE = 0
export const NODE = 1
export const LIST = 2
export const SYMBOL = 3

/** One error. A tuple, because nobody can mistake anything for its members, not even with a polluted prototype. */
export type ErrorNode = readonly [
  /** The result of `knownNameOf`. */
  known: string,
  name: string,
  message: string,
  stack: string,
  keys: string[],
  fields: Reference[],
  /** The number of enumerable fields. Enumerable fields come first. */
  visible: number,
  /** Empty, or the one cause. */
  cause: Reference[],
]

/** The thrown value and the errors in it. Each error refers only to errors before itself. */
export type Description = readonly [thrown: Reference, nodes: ErrorNode[]]

const DEEPEST = 100
const MOST_ERRORS = 10_000

/** Fields that are not enumerable on built-in errors. */
const HIDDEN = ['code', 'errors', 'error', 'suppressed']
/** Own properties that have their own places in the description. */
const SPECIAL = new Set(['message', 'stack', 'cause'])

/** The payload that describes a thrown value. */
export function describeThrown(thrown: unknown): Uint8Array {
  try {
    return serialize(new Describer().describe(thrown)).payload
  } catch {
    // Parts that could be cloned one by one cannot be cloned together, or not any more. A text is left, if it is short
    // enough.
    const node: ErrorNode = ['', 'Error', shortText(thrown), '', [], [], 0, []]
    return serialize([[NODE, 0], [node]] satisfies Description).payload
  }
}

class Describer {
  readonly #nodes: ErrorNode[] = []
  readonly #numbers = new Map<object, number>()
  /** The errors in the middle of their description. A reference back to one of them is cut. */
  readonly #open = new Set<object>()
  /** Whether an object can be cloned, by object: many errors may have the same large object. */
  readonly #travelling = new Map<object, boolean>()

  describe(thrown: unknown): Description {
    const reference = this.#refer(thrown)
    if (reference !== undefined) return [reference, this.#nodes]
    return [[NODE, this.#number(Object(thrown), foreignName(thrown), shortText(thrown))], this.#nodes]
  }

  // Undefined for a value that cannot travel, and for a reference back to an error in the middle of its description.
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
    // Only lists of errors: lists in lists could be cyclic.
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

  // Elements of lists cannot be left out. In place of an element that cannot travel comes its text.
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
    // The `code` of a DOMException follows from its name.
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
    // An error without a reference is part of a cycle, or too deep: such a cause is left out.
    return isError(cause) ? [] : [[VALUE, shortText(cause)]]
  }
}

/** Whether a value is an error of any realm. Runs no user code. */
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

/** The error's name; the name of its class where the class is the user's own and sets no name. */
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

/** A name for a thrown value that is no error and cannot be cloned. */
function foreignName(thrown: unknown): string {
  if (typeof thrown === 'function') return 'Function'
  if (typeof thrown === 'symbol') return 'Symbol'
  if (types.isProxy(thrown)) return 'Proxy'
  return className(thrown as object) || 'Object'
}
