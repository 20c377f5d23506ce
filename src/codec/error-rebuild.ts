// The error envelope, receiving side. The description comes from another process, so its shape is checked. Each field
// is defined and not assigned: `__proto__` is a field like any other.

import { RemoteError } from '../errors/index.js'
import { withoutStacks } from '../util/stacks.js'
import { CorruptPayload } from './corrupt.js'
import { type KnownClass, knownClass } from './error-classes.js'
import { type ErrorNode, LIST, NODE, SYMBOL, VALUE } from './error-describe.js'

/** The origin of an error. */
export interface ErrorOrigin {
  pid: number
  /** The stack where the call was submitted. */
  submitStack?: string
}

/** Rebuilds a thrown value from its description. */
export function rebuildThrown(description: unknown, origin: ErrorOrigin): unknown {
  const [thrown, nodes] = list(description)
  const built: Error[] = []
  // The place of rebuilding is of no interest, and recording a stack would be most of an error's cost.
  withoutStacks(() => {
    for (const node of list(nodes)) built.push(rebuild(checked(node), built, origin.pid))
  })
  const value = resolve(thrown, built)
  // Only the thrown error gets its origin: the stacks of its causes speak for themselves.
  if (list(thrown)[0] === NODE) addOrigin(value as Error, origin)
  return value
}

function addOrigin(error: Error, { pid, submitStack }: ErrorOrigin): void {
  const stack = `${error.stack}\n    — in worker pid ${pid} —`
  define(error, 'stack', submitStack ? `${stack}\n${submitStack}` : stack, false)
}

function rebuild(node: ErrorNode, built: Error[], pid: number): Error {
  const [knownName, name, message, stack, keys, references, visible, cause] = node
  const fields = new Map<string, unknown>()
  keys.forEach((key, i) => fields.set(key, resolve(references[i], built)))
  const causes = cause.map((reference) => resolve(reference, built))
  const known = knownName === '' ? undefined : knownClass(knownName)
  const error =
    (known && construct(known, name, message, fields, causes)) ?? remoteError(name, message, stack, pid, fields)
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

function resolve(reference: unknown, built: readonly Error[]): unknown {
  const [kind, content] = list(reference)
  switch (kind) {
    case VALUE:
      return content
    case NODE: {
      const error = built[content as number]
      if (error === undefined) throw new CorruptPayload('an error refers to one that is not before it')
      return error
    }
    case LIST:
      return list(content).map((element) => resolve(element, built))
    case SYMBOL:
      return Symbol.for(text(content))
    default:
      throw new CorruptPayload('the description of an error has no such reference')
  }
}

function checked(node: unknown): ErrorNode {
  const [known, name, message, stack, keys, fields, visible, cause] = list(node)
  const names = list(keys).map(text)
  const values = list(fields)
  if (names.length !== values.length) throw new CorruptPayload('an error has more fields than values')
  const shown = typeof visible === 'number' ? visible : 0
  const causes = list(cause).slice(0, 1)
  return [text(known), text(name), text(message), text(stack), names, values, shown, causes] as ErrorNode
}

function list(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new CorruptPayload('the description of an error lacks a list')
  return value
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new CorruptPayload('the description of an error lacks a text')
  return value
}
