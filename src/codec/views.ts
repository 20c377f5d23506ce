// ArrayBuffers and the views over them: their classes, their memory, their ranges, and how they are made again.
//
// Nothing here asks a value itself, since a subclass or the value's owner may have replaced properties. Only built-in
// getters are used, which read internal slots.

import { builtin, types } from '../util/builtins.js'
import { Buffer } from '../util/globals.js'
import { CorruptPayload } from './corrupt.js'

/** A resizable ArrayBuffer, as of ES2024. */
type Resizable = ArrayBuffer & { resize(bytes: number): void }

interface ViewConstructor {
  new (buffer: ArrayBufferLike, byteOffset?: number, length?: number): ArrayBufferView
  /** Undefined for a DataView. */
  readonly BYTES_PER_ELEMENT?: number
}

// The index of a class is its kind in payloads. Buffer comes first, because a Buffer is also a Uint8Array.
const NAMES = [
  'Buffer',
  'ArrayBuffer',
  'DataView',
  'Int8Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
  'Float16Array',
]
export const BUFFER = 0
export const ARRAY_BUFFER = 1
const DATA_VIEW = 2

const kinds = new Map(NAMES.map((name, kind) => [name, kind]))
// Undefined where this version of Node has no such class: Node 20 has no Float16Array.
const classes = NAMES.map((name) => {
  return (name === 'Buffer' ? Buffer : (globalThis as Record<string, unknown>)[name]) as ViewConstructor | undefined
})

const TypedArray = Object.getPrototypeOf(Uint8Array)

function getter<T>(prototype: object, key: PropertyKey): (value: object) => T {
  const get = Object.getOwnPropertyDescriptor(prototype, key)!.get!
  return Function.prototype.call.bind(get)
}

const typedArrayName = getter<string | undefined>(TypedArray.prototype, Symbol.toStringTag)
const typedArrayMemory = getter<ArrayBufferLike>(TypedArray.prototype, 'buffer')
const typedArrayOffset = getter<number>(TypedArray.prototype, 'byteOffset')
export const typedArrayBytes = getter<number>(TypedArray.prototype, 'byteLength')
const typedArrayLength = getter<number>(TypedArray.prototype, 'length')
const dataViewMemory = getter<ArrayBufferLike>(DataView.prototype, 'buffer')
const dataViewOffset = getter<number>(DataView.prototype, 'byteOffset')
const dataViewBytes = getter<number>(DataView.prototype, 'byteLength')
const bufferBytes = getter<number>(ArrayBuffer.prototype, 'byteLength')
const isResizable = getter<boolean>(ArrayBuffer.prototype, 'resizable')
const bufferLimit = getter<number>(ArrayBuffer.prototype, 'maxByteLength')

/** The kind of an ArrayBuffer or a view of any realm; -1 for all other values, SharedArrayBuffers included. */
export function kindOf(value: object): number {
  if (!ArrayBuffer.isView(value)) return types.isArrayBuffer(value) ? ARRAY_BUFFER : -1
  const name = typedArrayName(value)
  if (name === undefined) return DATA_VIEW
  if (name === 'Uint8Array' && Buffer.isBuffer(value)) return BUFFER
  return kinds.get(name) ?? -1
}

/** The memory of a view. */
export function memoryOf(view: object, kind: number): ArrayBufferLike {
  return kind === DATA_VIEW ? dataViewMemory(view) : typedArrayMemory(view)
}

export function isGrowable(memory: ArrayBufferLike): boolean {
  return types.isArrayBuffer(memory) && isResizable(memory)
}

/** Whether an ArrayBuffer's memory was transferred away. */
export function isDetached(memory: ArrayBufferLike): boolean {
  // Before Node 21 there is no property for that. In all versions a view of detached memory cannot be made.
  if (!types.isArrayBuffer(memory) || bufferBytes(memory) > 0) return false
  try {
    new Uint8Array(memory)
    return false
  } catch {
    return true
  }
}

/** Whether a view's range lies outside of its memory, which has shrunk. */
export function isOutOfBounds(view: object, kind: number): boolean {
  try {
    if (kind === DATA_VIEW) dataViewBytes(view)
    // Any method that checks the range first would do.
    else TypedArray.prototype.keys.call(view)
    return false
  } catch {
    return true
  }
}

/**
 * The bytes of a raw value, not copied; undefined when the value is more than these bytes. The V8 serializer clones or
 * refuses shared, resizable and detached memory.
 */
export function contentOf(value: object, kind: number): Uint8Array | undefined {
  const memory = kind === ARRAY_BUFFER ? (value as ArrayBuffer) : memoryOf(value, kind)
  if (!types.isArrayBuffer(memory) || isResizable(memory) || isDetached(memory)) return undefined
  return rangeOf(value, kind)
}

