// `PLAIN`, sending side: arrays and objects with nothing special about them.
//
// This encoder gives up on everything else, and V8 encodes the value instead. So nothing here may run user code, which
// would then run twice. Proxies are recognized before any access, and properties are read from their descriptors, where
// an accessor has no value.

import { types } from '../util/builtins.js'
import { Buffer, Date } from '../util/globals.js'
import { PLAIN } from './ids.js'
import { LITTLE_ENDIAN, type Outbox, type EncodeBuffer } from './outbox.js'
import { ARRAY, BUFFER_BYTES, DATE, DEEPEST, EMPTY_OBJECT, FIRST_SHAPE } from './plain-format.js'
import { NEW_SHAPE, REFERENCE, SHAPE_TAGS, SHAPED } from './plain-format.js'
import { shapeOf, type WrittenShape } from './plain-shapes.js'
import { roomFor, writeScalar } from './scalars.js'
import { enlarge } from './scratch.js'
import { SeenObjects } from './seen-objects.js'
import { BUFFER, contentOf, kindOf, typedArrayBytes } from './views.js'

const isEnabled = process.env.MILLRACE_PLAIN_CODEC !== 'off'

/** Longer arrays are left to V8 unless they begin with a record: V8 copies elements without examining each. */
const LONGEST_WITHOUT_RECORDS = 64
/** Bytes of a Buffer; larger ones are left to V8, whose decoder may alias them instead of copying. */
const LARGEST_BUFFER = 16 * 1024
/** Bytes of a payload; beyond this, memory of up to twice the size is worse than V8's pace. */
const LARGEST_PAYLOAD = 2 ** 28

const { isProxy, isArgumentsObject } = types
const { getOwnPropertyDescriptor, getPrototypeOf, hasOwn, keys: keysOf } = Object
const ObjectPrototype = Object.prototype
const ArrayPrototype = Array.prototype
const DatePrototype = Date.prototype
const BufferPrototype = Buffer.prototype
const timeOf: (value: object) => number = Function.prototype.call.bind(DatePrototype.getTime)
/** The getter of an own property. For an index this is far cheaper than the descriptor. */
const getterOf: (value: object, key: number) => unknown = Function.prototype.call.bind(
  (ObjectPrototype as unknown as { __lookupGetter__: (key: PropertyKey) => unknown }).__lookupGetter__,
)

/**
 * An element of an array. An access by index would do the same, but once V8 has optimized such an access for arrays of
 * several kinds, the access changes the user's array to the most general kind, where numbers take more room and time.
 */
const elementOf: (array: unknown[], index: number) => unknown = Function.prototype.call.bind(ArrayPrototype.at)

/** The memory and the counts of the present payload. One encode at a time: no other code runs meanwhile. */
let buffer: EncodeBuffer
let payload = 0
let shapes = 0
let hasReferences = false
const seen = new SeenObjects()

/** Encodes a value; false when the value is not plain: then `codec`, `length` and `tail` of `out` are unchanged. */
export function encodePlain(value: unknown, out: Outbox): boolean {
  // With such a prototype the descriptor of an accessor would have a value, too.
  if (!isEnabled || 'value' in ObjectPrototype) return false
  buffer = out
  // The end clears `seen` as well, to keep nothing alive, but may fail when the stack is used up.
  seen.clear()
  payload++
  shapes = 0
  hasReferences = false
  try {
    const end = write(value, 1, 0)
    if (end < 0) return false
    const { bytes } = buffer
    bytes[0] = hasReferences ? 1 : 0
    out.codec = PLAIN
    out.length = bytes === out.bytes ? end : 0
    out.tail = bytes === out.bytes ? undefined : bytes.subarray(0, end)
    return true
  } catch (error) {
    // The stack or the memory is used up.
    if (error instanceof RangeError) return false
    throw error
  } finally {
    seen.clear()
    buffer = out
  }
}

// The functions from here to `writeHead` write at `at`. They return the position behind, or -1 for a value that is not
// plain.

function write(value: unknown, at: number, depth: number): number {
  return typeof value === 'object' && value !== null ? writeObject(value, at, depth) : writePrimitive(value, at)
}

function writePrimitive(value: unknown, at: number): number {
  const end = writeScalar(buffer, at, value)
  if (end >= 0) return end
  reserve(at, roomFor(value))
  return writeScalar(buffer, at, value)
}

function writeObject(value: object, at: number, depth: number): number {
  const number = seen.add(value)
  if (number >= 0) {
    hasReferences = true
    return writeHead(REFERENCE, number, at)
  }
  if (depth === DEEPEST || isProxy(value)) return -1
  if (Array.isArray(value)) return writeArray(value, at, depth + 1)
  const prototype = getPrototypeOf(value)
  if (prototype === ObjectPrototype || prototype === null) return writeProperties(value, prototype, at, depth + 1)
  if (prototype === DatePrototype) return writeDate(value, at)
  return prototype === BufferPrototype ? writeBuffer(value, at) : -1
}

