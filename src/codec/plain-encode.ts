// `PLAIN`, sending side: arrays and objects with nothing special about them.
//
// This encoder gives up on everything else, and V8 encodes the value instead.
//
// Proxies are recognized before any access. The properties of most objects are read from their descriptors, where an
// accessor has no value, so no user code runs. Objects of shapes that are met often are written by code of their own
// (`compiled-encode.ts`), which reads properties as V8 does: descriptors would take longer than all the rest. So there
// accessors run. These rules keep that exact:
//
// - The reads are those of V8's serializer, in its order, as long as the payload is not given up.
// - When it is given up after such reads, what was read is kept: V8 gets a stand-in for the value (`stand-in.ts`).
//   Then the shapes lose their code for long, because code is for shapes whose objects are plain.
// - An accessor may encode other values. These are left to V8, and the payload in the making leaves the outbox.
//
// Only these are not told apart: a property that an accessor has deleted, and one whose accessor deletes itself and
// returns undefined; an array with all its elements that V8 takes for one with holes, and other arrays, when an
// accessor adds properties to the array that is being written. And when the stack or the memory is used up, V8 gets the
// value itself.

import { types } from '../util/builtins.js'
import { Buffer, Date } from '../util/globals.js'
import { beGeneral, beginsWithRecord, elementOf, getterOf, hasElementsOnly, isData } from './array-elements.js'
import { compileWriter } from './compiled-encode.js'
import { PLAIN } from './ids.js'
import { EncodeBuffer, LITTLE_ENDIAN, type Outbox } from './outbox.js'
import { ARRAY, BUFFER_BYTES, DATE, DEEPEST, EMPTY_OBJECT, FIRST_SHAPE } from './plain-format.js'
import { HAS_REFERENCES, HAS_SHAPES, REFERENCE, SHAPE_TAGS, SHAPED } from './plain-format.js'
import { roomFor, writeScalar, writeString } from './scalars.js'
import { enlarge } from './scratch.js'
import { SeenObjects } from './seen-objects.js'
import { standInFor } from './stand-in.js'
import { BUFFER, contentOf, kindOf, typedArrayBytes } from './views.js'
import { endSize, OTHER_SHAPE, Position, writers, writeShapes, type WrittenShape } from './written-shapes.js'

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
/** The memory and the counts of the present payload. Between payloads the memory is `nowhere`. */
const nowhere = new EncodeBuffer(0)
let buffer = nowhere
let payload = 0
let hasReferences = false
/** The shapes of the payload: the first `shapeCount` of these. */
const shapes: WrittenShape[] = []
let shapeCount = 0
const seen = new SeenObjects()
/** Whether an encode is under way. Only an accessor can begin another one meanwhile. */
let isActive = false
/** Whether shapes may have code: objects inherit no enumerable property, which the code would mistake for their own. */
let hasCode = false
/** Whether code of a shape has read properties: accessors may have run. */
let hasRead = false

/** Where a payload was given up, and the value that was the reason if that value had been read. */
let refusedAt = 0
let refused: unknown
let hasRefused = false

/** What V8 has to encode in place of the value that was given up last. */
let remainder: unknown

/** The places of objects whose containers have no code, by depth. */
const positions = Array.from({ length: DEEPEST + 1 }, () => new Position())

/**
 * Encodes a value; false when the value is not plain: then `codec`, `length` and `tail` of `out` are unchanged, and V8
 * has to encode `takeRemainder()`. Throws what an accessor throws. `isArguments`: the value is a list of arguments, of
 * which nothing counts but the elements.
 */
export function encodePlain(value: unknown, out: Outbox, isArguments = false): boolean {
  remainder = value
  // With such a prototype the descriptor of an accessor would have a value, too.
  if (!isEnabled || isActive || 'value' in ObjectPrototype) return false
  buffer = out
  // The end clears this as well, to keep nothing alive, but may fail when the stack is used up.
  seen.clear()
  shapeCount = 0
  payload++
  hasReferences = false
  hasRead = false
  hasCode = !inheritsKeys()
  isActive = true
  try {
    if ((payload & 15) === 0) beGeneral(payload >> 4)
    let end = isArguments ? writeArguments(value as unknown[], 1) : write(value, 1, 0)
    if (end < 0) {
      if (hasRead) remainder = giveUp(value)
      return false
    }
    if (shapeCount > 0) end = writeEnd(end)
    const { bytes } = buffer
    bytes[0] = (hasReferences ? HAS_REFERENCES : 0) | (shapeCount > 0 ? HAS_SHAPES : 0)
    out.codec = PLAIN
    out.length = bytes === out.bytes ? end : 0
    out.tail = bytes === out.bytes ? undefined : bytes.subarray(0, end)
    remainder = undefined
    return true
  } catch (error) {
    const isExhausted = isExhaustion(error)
    remainder = isExhausted ? value : undefined
    if (isExhausted) return false
    throw error
  } finally {
    isActive = false
    seen.clear()
    buffer = nowhere
    refused = undefined
    hasRefused = false
  }
}

