// The error envelope, receiving side. The description comes from another process, so its shape is checked. Each field
// is defined and not assigned: `__proto__` is a field like any other.
//
// The stream of the serializer may refer to one array again and again, at two bytes each time. So the work is not
// bounded by the number of arrays in the payload: whatever is walked is counted against the payload's length.

import { MillraceError, RemoteError } from '../errors/index.js'
import { withoutStacks } from '../util/stacks.js'
import { CorruptPayload } from './corrupt.js'
import { type KnownClass, knownClass } from './error-classes.js'
import { type ErrorNode, LIST, MOST_ELEMENTS, MOST_LISTS, MOST_NODES, NODE, SYMBOL, VALUE } from './error-describe.js'

/** The origin of an error. */
export interface ErrorOrigin {
  pid: number
  /** The stack where the call was submitted. */
  submitStack?: string
}

/** Rebuilds a thrown value from its description, which was decoded from a payload of `size` bytes. */
export function rebuildThrown(description: unknown, origin: ErrorOrigin, size: number): unknown {
  const rebuilder = new Rebuilder(origin.pid, size)
  const [thrown, nodes, lists] = list(description)
  // The place of rebuilding is of no interest, and recording a stack would be most of an error's cost.
  withoutStacks(() => rebuilder.rebuildAll(nodes, lists))
  const value = rebuilder.resolve(thrown)
  // Only the thrown error gets its origin: the stacks of its causes speak for themselves.
  if (list(thrown)[0] === NODE) addOrigin(value as Error, origin)
  if (value instanceof MillraceError) ofTasks.add(value)
  return value
}

/** Errors of this package that tasks have thrown: for instance those of a pool that a task has made. */
const ofTasks = new WeakSet<object>()

/** Whether an error of this package was thrown by a task, so that it tells nothing about the task's own call. */
export function isOfTask(error: MillraceError): boolean {
  return ofTasks.has(error)
}

function addOrigin(error: Error, { pid, submitStack }: ErrorOrigin): void {
  const stack = `${error.stack}\n    — in worker pid ${pid} —`
  define(error, 'stack', submitStack ? `${stack}\n${submitStack}` : stack, false)
}

class Rebuilder {
  readonly #pid: number
  /** The bytes that are left to account for what is walked. */
  #left: number
  readonly #errors: Error[] = []
  readonly #lists: unknown[][] = []

  constructor(pid: number, size: number) {
    this.#pid = pid
    this.#left = size
  }

  /** Rebuilds the errors in their order. The lists are there before, empty, and are filled afterwards. */
  rebuildAll(nodes: unknown, lists: unknown): void {
    const descriptions = this.#walk(lists, MOST_LISTS)
    for (let i = 0; i < descriptions.length; i++) this.#lists.push([])
    const known = this.#walk(nodes, MOST_NODES)
    for (let i = 0; i < known.length; i++) this.#errors.push(this.#rebuild(this.#checked(known[i])))
    let elements = 0
    for (let i = 0; i < descriptions.length; i++) {
      const description = this.#walk(descriptions[i], MOST_ELEMENTS)
      elements += description.length
      // A list that was cut has one element.
      if (elements > MOST_ELEMENTS + MOST_LISTS) throw new CorruptPayload('the lists of errors are too long')
      this.#fill(this.#lists[i], description)
    }
  }

