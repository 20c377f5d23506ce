// The classes of errors that arrive as instances of themselves: those that exist in every process. A payload has the
// name of the class, and the receiver looks it up in the same tables.

import { types } from '../util/builtins.js'
import { DOMException } from '../util/globals.js'
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
])
builtins.set('DOMException', DOMException as unknown as Builtin)
// Without a compiler (`--jitless`) there is no WebAssembly.
const { WebAssembly = {} } = globalThis as { WebAssembly?: object }
addBuiltins(WebAssembly, ['CompileError', 'LinkError', 'RuntimeError'])

// Adds the classes that this version of Node has.
function addBuiltins(owner: object, names: string[]): void {
  for (const name of names) {
    const builtin = (owner as Record<string, Builtin | undefined>)[name]
    if (builtin !== undefined) builtins.set(name, builtin)
  }
}

/** Classes inside of Node that no program can name. With a `code`, an instance counts as its built-in base class. */
const NODE_INTERNAL = new Set(['NodeError', 'SystemError', 'AbortError', 'NodeAggregateError'])
const MILLRACE = 'millrace:'

/** A class whose instances arrive as instances of the class itself. */
export type KnownClass = { kind: 'builtin'; name: string; make: Builtin } | { kind: 'millrace'; make: ErrorClass }

/** The name under which `knownClass` finds the error's class; the empty string for a class of the user's own. */
export function knownNameOf(error: object): string {
  const constructor = constructorOf(error)
  if (constructor === undefined) return ''
  const name = functionName(constructor)
  const builtin = builtins.get(name)
  if (builtin !== undefined) {
    if (constructor === builtin) return name
    // The built-in class of another realm, for instance of a vm context.
    return types.isNativeError(error) && isNative(constructor) ? name : ''
  }
  if (isMillrace(error, name)) return MILLRACE + name
  const code = read(error, 'code')
  if (name === 'AssertionError') return code === 'ERR_ASSERTION' ? name : ''
  return typeof code === 'string' && NODE_INTERNAL.has(name) ? nearestBuiltin(error) : ''
}

/**
 * The class of an object, as the object's prototype tells. Own fields do not count. Node's errors have prototypes of
 * their own, whose `constructor` is a built-in class.
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

/** The name of the nearest built-in class that an error's class extends; `Error` if it extends none. */
export function nearestBuiltin(error: object): string {
  for (let object = Object.getPrototypeOf(error); object !== null; object = Object.getPrototypeOf(object)) {
    if (types.isProxy(object)) break
    for (const [name, builtin] of builtins) {
      if (builtin.prototype === object) return name
    }
  }
  return 'Error'
}

/** The class that `knownNameOf` has named; undefined when this process has no such class. */
export function knownClass(name: string): KnownClass | undefined {
  if (name.startsWith(MILLRACE)) {
    const make = errorClasses.get(name.slice(MILLRACE.length))
    return make && { kind: 'millrace', make }
  }
  // 'node:assert' is loaded at its first use: few programs let assertions fail.
  const make =
    name === 'AssertionError'
      ? (process.getBuiltinModule('node:assert').AssertionError as unknown as Builtin)
      : builtins.get(name)
  return make && { kind: 'builtin', name, make }
}

/** The name of a function or class. Runs no user code. */
export function functionName(object: Function): string {
  const name = Object.getOwnPropertyDescriptor(object, 'name')?.value
  return typeof name === 'string' ? name : ''
}

/** A property of any object; undefined when reading it throws. Runs getters and traps. */
export function read(object: object, key: string): unknown {
  try {
    return (object as Record<string, unknown>)[key]
  } catch {
    return undefined
  }
}
