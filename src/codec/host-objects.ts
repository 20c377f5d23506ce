// Objects of Node and of the web platform (AbortSignal, URL, streams, …) that V8 takes for plain ones: their state is
// hidden in private fields and symbols, so they would arrive as `{}`, or as a handful of inner fields. The serializer
// does not say when it writes one. What they leave in a payload does, nearly always for the price of one search.

import { types } from '../util/builtins.js'

import { EventEmitter } from 'node:events'

/**
 * What every such object leaves behind: an object without properties, the fields of event emitters and of hash streams,
 * and for a DOMException, which newer versions of Node write as a plain Error, its stack. Plain data can hold these
 * too: then the values themselves are looked at.
 */
const TRACES = ['o{\0', '_events', '_options', 'DOMException']
const TRACE = /o\{\0|_events|_options|DOMException/
/** Above this a search by native code is cheaper than making a string for the pattern. */
const PATTERN_BYTES = 4096

/** Whether the first `length` bytes of a V8 payload may come from an object that has been lost. */
export function mayHideHostObject(payload: Buffer, length: number): boolean {
  if (length <= PATTERN_BYTES) return TRACE.test(payload.toString('latin1', 0, length))
  const structure = payload.subarray(0, length)
  return hasEmptyObject(structure) || TRACES.some((trace, i) => i > 0 && structure.includes(trace, 'latin1'))
}

// Looks for the two rarer bytes first: the letter is frequent in any text.
function hasEmptyObject(structure: Buffer): boolean {
  for (let at = structure.indexOf('{\0', 1, 'latin1'); at >= 0; at = structure.indexOf('{\0', at + 2, 'latin1')) {
    if (structure[at - 1] === 0x6f) return true
  }
  return false
}

/** Classes whose instances may well be data of the user's own class; the fields travel, as those of any instance. */
const BASES = new Set(['EventEmitter', 'EventTarget', 'AsyncResource'])

/** Namespaces are objects without enumerable properties. */
const losses = new Map<unknown, string>(
  ['Math', 'JSON', 'Reflect', 'Atomics', 'Intl'].map((name) => {
    return [(globalThis as Record<string, unknown>)[name], `is the namespace ${name}`]
  }),
)

/** Classes of this package whose instances mean nothing in another process, by their prototypes. */
const locals = new WeakMap<object, string>()

/**
 * Has instances of a class be refused if they have no fields of their own: `problem` follows their path in a sentence.
 */
export function declareLocal(prototype: object, problem: string): void {
  locals.set(prototype, problem)
}

/** Why an object would not survive as what it is; undefined for plain data. */
export function lossOf(object: object): string | undefined {
  const prototype = Object.getPrototypeOf(object)
  if (prototype === Object.prototype) return losses.get(object)
  // An empty Buffer has no keys, as what has been emptied.
  if (prototype === null || prototype === Array.prototype || ArrayBuffer.isView(object)) return undefined
  const found = platformClassOf(prototype)
  if (found === undefined) return undefined
  // Some of the platform's classes are records of plain fields, such as Stats: they travel like the user's own.
  return found.isHidden || Object.keys(object).length === 0 ? found.problem : undefined
}

/** Whether an object's class is the platform's. */
export function isPlatformObject(object: object): boolean {
  const prototype = Object.getPrototypeOf(object)
  return prototype !== null && platformClassOf(prototype) !== undefined
}

export function instanceOf(name: string): string {
  return `is an instance of ${name}`
}

interface PlatformClass {
  problem: string
  /** Its instances do have fields, but never the ones that matter. */
  isHidden: boolean
}

/** What is known of prototypes; forgotten whenever Node has loaded further modules, as those export further classes. */
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
  return Object.prototype.isPrototypeOf.call(EventEmitter.prototype, prototype)
}

/** Classes of the language itself: V8 clones or refuses their instances by what they are. */
const LANGUAGE = new Set(
  (
    'Object Function Array Boolean Number String BigInt Symbol Date RegExp Map Set Promise WeakMap WeakSet WeakRef ' +
    'Iterator ' +
    'Error AggregateError EvalError RangeError ReferenceError SuppressedError SyntaxError TypeError URIError ' +
    'ArrayBuffer DataView Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array ' +
    'Float16Array Float32Array Float64Array BigInt64Array BigUint64Array'
  ).split(' '),
)

// The name of the class whose prototype this is, if the class is the platform's: a global, or exported by a loaded
// module.
function platformName(prototype: object): string | undefined {
  const constructor = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value
  if (typeof constructor !== 'function' || types.isProxy(constructor)) return undefined
  const name = Object.getOwnPropertyDescriptor(constructor, 'name')?.value
  if (typeof name !== 'string' || name === '' || LANGUAGE.has(name)) return undefined
  const global = Object.getOwnPropertyDescriptor(globalThis, name)
  // What a program itself puts there is enumerable.
  if (global !== undefined && !global.enumerable && globalValue(name) === constructor) return name
  return loadedModules().some((exports) => exports[name] === constructor) ? name : undefined
}

// Many globals are getters that load their class when first asked.
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

// Only what is loaded already: an object of a class that is not cannot exist, and loading them all takes long.
function loadedModules(): Exports[] {
  const loaded = new Set(loadedNames())
  return MODULES.filter((name) => loaded.has(`NativeModule ${name}`)).map(
    (name) => process.getBuiltinModule(name) as Exports,
  )
}

function loadedNames(): readonly string[] {
  return (process as unknown as { moduleLoadList?: string[] }).moduleLoadList ?? []
}
