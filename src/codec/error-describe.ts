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
import { serialize, serializeOnTrial } from './v8.js'

/** A value in a description: the value itself, the number of an error or of a list, or a registered symbol. */
export type Reference =
  | readonly [typeof VALUE, unknown]
  | readonly [typeof NODE, number]
  | readonly [typeof LIST, number]
  | readonly [typeof SYMBOL, string]
export const VALUE = 0
export const NODE = 1
export const LIST = 2
export const SYMBOL = 3

/** An element of a list. A number is the number of an error: lists of errors are long. */
export type ListElement = number | Reference

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

/**
 * The thrown value, the errors in it, and the arrays in it that hold errors. Each error and each list is described
 * once, however many refer to it. An error refers only to errors before itself, and to any list; a list refers to any
 * error and any list. So circles lead through lists only.
 */
export type Description = readonly [thrown: Reference, nodes: ErrorNode[], lists: ListElement[][]]

const DEEPEST = 100
const MOST_ERRORS = 10_000
/** Errors of a description: those in the middle of their description when the last one was allowed are some more. */
export const MOST_NODES = MOST_ERRORS + DEEPEST
export const MOST_LISTS = 10_000
/** Elements of all lists. A list that goes beyond has a text in place of its elements. */
export const MOST_ELEMENTS = 200_000
/** Bytes that may be written to find out which values can travel: many values may share large parts. */
const MOST_CHECKED = 128 * 1024 * 1024

/** Fields that are not enumerable on built-in errors. */
const HIDDEN = ['code', 'errors', 'error', 'suppressed']
/** Own properties that have their own places in the description. */
const SPECIAL = new Set(['message', 'stack', 'cause'])

/** The payload that describes a thrown value. */
export function describeThrown(thrown: unknown): Uint8Array {
  return describeTrusting(thrown) ?? describeChecking(thrown)
}

// Errors of one failure often share values and parts of values. The serializer and the search meet each object once, so
// nothing is examined by itself as long as the whole can travel.
function describeTrusting(thrown: unknown): Uint8Array | undefined {
  let asked = false
  const trust = (): boolean => (asked = true)
  try {
    const description = new Describer(trust).describe(thrown)
    const { payload, structure } = serialize(description)
    const isWhole =
      !asked || !mayHideHostObject(payload, structure) || findCulprit(description, '', false) === undefined
    return isWhole ? payload : undefined
  } catch {
    return undefined
  }
}

function describeChecking(thrown: unknown): Uint8Array {
  try {
    return serialize(new Describer(checker()).describe(thrown)).payload
  } catch {
    // Parts that could be cloned one by one cannot be cloned together, or not any more. A text is left, if it is short
    // enough.
    const node: ErrorNode = ['', 'Error', shortText(thrown), '', [], [], 0, []]
    return serialize([[NODE, 0], [node], []] satisfies Description).payload
  }
}

class Describer {
  readonly #nodes: ErrorNode[] = []
  readonly #numbers = new Map<object, number>()
  /** The errors in the middle of their description. A reference back to one of them is cut. */
  readonly #open = new Set<object>()
  readonly #lists: ListElement[][] = []
  /** The arrays behind `#lists`. The elements of a list are described when no error is open any more. */
  readonly #arrays: unknown[][] = []
  readonly #listNumbers = new Map<object, number>()
  #elements = 0
  readonly #travels: (value: object) => boolean
  /** Whether an object that is no list can be cloned, by object: many errors may have the same large object. */
  readonly #travelling = new Map<object, boolean>()
  /** The texts of objects that cannot travel. */
  readonly #texts = new Map<object, string>()

  /** @param travels - Whether an object can be cloned. */
  constructor(travels: (value: object) => boolean) {
    this.#travels = travels
  }