function writeArray(array: unknown[], at: number, depth: number): number {
  if (getPrototypeOf(array) !== ArrayPrototype) return -1
  const { length } = array
  if (length > LONGEST_WITHOUT_RECORDS && !beginsWithRecord(array)) return -1
  // Own keys come in order, indices first. So with this many keys and this last key, all keys are indices.
  const keys = keysOf(array)
  if (keys.length !== length || (length > 0 && keys[length - 1] !== String(length - 1))) return -1
  at = writeHead(ARRAY, length, at)
  for (let i = 0; i < length && at >= 0; i++) {
    at = getterOf(array, i) === undefined ? write(elementOf(array, i), at, depth) : -1
  }
  return at
}

function beginsWithRecord(array: unknown[]): boolean {
  if (getterOf(array, 0) !== undefined) return false
  const first = elementOf(array, 0)
  return typeof first === 'object' && first !== null && !isProxy(first) && !Array.isArray(first)
}

function writeProperties(object: object, prototype: object | null, at: number, depth: number): number {
  // A module namespace has no prototype, but a tag.
  if (isArgumentsObject(object) || (prototype === null && Symbol.toStringTag in object)) return -1
  const keys = keysOf(object)
  if (keys.length === 0) return writeEmpty(object, at)
  if (startsWithDigit(keys[0]) && holdsOtherwise(object)) return -1
  const shape = shapeOf(keys)
  if (shape === undefined) return -1
  at = writeShape(shape, at)
  for (let i = 0; i < keys.length && at >= 0; i++) {
    const descriptor = getOwnPropertyDescriptor(object, keys[i])!
    const { value } = descriptor
    if (typeof value === 'object' && value !== null) at = writeObject(value, at, depth)
    else if (value === undefined && !hasOwn(descriptor, 'value')) return -1
    else at = writePrimitive(value, at)
  }
  return at
}

function writeShape(shape: WrittenShape, at: number): number {
  if (shape.payload === payload) {
    if (shape.number >= SHAPE_TAGS) return writeHead(SHAPED, shape.number, at)
    reserve(at, 1)
    buffer.bytes[at] = FIRST_SHAPE + shape.number
    return at + 1
  }
  shape.payload = payload
  shape.number = shapes++
  const { bytes } = shape
  reserve(at, 1 + bytes.length)
  buffer.bytes[at] = NEW_SHAPE
  buffer.bytes.set(bytes, at + 1)
  return at + 1 + bytes.length
}

function writeEmpty(object: object, at: number): number {
  if (Symbol.toStringTag in object || holdsOtherwise(object)) return -1
  reserve(at, 1)
  buffer.bytes[at] = EMPTY_OBJECT
  return at + 1
}

function writeDate(value: object, at: number): number {
  if (!types.isDate(value)) return -1
  reserve(at, 9)
  buffer.bytes[at] = DATE
  buffer.view.setFloat64(at + 1, timeOf(value), LITTLE_ENDIAN)
  return at + 9
}

function writeBuffer(value: object, at: number): number {
  const content = kindOf(value) === BUFFER ? contentOf(value, BUFFER) : undefined
  if (content === undefined) return -1
  const size = typedArrayBytes(content)
  if (size > LARGEST_BUFFER) return -1
  const start = writeHead(BUFFER_BYTES, size, at)
  reserve(start, size)
  buffer.bytes.set(content, start)
  return start + size
}

function writeHead(tag: number, number: number, at: number): number {
  reserve(at, 5)
  buffer.bytes[at] = tag
  buffer.view.setUint32(at + 1, number, LITTLE_ENDIAN)
  return at + 5
}

function reserve(at: number, room: number): void {
  if (at + room <= buffer.bytes.length) return
  if (at + room > LARGEST_PAYLOAD) throw new RangeError('The payload is too large')
  buffer = enlarge(buffer, at, room)
}

function startsWithDigit(text: string): boolean {
  const unit = text.charCodeAt(0)
  return unit <= 0x39 && unit >= 0x30
}

/**
 * Whether an object has lost the prototype of its class, for classes whose instances V8 writes in ways of their own or
 * refuses. Instances of these classes have no properties, or indices, unless somebody has added properties. So only
 * such objects are asked.
 */
function holdsOtherwise(object: object): boolean {
  return (
    ArrayBuffer.isView(object) ||
    types.isMap(object) ||
    types.isSet(object) ||
    types.isDate(object) ||
    types.isRegExp(object) ||
    types.isNativeError(object) ||
    types.isPromise(object) ||
    types.isAnyArrayBuffer(object) ||
    types.isBoxedPrimitive(object) ||
    types.isWeakMap(object) ||
    types.isWeakSet(object) ||
    types.isGeneratorObject(object) ||
    types.isMapIterator(object) ||
    types.isSetIterator(object)
  )
}
