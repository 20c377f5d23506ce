// The function behind a name among a module's exports.
//
// Of a CommonJS module `import` gives `module.exports` as the default export, and as exports by name only what a scan
// of the module's text finds. So a name that is no export is looked for in the default export, which has all of them.

import { isThenable } from '../util/thenable.js'

type Exports = Readonly<Record<string, unknown>>
type Callable = (...args: never[]) => unknown

/** What a module has under a name. */
export interface Found {
  /** Undefined when the value cannot be called. */
  readonly task: Callable | undefined
  /** Whether there is a value at all. */
  readonly exists: boolean
}

/**
 * Finds the function that a module exports as `name`: an export; else a function of the default export; else one of the
 * default export's own `default`, which compilers to CommonJS write. A function of the default export is called as its
 * method. Promises of functions and of default exports are awaited.
 *
 * @throws Errors of getters, and reasons of promises that reject.
 */
export async function findExported(namespace: Exports, name: string): Promise<Found> {
  let direct = namespace[name]
  if (isPromise(direct)) direct = await direct
  if (isCallable(direct)) return { task: asMethod(direct, namespace.default, name), exists: true }
  let exists = direct !== undefined
  let owner = namespace.default
  for (let level = 0; level < 2; level++) {
    if (isPromise(owner)) owner = await owner
    let member = memberOf(owner, name)
    if (isPromise(member)) member = await member
    if (isCallable(member)) return { task: bind(member, owner), exists: true }
    exists ||= member !== undefined
    owner = memberOf(owner, 'default')
  }
  return { task: undefined, exists }
}

/** Whether to await a value. A function is no promise, even if it has a method `then`. */
function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && isThenable(value)
}

function isCallable(value: unknown): value is Callable {
  return typeof value === 'function'
}

/** An exported function, as a method of the default export if it is one: functions of CommonJS modules use `this`. */
function asMethod(task: Callable, owner: unknown, name: string): Callable {
  try {
    return name !== 'default' && memberOf(owner, name) === task ? bind(task, owner) : task
  } catch {
    // A getter of the default export, which has nothing to do with this function.
    return task
  }
}

function bind(task: Callable, owner: unknown): Callable {
  return Function.prototype.bind.call(task, owner) as Callable
}

/** What each object, function, promise or array has. Nobody exports that. */
const COMMON = [Object.prototype, Function.prototype, Promise.prototype, Array.prototype]

/** A property of an object or function, also an inherited one, but none that comes from the language. */
function memberOf(owner: unknown, name: string): unknown {
  if (!(typeof owner === 'object' || typeof owner === 'function') || owner === null) return undefined
  if ((name === 'constructor' || name === '__proto__') && !Object.hasOwn(owner, name)) return undefined
  const value = (owner as Exports)[name]
  const isCommon = COMMON.some((prototype) => Object.getOwnPropertyDescriptor(prototype, name)?.value === value)
  return isCommon ? undefined : value
}