  describe(thrown: unknown): Description {
    const reference = this.#refer(thrown) ?? [
      NODE,
      this.#number(Object(thrown), foreignName(thrown), shortText(thrown)),
    ]
    // The elements of one list may add others.
    for (let number = 0; number < this.#lists.length; number++) this.#fill(number)
    return [reference, this.#nodes, this.#lists]
  }

  // Undefined for a value that cannot travel, and for a reference back to an error in the middle of its description.
  #refer(value: unknown): Reference | undefined {
    if (typeof value === 'symbol') {
      const key = Symbol.keyFor(value)
      return key === undefined ? undefined : [SYMBOL, key]
    }
    if (typeof value !== 'object' || value === null) return typeof value === 'function' ? undefined : [VALUE, value]
    if (isError(value)) {
      const known = this.#numbers.get(value)
      if (known !== undefined) return [NODE, known]
      if (this.#open.has(value) || this.#open.size >= DEEPEST || this.#nodes.length >= MOST_ERRORS) return undefined
      return [NODE, this.#number(value, errorName(value), this.#messageOf(value))]
    }
    return this.#referList(value) ?? this.#referPlain(value)
  }

  // Undefined for an object that is not to be described as a list.
  #referList(value: object): Reference | undefined {
    const known = this.#listNumbers.get(value)
    if (known !== undefined) return [LIST, known]
    if (this.#travelling.has(value) || this.#lists.length >= MOST_LISTS || !holdsErrors(value)) return undefined
    const number = this.#lists.push([]) - 1
    this.#arrays.push(value)
    this.#listNumbers.set(value, number)
    return [LIST, number]
  }

  #fill(number: number): void {
    const array = this.#arrays[number]
    const list = this.#lists[number]
    // Code of the errors may change the array meanwhile.
    const { length } = array
    this.#elements += length
    if (this.#elements > MOST_ELEMENTS) {
      this.#elements -= length
      list.push([VALUE, `… ${length} elements are left out`])
      return
    }
    for (let i = 0; i < length; i++) {
      if (Object.hasOwn(array, i)) list[i] = this.#referAlways(read(array, String(i)))
    }
    list.length = length
  }

  #referPlain(value: object): Reference | undefined {
    let answer = this.#travelling.get(value)
    if (answer === undefined) {
      answer = this.#travels(value)
      this.#travelling.set(value, answer)
    }
    return answer ? [VALUE, value] : undefined
  }

  // Elements of lists cannot be left out. In place of an element that cannot travel comes its text.
  #referAlways(element: unknown): ListElement {
    const reference = this.#refer(element) ?? ([VALUE, this.#textOf(element)] as const)
    return reference[0] === NODE ? reference[1] : reference
  }

  /** A short text about a value, made once for each object: many errors may have the same one. */
  #textOf(value: unknown): string {
    if (typeof value !== 'object' || value === null) return shortText(value)
    let text = this.#texts.get(value)
    if (text === undefined) this.#texts.set(value, (text = shortText(value)))
    return text
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
    return isError(cause) ? [] : [[VALUE, this.#textOf(cause)]]
  }

  #messageOf(error: object): string {
    const message = read(error, 'message')
    if (typeof message === 'string') return message
    return message === undefined ? '' : this.#textOf(message)
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

/** Answers whether objects can be cloned, each by itself; no more when that has cost too much. */
function checker(): (value: object) => boolean {
  let written = 0
  return (value) => {
    if (written > MOST_CHECKED) return false
    const trial = serializeOnTrial(value)
    written += trial.written
    if (trial.payload === undefined) return false
    return !mayHideHostObject(trial.payload, trial.structure) || findCulprit(value, '', false) === undefined
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

/** A name for a thrown value that is no error and cannot be cloned. */
function foreignName(thrown: unknown): string {
  if (typeof thrown === 'function') return 'Function'
  if (typeof thrown === 'symbol') return 'Symbol'
  if (types.isProxy(thrown)) return 'Proxy'
  return className(thrown as object) || 'Object'
}
