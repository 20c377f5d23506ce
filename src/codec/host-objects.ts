// Objects of Node and of the web platform (AbortSignal, URL, streams, …) that V8 mistakes for plain objects.
//
// The state of such an object is hidden in private fields and symbols, so it would arrive as `{}`, or with a handful of
// inner fields. The serializer gives no sign when it writes one, but a payload nearly always has a trace of it. To find
// no trace costs one search.

import { builtin, types } from '../util/builtins.js'

/**
 * The traces: an object without properties; the fields of event emitters and of hash streams; and the stack of a
 * DOMException, which newer versions of Node write as a plain Error. Plain data may have the same traces: when one is
 * found, the values themselves are examined.
 */
const TRACES = ['o{\0', '_events', '_options', 'DOMException']
const TRACE = /o\{\0|_events|_options|DOMException/
/** Bytes from which on a native search is cheaper than making a string for the pattern. */
const PATTERN_BYTES = 4096

/** Whether the first `length` bytes of a V8 payload may come from an object that was lost. */
export function mayHideHostObject(payload: Buffer, length: number): boolean {
  if (length <= PATTERN_BYTES) return TRACE.test(payload.toString('latin1', 0, length))
  const structure = payload.subarray(0, length)
  return hasEmptyObject(structure) || TRACES.some((trace, i) => i > 0 && structure.includes(trace, 'latin1'))
}

// Searches for the last two bytes of the trace: the letter before them is frequent in any text.
function hasEmptyObject(structure: Buffer): boolean {
  for (let at = structure.indexOf('{\0', 1, 'latin1'); at >= 0; at = structure.indexOf('{\0', at + 2, 'latin1')) {
    if (structure[at - 1] === 0x6f) return true
  }
  return false
}

/** Base classes of user classes whose instances may well be data: their fields travel like those of any instance. */
const BASES = new Set(['EventEmitter', 'EventTarget', 'AsyncResource'])

/** Namespaces, which are objects without enumerable properties, and the problem with each. */
const losses = new Map<unknown, string>(
  ['Math', 'JSON', 'Reflect', 'Atomics', 'Intl'].map((name) => {
    return [(globalThis as Record<string, unknown>)[name], `is the namespace ${name}`]
  }),
)

/** By prototype: the problem with the instances of this package's classes that mean nothing in another process. */
const locals = new WeakMap<object, string>()

/** Has instances of a class refused, unless they have own fields. In messages `problem` follows the instance's path. */
export function declareLocal(prototype: object, problem: string): void {
  locals.set(prototype, problem)
}

/** Why an object would not arrive as an object of its kind; undefined for plain data. */
export function lossOf(object: object): string | undefined {
  const prototype = Object.getPrototypeOf(object)
  if (prototype === Object.prototype) return losses.get(object)
  // An empty Buffer has no keys either, but nothing of it is lost.
  if (prototype === null || prototype === Array.prototype || ArrayBuffer.isView(object)) return undefined
  const found = platformClassOf(prototype)
  if (found === undefined) return undefined
  // Some classes of the platform, such as Stats, are records of plain fields, and travel like a user's class.
  return found.isHidden || Object.keys(object).length === 0 ? found.problem : undefined
}

/** Whether an object's class belongs to the platform. */
export function isPlatformObject(object: object): boolean {
  const prototype = Object.getPrototypeOf(object)
  return prototype !== null && platformClassOf(prototype) !== undefined
}

export function instanceOf(name: string): string {
  return `is an instance of ${name}`
}

interface PlatformClass {
  problem: string
  /** Instances have fields, but never the fields that matter. */
  isHidden: boolean
}

/** The class of each known prototype. Forgotten when Node has loaded further modules, which export further classes. */
let known = new WeakMap<object, PlatformClass | typeof NONE>()
let knownAt = -1
const NONE = Symbol('of no class of the platform')

function platformClassOf(prototype: object): PlatformClass | undefined {
  const loaded = loadedNames().length
  if (loaded !== knownAt) {
    known = new WeakMap()
    knownAt = loaded
  }
  let found = known.get(prototype)
  if (found === undefined) {
    found = searchPlatformClass(prototype) ?? NONE
    known.set(prototype, found)
  }
  return found === NONE ? undefined : found
}

function searchPlatformClass(first: object): PlatformClass | undefined {
  for (let prototype = first; prototype !== null; prototype = Object.getPrototypeOf(prototype)) {
    if (types.isProxy(prototype) || prototype === Object.prototype) return undefined
    const local = locals.get(prototype)
    if (local !== undefined) return { problem: local, isHidden: false }
    const name = platformName(prototype)
    if (name === undefined) continue
    if (BASES.has(name) && (prototype !== first || name === 'EventEmitter')) continue
    return { problem: instanceOf(name), isHidden: name === 'DOMException' || emitsEvents(prototype) }
  }
  return undefined
}

function emitsEvents(prototype: object): boolean {
  return Object.prototype.isPrototypeOf.call(builtin('node:events').prototype, prototype)
}

/** Classes of the language itself: V8 clones or refuses their instances on its own. */
const LANGUAGE = new Set(
  (
    'Object Function Array Boolean Number String BigInt Symbol Date RegExp Map Set Promise WeakMap WeakSet WeakRef ' +
    'Iterator ' +
    'Error AggregateError EvalError RangeError ReferenceError SuppressedError SyntaxError TypeError URIError ' +
    'ArrayBuffer DataView Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array ' +
    'Float16Array Float32Array Float64Array BigInt64Array BigUint64Array'
  ).split(' '),
)

// The name of the class with this prototype, if the class belongs to the platform: it is a global, or a loaded builtin
// module exports it.
function platformName(prototype: object): string | undefined {
  const constructor = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value
  if (typeof constructor !== 'function' || types.isProxy(constructor)) return undefined
  const name = Object.getOwnPropertyDescriptor(constructor, 'name')?.value
  if (typeof name !== 'string' || name === '' || LANGUAGE.has(name)) return undefined
  const global = Object.getOwnPropertyDescriptor(globalThis, name)
  // A global that a program itself has defined is enumerable.
  if (global !== undefined && !global.enumerable && globalValue(name) === constructor) return name
  return loadedModules().some((exports) => exports[name] === constructor) ? name : undefined
}

// Many globals are getters that load their class at the first access.
function globalValue(name: string): unknown {
  try {
    return (globalThis as Record<string, unknown>)[name]
  } catch {
    return undefined
  }
}

type Exports = Record<string, unknown>

const MODULES = (
  'async_hooks child_process cluster crypto dgram diagnostics_channel dns events fs http http2 https inspector net ' +
  'perf_hooks readline stream string_decoder tls url util v8 vm worker_threads zlib'
).split(' ')

// Only loaded modules: no object can be of a class that is not loaded, and loading them all would take long.
function loadedModules(): Exports[] {
  const loaded = new Set(loadedNames())
  return MODULES.filter((name) => loaded.has(`NativeModule ${name}`)).map(
    (name) => process.getBuiltinModule(name) as Exports,
  )
}

function loadedNames(): readonly string[] {
  return (process as unknown as { moduleLoadList?: string[] }).moduleLoadList ?? []
}