/** The value that V8 has to encode after `encodePlain` has given up. */
export function takeRemainder(): unknown {
  const value = remainder
  remainder = undefined
  return value
}

/** Has a payload in the making leave the outbox, which another payload needs now. */
export function leaveOutbox(out: Outbox): void {
  if (buffer === out) buffer = enlarge(buffer, out.bytes.length, 0)
}

function inheritsKeys(): boolean {
  for (const _ in ObjectPrototype) return true
  return false
}

// Accessors may run here. So the state of this payload is taken over before, and left behind.
function giveUp(value: unknown): unknown {
  const bytes = new Uint8Array(buffer.bytes.subarray(0, refusedAt))
  const log = { bytes, objects: seen.list(), shapes: shapes.slice(0, shapeCount), rest: hasRefused ? [refused] : [] }
  for (const shape of log.shapes) writers.withdraw(shape)
  return standInFor(value, log)
}

// The functions from here to `writeHead` write at `at`. They return the position behind, or -1 for a value that is not
// plain.

function write(value: unknown, at: number, depth: number): number {
  return typeof value === 'object' && value !== null
    ? writeObject(value, at, depth, positions[depth], false)
    : writePrimitive(value, at)
}

function writePrimitive(value: unknown, at: number): number {
  let end = writeScalar(buffer, at, value)
  if (end >= 0) return end
  reserve(at, roomFor(value))
  end = writeScalar(buffer, at, value)
  return end >= 0 ? end : refuse(at, value)
}

function writeText(value: string, at: number): number {
  const end = writeString(buffer, at, value)
  return end >= 0 ? end : writePrimitive(value, at)
}

function writeRead(value: unknown, at: number, depth: number, position: Position, object: object, key: string): number {
  if (typeof value === 'object' && value !== null) return writeObject(value, at, depth, position, true)
  // V8 leaves out a property that an accessor has deleted meanwhile.
  return value === undefined && !hasOwn(object, key) ? stop(at) : writePrimitive(value, at)
}

const valueWriters = { begin: writeReadShape, text: writeText, number: writePrimitive, other: writeRead }

/** `isRead`: the object stands in an object whose shape has code, and its elements are read in the same way. */
function writeObject(value: object, at: number, depth: number, position: Position, isRead: boolean): number {
  const number = seen.add(value)
  if (number >= 0) {
    hasReferences = true
    return writeHead(REFERENCE, number, at)
  }
  if (depth === DEEPEST || isProxy(value)) return refuse(at, value)
  if (Array.isArray(value)) return writeArray(value, at, depth + 1, position, isRead)
  const prototype = getPrototypeOf(value)
  if (prototype === ObjectPrototype || prototype === null)
    return writeProperties(value, prototype, at, depth + 1, position)
  if (prototype === DatePrototype) return writeDate(value, at)
  return prototype === BufferPrototype ? writeBuffer(value, at) : refuse(at, value)
}

function writeArray(array: unknown[], at: number, depth: number, position: Position, isRead: boolean): number {
  const { length } = array
  if (getPrototypeOf(array) !== ArrayPrototype || (length > LONGEST_WITHOUT_RECORDS && !beginsWithRecord(array)))
    return refuse(at, array)
  if (!hasElementsOnly(array, length)) return refuse(at, array)
  at = writeHead(ARRAY, length, at)
  const objects = seen.size
  if (isRead) {
    at = writeElements(array, length, at, depth, position)
  } else {
    for (let i = 0; i < length && at >= 0; i++) {
      const value = getterOf(array, i) === undefined ? elementOf(array, i) : undefined
      at = value === undefined && !isData(array, i) ? stop(at) : write(value, at, depth)
    }
  }
  // V8 asks for further properties at the end. An accessor of an object in the array may have added some.
  return at < 0 || !hasRead || seen.size === objects || hasElementsOnly(array, length) ? at : stop(at)
}

function writeArguments(args: readonly unknown[], at: number): number {
  seen.add(args)
  at = writeHead(ARRAY, args.length, at)
  for (let i = 0; i < args.length && at >= 0; i++) at = write(args[i], at, 1)
  return at
}

