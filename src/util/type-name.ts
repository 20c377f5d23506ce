// The kinds of values and the names of functions, found without running user code.

import { types } from './builtins.js'

/**
 * The kind of a value in one word: `number`, `null`, `Array`, `TypeError`. Runs no user code, neither getters nor traps
 * of proxies, so that printing a future never disturbs the future's result.
 */
export function typeName(value: unknown): string {
  if (value === null) return 'null'
  if (typeof value !== 'object') return typeof value
  // An error may have its name as an own property: `RemoteError` does, for classes that this process does not know.
  const own = types.isNativeError(value) ? dataProperty(value, 'name') : undefined
  if (typeof own === 'string' && own !== '') return own
  const constructor = inheritedData(value, 'constructor')
  const name = typeof constructor === 'function' ? dataProperty(constructor, 'name') : undefined
  return typeof name === 'string' && name !== '' ? name : 'object'
}

/** The name of a function, `anonymous` where there is none. Runs no user code. */
export function functionName(fn: Function): string {
  const name = dataProperty(fn, 'name')
  return typeof name === 'string' && name !== '' ? name : 'anonymous'
}

/** The value of an own property; undefined for an accessor, and where the object is a proxy. */
function dataProperty(object: object, key: string): unknown {
  return types.isProxy(object) ? undefined : Object.getOwnPropertyDescriptor(object, key)?.value
}

function inheritedData(object: object, key: string): unknown {
  for (let holder: object | null = object; holder !== null; holder = Object.getPrototypeOf(holder)) {
    if (types.isProxy(holder)) return undefined
    const property = Object.getOwnPropertyDescriptor(holder, key)
    if (property !== undefined) return property.value
  }
  return undefined
}
