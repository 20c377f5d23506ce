// Which classes of errors arrive as themselves: those that exist in every process. The name in a payload is looked up
// in the same tables on the other side.

import { types } from '../util/builtins.js'
import { type ErrorClass, errorClasses } from '../errors/index.js'

type Builtin = new (...args: unknown[]) => Error

const builtins = new Map<string, Builtin>()
addBuiltins(globalThis, [
  'Error',
  'EvalError',
  'RangeError',
  'ReferenceError',
  'SyntaxError',
  'TypeError',
  'URIError',
  'AggregateError',
  'SuppressedError',
  'DOMException',
])
addBuiltins((globalThis as unknown as { WebAssembly: object }).WebAssembly, [
  'CompileError',
  'LinkError',
  'RuntimeError',
])

// Those that this version of Node has.
function addBuiltins(owner: object, names: string[]): void {
  for (const name of names) {
    const builtin = (owner as Record<string, Builtin | undefined>)[name]
    if (builtin !== undefined) builtins.set(name, builtin)
  }
}

/**
 * Classes within Node that no program can name; with a `code`, their instances count as the built-in class they extend.
 */
const NODE_INTERNAL = new Set(['NodeError', 'SystemError', 'AbortError', 'NodeAggregateError'])
const MILLRACE = 'millrace:'

/** The class of an error that arrives as itself. */
export type KnownClass = { kind: 'builtin'; name: string; make: Builtin } | { kind: 'millrace'; make: ErrorClass }

/** The name under which `knownClass` finds the error's class; the empty string for a class of the user's own. */
export function knownNameOf(error: object): string {
  const constructor = constructorOf(error)
  if (constructor === undefined) return ''
  const name = functionName(constructor)
  const builtin = builtins.get(name)
  if (builtin !== undefined) {
    if (constructor === builtin) return name
    // The same class of another realm, such as a vm context's.
    return types.isNativeError(error) && isNative(constructor) ? name : ''
  }
  if (isMillrace(error, name)) return MILLRACE + name
  const code = read(error, 'code')
  if (name === 'AssertionError') return code === 'ERR_ASSERTION' ? name : ''
  return typeof code === 'string' && NODE_INTERNAL.has(name) ? nearestBuiltin(error) : ''
}

/**
 * The class of an object, as its prototype says: Node's errors have prototypes of their own which say that the class is
 * built in. Own fields do not count.
 */
export function constructorOf(object: object): Function | undefined {
  const prototype = Object.getPrototypeOf(object)
  if (prototype === null || types.isProxy(prototype)) return undefined
  const constructor = read(prototype, 'constructor')
  return typeof constructor === 'function' && !types.isProxy(constructor) ? constructor : undefined
}

function isMillrace(error: object, name: string): boolean {
  const known = errorClasses.get(name)
  return known !== undefined && error instanceof known
}

function isNative(constructor: Function): boolean {
  return Function.prototype.toString.call(constructor).endsWith('{ [native code] }')
}

/** The built-in class that an error's class extends, as far as it does. */
export function nearestBuiltin(error: object): string {
  for (let object = Object.getPrototypeOf(error); object !== null; object = Object.getPrototypeOf(object)) {
    if (types.isProxy(object)) break
    for (const [name, builtin] of builtins) {
      if (builtin.prototype === object) return name
    }
  }
  return 'Error'
}

/** What `knownNameOf` has named; undefined when this process has no such class. */
export function knownClass(name: string): KnownClass | undefined {
  if (name.startsWith(MILLRACE)) {
    const make = errorClasses.get(name.slice(MILLRACE.length))
    return make && { kind: 'millrace', make }
  }
  // Loaded when first needed: few programs let assertions fail.
  const make =
    name === 'AssertionError'
      ? (process.getBuiltinModule('node:assert').AssertionError as unknown as Builtin)
      : builtins.get(name)
  return make && { kind: 'builtin', name, make }
}

/** The name of a function or class; never runs code. */
export function functionName(object: Function): string {
  const name = Object.getOwnPropertyDescriptor(object, 'name')?.value
  return typeof name === 'string' ? name : ''
}

/** A property of an object that may do anything when asked; undefined when it throws. */
export function read(object: object, key: string): unknown {
  try {
    return (object as Record<string, unknown>)[key]
  } catch {
    return undefined
  }
}