function writeElements(array: unknown[], length: number, at: number, depth: number, position: Position): number {
  for (let i = 0; i < length && at >= 0; i++) {
    const value = elementOf(array, i)
    if (typeof value === 'number') at = writePrimitive(value, at)
    else if (typeof value === 'string') at = writeText(value, at)
    else if (typeof value === 'object' && value !== null) at = writeObject(value, at, depth, position, true)
    else at = value === undefined && !hasOwn(array, i) ? stop(at) : writePrimitive(value, at)
  }
  return at
}

function writeProperties(
  object: object,
  prototype: object | null,
  at: number,
  depth: number,
  position: Position,
): number {
  // A module namespace has no prototype, but a tag.
  if (isArgumentsObject(object) || (prototype === null && Symbol.toStringTag in object)) return refuse(at, object)
  const code = position.shape?.code
  if (code !== undefined && hasCode) {
    const end = code(object, at, depth)
    if (end !== OTHER_SHAPE) return end
  }
  const keys = keysOf(object)
  if (keys.length === 0) return writeEmpty(object, at)
  const shape = position.shapeOf(keys)
  if (shape === undefined || (shape.isIndexed && holdsOtherwise(object))) return refuse(at, object)
  if (hasCode) {
    if (shape.code !== undefined) return shape.code(object, at, depth)
    if (writers.meet(shape)) compileWriter(shape, valueWriters)
  }
  at = writeShape(shape, at)
  for (let i = 0; i < keys.length && at >= 0; i++) {
    const descriptor = getOwnPropertyDescriptor(object, keys[i])
    // An accessor that has run may have deleted the property.
    if (descriptor === undefined) return stop(at)
    const { value } = descriptor
    at = value === undefined && !hasOwn(descriptor, 'value') ? stop(at) : write(value, at, depth)
  }
  return at
}

function writeReadShape(shape: WrittenShape, at: number): number {
  hasRead = true
  return writeShape(shape, at)
}

function writeShape(shape: WrittenShape, at: number): number {
  if (shape.payload !== payload) {
    shape.payload = payload
    shape.number = shapeCount
    shapes[shapeCount++] = shape
  }
  if (shape.number >= SHAPE_TAGS) return writeHead(SHAPED, shape.number, at)
  reserve(at, 1)
  buffer.bytes[at] = FIRST_SHAPE + shape.number
  return at + 1
}

function writeEnd(at: number): number {
  const size = endSize(shapes, shapeCount)
  reserve(at, size)
  writeShapes(buffer, at, shapes, shapeCount)
  return at + size
}

function writeEmpty(object: object, at: number): number {
  if (Symbol.toStringTag in object || holdsOtherwise(object)) return refuse(at, object)
  reserve(at, 1)
  buffer.bytes[at] = EMPTY_OBJECT
  return at + 1
}

function writeDate(value: object, at: number): number {
  if (!types.isDate(value)) return refuse(at, value)
  reserve(at, 9)
  buffer.bytes[at] = DATE
  buffer.view.setFloat64(at + 1, timeOf(value), LITTLE_ENDIAN)
  return at + 9
}

function writeBuffer(value: object, at: number): number {
  const content = kindOf(value) === BUFFER ? contentOf(value, BUFFER) : undefined
  const size = content === undefined ? Infinity : typedArrayBytes(content)
  if (content === undefined || size > LARGEST_BUFFER) return refuse(at, value)
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

/** Gives the payload up because of a value that was read, and of which nothing is written. */
function refuse(at: number, value: unknown): number {
  refused = value
  hasRefused = true
  return stop(at)
}

/** Gives the payload up before the next value is read. */
function stop(at: number): number {
  refusedAt = at
  return -1
}

function reserve(at: number, room: number): void {
  if (at + room <= buffer.bytes.length) return
  if (at + room > LARGEST_PAYLOAD) throw new RangeError(TOO_LARGE)
  buffer = enlarge(buffer, at, room)
}

const TOO_LARGE = 'The payload is too large'
const EXHAUSTIONS = new Set([TOO_LARGE, 'Maximum call stack size exceeded', 'Array buffer allocation failed'])

/** Whether the stack or the memory is used up. An accessor may throw anything. */
function isExhaustion(error: unknown): boolean {
  if (!hasRead) return error instanceof RangeError
  if (!types.isNativeError(error)) return false
  const message = getOwnPropertyDescriptor(error, 'message')?.value
  return error instanceof RangeError && EXHAUSTIONS.has(message)
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
