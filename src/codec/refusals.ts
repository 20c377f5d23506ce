// The problem with a single value, in words: V8 refuses values of some kinds, and loses values of others.

import { types } from '../util/builtins.js'
import { instanceOf, isPlatformObject, lossOf } from './host-objects.js'
import { serialize } from './v8.js'
import { ARRAY_BUFFER, isDetached, isGrowable, isOutOfBounds, kindOf, memoryOf } from './views.js'

/** Why a value that is no object cannot travel; undefined when it can. */
export function refusedPrimitive(value: unknown): string | undefined {
  if (typeof value === 'function') return 'is a function'
  return typeof value === 'symbol' ? 'is a symbol' : undefined
}

/**
 * Why V8 refuses or loses this object, whatever the object contains; undefined when V8 does neither. `failed`: the
 * serializer has failed, so the object may be of a kind that V8 refuses.
 */
export function refusedObject(object: object, failed: boolean): string | undefined {
  // This comes before all other questions, which a proxy would answer with code of its own.
  if (types.isProxy(object)) return 'is a Proxy'
  if (failed) {
    const problem = refusedByV8(object)
    if (problem !== undefined) return problem
  }
  const lost = lossOf(object)
  if (lost !== undefined) return lost
  return failed && isExotic(object) ? instanceOf(nameOf(object)) : undefined
}

function refusedByV8(object: object): string | undefined {
  const kind = kindOf(object)
  if (kind >= 0) return refusedMemory(object, kind)
  if (types.isSharedArrayBuffer(object)) return 'is a SharedArrayBuffer'
  if (types.isPromise(object)) return 'is a Promise'
  if (types.isWeakMap(object)) return 'is a WeakMap'
  if (types.isWeakSet(object)) return 'is a WeakSet'
  if (types.isGeneratorObject(object)) return 'is a generator'
  if (types.isMapIterator(object) || types.isSetIterator(object)) return 'is an iterator'
  if (types.isArgumentsObject(object)) return 'is an arguments object'
  if (types.isModuleNamespaceObject(object)) return 'is a module namespace'
  if (types.isSymbolObject(object)) return 'is a symbol'
  return object === globalThis ? 'is the global object' : undefined
}

function refusedMemory(value: object, kind: number): string | undefined {
  const memory = kind === ARRAY_BUFFER ? (value as ArrayBuffer) : memoryOf(value, kind)
  const what = kind === ARRAY_BUFFER ? 'is' : 'is a view of'
  if (types.isSharedArrayBuffer(memory)) return `${what} a SharedArrayBuffer`
  if (isDetached(memory)) return `${what} a detached ArrayBuffer`
  return kind !== ARRAY_BUFFER && isGrowable(memory) && isOutOfBounds(value, kind)
    ? 'is a view out of the bounds of its ArrayBuffer'
    : undefined
}

/**
 * Whether V8 refuses an object of a class that is unknown here: WeakRef, iterators, Intl, WebAssembly, vm.Script and
 * later ones. V8 itself is asked. That is safe for an object without properties, which lets no user code run.
 */
function isExotic(object: object): boolean {
  const prototype = Object.getPrototypeOf(object)
  if (prototype === Object.prototype || prototype === Array.prototype || prototype === null) return false
  if (isLeaf(object) || childBearing(object)) return false
  if (Object.keys(object).length > 0 && !isPlatformObject(object)) return false
  try {
    serialize(object)
    return false
  } catch {
    return true
  }
}

function childBearing(object: object): boolean {
  return Array.isArray(object) || types.isMap(object) || types.isSet(object) || types.isNativeError(object)
}

/** Whether V8 writes only the object's internal state, and none of its properties. */
export function isLeaf(object: object): boolean {
  return kindOf(object) >= 0 || types.isDate(object) || types.isRegExp(object) || types.isBoxedPrimitive(object)
}

function nameOf(object: object): string {
  for (
    let prototype = Object.getPrototypeOf(object);
    prototype !== null;
    prototype = Object.getPrototypeOf(prototype)
  ) {
    if (types.isProxy(prototype)) break
    const tag = Object.getOwnPropertyDescriptor(prototype, Symbol.toStringTag)?.value
    if (typeof tag === 'string') return tag
    const name = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value?.name
    if (typeof name === 'string' && name !== '') return name
  }
  return 'object of an unknown class'
}
