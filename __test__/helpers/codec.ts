// Round trips through the codec, and the comparison that defines "equal to a structured clone".

import { types } from 'node:util'
import {
  decodeArguments,
  decodeError,
  decodeResult,
  encodeArguments,
  encodeError,
  encodeResult,
  Outbox,
} from '../../src/codec/index.js'

/** The number of attempts of each property test. */
export const RUNS = Number(process.env.MILLRACE_TEST_RUNS ?? 200)

const out = new Outbox()

/** The payload that was encoded last, in memory of its own. */
function collect(): { codec: number; bytes: Uint8Array } {
  const tail = out.tail ?? new Uint8Array()
  const bytes = new Uint8Array(out.length + tail.byteLength)
  bytes.set(out.bytes.subarray(0, out.length))
  bytes.set(tail, out.length)
  return { codec: out.codec, bytes }
}

export function encodedArguments(args: readonly unknown[]): { codec: number; bytes: Uint8Array } {
  encodeArguments(args, out)
  return collect()
}

export function encodedResult(value: unknown): { codec: number; bytes: Uint8Array } {
  encodeResult(value, out)
  return collect()
}

export function encodedError(thrown: unknown): { codec: number; bytes: Uint8Array } {
  encodeError(thrown, out)
  return collect()
}

/**
 * Sends arguments through the codec. The payload is overwritten afterwards, like staging memory, unless it is `owned`.
 */
export function sendArguments(args: readonly unknown[], owned = false): unknown[] {
  const { codec, bytes } = encodedArguments(args)
  const arrived = decodeArguments(codec, bytes, owned)
  if (!owned) bytes.fill(0xaa)
  return arrived
}

export function sendResult<T>(value: T, owned = false): T {
  const { codec, bytes } = encodedResult(value)
  const arrived = decodeResult(codec, bytes, owned)
  if (!owned) bytes.fill(0xaa)
  return arrived as T
}

export function sendError(thrown: unknown, submitStack?: string): any {
  const { codec, bytes } = encodedError(thrown)
  const arrived = decodeError(codec, bytes, { pid: 4711, submitStack })
  bytes.fill(0xaa)
  return arrived
}

/**
 * The path of the first difference between two values; undefined when there is none. Strict: `Object.is`, classes,
 * holes, the order of keys and entries, the memory behind views, and which references are the same object.
 */
export function difference(actual: unknown, expected: unknown): string | undefined {
  return new Comparison().compare(actual, expected, 'value')
}

/** A resizable ArrayBuffer, as of ES2024. */
type Resizable = ArrayBuffer & { resizable: boolean; maxByteLength: number }

class Comparison {
  readonly #there = new Map<object, object>()
  readonly #back = new Map<object, object>()

  compare(a: unknown, b: unknown, path: string): string | undefined {
    if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) {
      return Object.is(a, b) ? undefined : path
    }
    if (this.#there.has(a) || this.#back.has(b)) {
      return this.#there.get(a) === b && this.#back.get(b) === a ? undefined : `${path} (identity)`
    }
    this.#there.set(a, b)
    this.#back.set(b, a)
    if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return `${path} (class)`
    return this.#compareInner(a, b, path) ?? this.#compareProperties(a, b, path)
  }

  #compareInner(a: any, b: any, path: string): string | undefined {
    if (ArrayBuffer.isView(a)) {
      const [x, y] = [a, b] as [DataView, DataView]
      if (x.byteOffset !== y.byteOffset || x.byteLength !== y.byteLength) return `${path} (range)`
      return this.compare(x.buffer, y.buffer, `${path}.buffer`)
    }
    if (types.isArrayBuffer(a)) {
      if ((a as Resizable).resizable !== b.resizable || (a as Resizable).maxByteLength !== b.maxByteLength)
        return `${path} (resizable)`
      return Buffer.from(a).equals(Buffer.from(b)) ? undefined : `${path} (content)`
    }
    if (types.isDate(a)) return Object.is(a.getTime(), b.getTime()) ? undefined : path
    if (types.isRegExp(a)) return String(a) === String(b) && a.lastIndex === b.lastIndex ? undefined : path
    if (types.isBoxedPrimitive(a)) return Object.is(a.valueOf(), b.valueOf()) ? undefined : path
    if (types.isMap(a)) return this.compare([...a].flat(), [...b].flat(), `${path}.entries`)
    if (types.isSet(a)) return this.compare([...a], [...b], `${path}.values`)
    if (types.isNativeError(a)) {
      const parts = ['name', 'message', 'stack', 'cause'] as const
      return parts.map((key) => this.compare(a[key], b[key], `${path}.${key}`)).find((found) => found !== undefined)
    }
    return Array.isArray(a) && a.length !== b.length ? `${path}.length` : undefined
  }

  #compareProperties(a: any, b: any, path: string): string | undefined {
    // The characters and elements of these objects have been compared.
    if (ArrayBuffer.isView(a) || types.isBoxedPrimitive(a)) return undefined
    const keys = Object.keys(a)
    if (this.#names(keys) !== this.#names(Object.keys(b))) return `${path} (keys)`
    for (const key of keys) {
      const found = this.compare(a[key], b[key], `${path}[${JSON.stringify(key)}]`)
      if (found !== undefined) return found
    }
    return undefined
  }

  // Holes are missing keys, so they show here.
  #names(keys: string[]): string {
    return JSON.stringify(keys)
  }
}