/** The bytes of a value's range, not copied. */
export function rangeOf(value: object, kind: number): Uint8Array {
  if (kind === ARRAY_BUFFER) return new Uint8Array(value as ArrayBuffer)
  if (kind === DATA_VIEW) return new Uint8Array(dataViewMemory(value), dataViewOffset(value), dataViewBytes(value))
  const prototype = Object.getPrototypeOf(value)
  if (prototype === Buffer.prototype || prototype === Uint8Array.prototype) return value as Uint8Array
  return new Uint8Array(typedArrayMemory(value), typedArrayOffset(value), typedArrayBytes(value))
}

/** The start of a view in its memory, in bytes, and its number of elements: -1 when the view grows with its memory. */
export function spanOf(view: object, kind: number): { offset: number; length: number } {
  if (kind !== DATA_VIEW) {
    return { offset: typedArrayOffset(view), length: growsWithMemory(view, kind) ? -1 : typedArrayLength(view) }
  }
  return { offset: dataViewOffset(view), length: growsWithMemory(view, kind) ? -1 : dataViewBytes(view) }
}

// The language has no property that tells whether a view tracks the length of its memory. So the memory of a clone is
// resized as a test.
function growsWithMemory(view: object, kind: number): boolean {
  if (!isGrowable(memoryOf(view, kind))) return false
  const clone = cloneOf(view)
  const bytes = kind === DATA_VIEW ? dataViewBytes : typedArrayBytes
  const before = bytes(clone)
  const memory = memoryOf(clone, kind) as Resizable
  const offset = kind === DATA_VIEW ? dataViewOffset(clone) : typedArrayOffset(clone)
  memory.resize(bufferLimit(memory))
  if (bytes(clone) !== before) return true
  // The clone did not grow: its length is fixed, or there was no room to grow. When the memory shrinks to the view's
  // start, only a view of fixed length is out of bounds.
  if (before === 0) return false
  memory.resize(offset)
  return !isOutOfBounds(clone, kind)
}

/** A copy of a view and its memory: V8's serializer keeps whether memory and view can grow. */
function cloneOf<T extends object>(view: T): T {
  const { Deserializer, Serializer } = builtin('node:v8')
  const serializer = new Serializer()
  serializer.writeHeader()
  serializer.writeValue(view)
  const deserializer = new Deserializer(serializer.releaseBuffer())
  deserializer.readHeader()
  return deserializer.readValue() as T
}

/** A view of `kind` over `memory`. Throws the constructor's error when the numbers do not fit. */
export function viewOver(memory: ArrayBufferLike, kind: number, offset: number, length: number): ArrayBufferView {
  const View = kind > ARRAY_BUFFER ? classes[kind] : undefined
  if (View === undefined) throw new CorruptPayload(`there is no view of kind ${kind}`)
  if (length !== -1) return new View(memory, offset, length)
  if (!isGrowable(memory)) throw new CorruptPayload('a view cannot grow with memory that does not')
  // Node 20 refuses such a view when its last element is not whole, although memory may be resized to that later.
  const size = bufferBytes(memory)
  const excess = (size - offset) % (View.BYTES_PER_ELEMENT ?? 1)
  if (!(excess > 0)) return new View(memory, offset)
  const end = new Uint8Array(memory.slice(size - excess))
  const resizable = memory as Resizable
  resizable.resize(size - excess)
  const view = new View(memory, offset)
  resizable.resize(size)
  new Uint8Array(memory).set(end, size - excess)
  return view
}

/**
 * The value of `kind` with the content `bytes[start..end)`. It gets memory of its own, of exactly its size, unless
 * `alias` allows to use `bytes`, and `bytes` is exactly that memory or the value is a Buffer, which may lie in larger
 * memory.
 */
export function fromContent(kind: number, bytes: Uint8Array, start: number, end: number, alias: boolean): unknown {
  const size = end - start
  if (kind === BUFFER) {
    if (alias) return Buffer.from(bytes.buffer, bytes.byteOffset + start, size)
    const copy = Buffer.allocUnsafeSlow(size)
    copy.set(bytes.subarray(start, end))
    return copy
  }
  const memory =
    alias && size === bytes.buffer.byteLength && types.isArrayBuffer(bytes.buffer)
      ? bytes.buffer
      : copyMemory(bytes, start, end)
  if (kind === ARRAY_BUFFER) return memory
  const View = classes[kind]
  if (View === undefined)
    throw new CorruptPayload(`this version of Node has no ${NAMES[kind] ?? `view of kind ${kind}`}`)
  // The constructor refuses a size that is no multiple of the element's size.
  return new View(memory)
}

/** A new ArrayBuffer with the content of `bytes[start..end)`. */
export function copyMemory(bytes: Uint8Array, start: number, end: number): ArrayBuffer {
  const memory = new ArrayBuffer(end - start)
  new Uint8Array(memory).set(bytes.subarray(start, end))
  return memory
}