  /** @throws CorruptPayload when the reference leads nowhere. */
  resolve(reference: unknown): unknown {
    const [kind, content] = list(reference)
    switch (kind) {
      case VALUE:
        return content
      case NODE:
        return numbered(this.#errors, content)
      case LIST:
        return numbered(this.#lists, content)
      case SYMBOL:
        return Symbol.for(text(content))
      default:
        throw new CorruptPayload('the description of an error has no such reference')
    }
  }

  #fill(target: unknown[], description: readonly unknown[]): void {
    for (let i = 0; i < description.length; i++) {
      const element = description[i]
      if (typeof element === 'number') target[i] = numbered(this.#errors, element)
      else if (element !== undefined) target[i] = this.resolve(element)
    }
    // A list may end in holes.
    target.length = description.length
  }

  #rebuild(node: ErrorNode): Error {
    const [knownName, name, message, stack, keys, references, visible, cause] = node
    const fields = new Map<string, unknown>()
    keys.forEach((key, i) => fields.set(key, this.resolve(references[i])))
    const causes = cause.map((reference) => this.resolve(reference))
    const known = knownName === '' ? undefined : knownClass(knownName)
    const error =
      (known && construct(known, name, message, fields, causes)) ?? remoteError(name, message, stack, this.#pid, fields)
    if (error instanceof RemoteError && known?.kind !== 'millrace') {
      // `remote` is set here, and `code` has a value in any case.
      fields.delete('remote')
      if (fields.get('code') === undefined) fields.delete('code')
    }
    keys.forEach((key, i) => {
      if (fields.has(key)) define(error, key, fields.get(key), i < visible)
    })
    if (causes.length > 0) define(error, 'cause', causes[0], false)
    if (error.name !== name) define(error, 'name', name, false)
    if (error.message !== message) define(error, 'message', message, false)
    define(error, 'stack', stack, false)
    return error
  }

  #checked(node: unknown): ErrorNode {
    const [known, name, message, stack, keys, fields, visible, cause] = list(node)
    const names = this.#walk(keys).map(text)
    const values = this.#walk(fields)
    // A reference takes some more bytes, and is more work than an element of a list.
    this.#spend(6 * values.length)
    if (names.length !== values.length) throw new CorruptPayload('an error has more fields than values')
    const shown = typeof visible === 'number' ? visible : 0
    const causes = list(cause).slice(0, 1)
    const checked = [text(known), text(name), text(message), text(stack), names, values, shown, causes] as ErrorNode
    // A constructor may copy the texts.
    this.#spend(checked[0].length + checked[1].length + checked[2].length + checked[3].length)
    return checked
  }

  /** A list of the description that is about to be walked. */
  #walk(value: unknown, most = Infinity): unknown[] {
    const elements = list(value)
    if (elements.length > most) throw new CorruptPayload('the description of an error has too many parts')
    this.#spend(elements.length)
    return elements
  }

  /** Accounts for elements or characters, each of which takes at least a byte of the payload. */
  #spend(bytes: number): void {
    this.#left -= bytes
    if (this.#left < 0) throw new CorruptPayload('the description of an error is longer than its payload')
  }
}

function numbered<T>(items: readonly T[], number: unknown): T {
  const item = typeof number === 'number' ? items[number] : undefined
  if (item === undefined) throw new CorruptPayload('an error refers to one that is not before it')
  return item
}

function remoteError(
  name: string,
  message: string,
  stack: string,
  pid: number,
  fields: ReadonlyMap<string, unknown>,
): RemoteError {
  return new RemoteError(message, { remote: { name, stack, pid }, code: fields.get('code') })
}

/** An instance of a known class; undefined when the constructor refuses the original's message or fields. */
function construct(
  known: KnownClass,
  name: string,
  message: string,
  fields: ReadonlyMap<string, unknown>,
  causes: readonly unknown[],
): Error | undefined {
  const text = message === '' ? undefined : message
  try {
    if (known.kind === 'millrace') {
      const details: Record<string, unknown> = Object.assign(Object.create(null), Object.fromEntries(fields))
      if (causes.length > 0) details.cause = causes[0]
      return new known.make(message, details as never)
    }
    switch (known.name) {
      case 'AggregateError':
        return new known.make([], text)
      case 'SuppressedError':
        return new known.make(undefined, undefined, text)
      case 'DOMException':
        return new known.make(message, name)
      case 'AssertionError':
        return new known.make({ message, operator: fields.get('operator') })
      default:
        return new known.make(text)
    }
  } catch {
    return undefined
  }
}

function define(error: Error, key: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(error, key, { value, enumerable, writable: true, configurable: true })
}

function list(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new CorruptPayload('the description of an error lacks a list')
  return value
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new CorruptPayload('the description of an error lacks a text')
  return value
}
