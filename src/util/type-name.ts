/**
 * What kind of thing a value is: `number`, `null`, `Array`, `TypeError`. Runs no user code, neither getters nor the
 * traps of proxies, so that printing a future never disturbs its result.
 */
export function typeName(value: unknown): string {
  if (value === null) return 'null'
  if (typeof value !== 'object') return typeof value
  // Errors of a class that is not known here carry their own name.
  const own = types.isNativeError(value) ? dataProperty(value, 'name') : undefined
  if (typeof own === 'string' && own !== '') return own
  const constructor = inheritedData(value, 'constructor')
  const name = typeof constructor === 'function' ? dataProperty(constructor, 'name') : undefined
  return typeof name === 'string' && name !== '' ? name : 'object'
}

import { types } from './builtins.js'

/** A function's name, `anonymous` if it has none. Runs no user code either. */
export function functionName(fn: Function): string {
  const name = dataProperty(fn, 'name')
  return typeof name === 'string' && name !== '' ? name : 'anonymous'
}

/** The value of an own property, unless it is an accessor or the object a proxy. */
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
