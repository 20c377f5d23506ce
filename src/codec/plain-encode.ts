// `PLAIN`, sending side: arrays and objects without anything special about them. It gives up on everything else, and V8
// takes over; so nothing here may run code of the user's, which would then run twice. Proxies are recognized before
// they are asked, and properties are read from their descriptors, as an accessor has no value there.

import { types } from '../util/builtins.js'
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

/** Longer arrays are V8's unless they begin with a record: it looks at elements without asking about each. */
const LONGEST_OF_OTHERS = 64
/** Larger Buffers are V8's, which may decode them without a copy. */
const LARGEST_BUFFER = 16 * 1024
/** Beyond this, memory that is twice as large as needed is worse than V8's pace. */
const LARGEST_PAYLOAD = 2 ** 28

const { isProxy, isArgumentsObject } = types
const { getOwnPropertyDescriptor, getPrototypeOf, hasOwn, keys: keysOf } = Object
const ObjectPrototype = Object.prototype
const ArrayPrototype = Array.prototype
const DatePrototype = Date.prototype
const BufferPrototype = Buffer.prototype
const timeOf: (value: object) => number = Function.prototype.call.bind(DatePrototype.getTime)
/** The getter of a property that is the object's own; far cheaper than its descriptor where the key is an index. */
const getterOf: (value: object, key: number) => unknown = Function.prototype.call.bind(
  (ObjectPrototype as unknown as { __lookupGetter__: (key: PropertyKey) => unknown }).__lookupGetter__,
)

/**
 * An element. Reading it by its index would do, but where V8 has optimized that for arrays of several kinds, it changes
 * the user's array to the most general one: numbers would take more room and time from then on.
 */
const elementOf: (array: unknown[], index: number) => unknown = Function.prototype.call.bind(ArrayPrototype.at)

/** What is written to, and the payload's own counts: one at a time, as no other code runs meanwhile. */
let buffer: EncodeBuffer
let payload = 0
let shapes = 0
let hasReferences = false
const seen = new SeenObjects()

/** Encodes a value; false, without a trace, when it is not plain. */
export function encodePlain(value: unknown, out: Outbox): boolean {
  // Else an accessor's descriptor would have a value, too.
  if (!isEnabled || 'value' in ObjectPrototype) return false
  buffer = out
  // Done at the end as well, so that nothing is kept alive; but there the stack may have been used up.
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
    // No stack or no memory left.
    if (error instanceof RangeError) return false
    throw error
  } finally {
    seen.clear()
    buffer = out
  }
}

// All of these write at `at` and return the position behind, or -1 when the value is not plain.

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
  if (length > LONGEST_OF_OTHERS && !beginsWithRecord(array)) return -1
  // Indices come first and in order: this many keys and this last one are all indices and nothing else.
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
  // Modules have no prototype, but a tag.
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
 * Whether an object has lost the prototype of its class, for those classes that V8 writes in their own ways or refuses.
 * Asked of what has no properties or has indices, as all of these do unless somebody has added to them.
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
