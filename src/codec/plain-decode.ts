// `PLAIN`, receiving side. No key is special, whatever `Object.prototype` has: a property is defined where assigning
// would not do the same.
//
// Objects of shapes that come often are made by code of their own (`compiled-decode.ts`), unless the payload has
// references: an object literal is made after its values, which may refer to the object.

import { Date } from '../util/globals.js'
import { compileReader } from './compiled-decode.js'
import { CorruptPayload } from './corrupt.js'
import { LITTLE_ENDIAN } from './outbox.js'
import { viewOf } from './payload-view.js'
import { ALL_MARKS, ARRAY, BUFFER_BYTES, DATE, DEEPEST, EMPTY_OBJECT, FIRST_SHAPE } from './plain-format.js'
import { HAS_REFERENCES, HAS_SHAPES, REFERENCE, SHAPED } from './plain-format.js'
import { readers, type ReadShape, shapesAt, shapesLength } from './read-shapes.js'
import { DOUBLE, FIRST_RAW_TAG, INT32, readScalar, scalarEnd, SHORT_LATIN1 } from './scalars.js'
import { anyPlace, shortText, type TextPlace } from './short-text.js'
import { BUFFER, fromContent } from './views.js'

const ObjectPrototype = Object.prototype
const nothing = new Uint8Array()
const nothingView = new DataView(nothing.buffer)
const none: readonly ReadShape[] = []

/** The payload, and the position up to which it is read. One decode at a time: no other code runs meanwhile. */
let bytes: Uint8Array = nothing
let view: DataView = nothingView
let end = 0
let at = 0
let shapes = none
/** The number of payloads so far. */
let payloads = 0
/** Decoded objects by their numbers; undefined when the payload has no references to objects. */
let objects: object[] | undefined

/** Decodes the payload `payload[start..stop)`. Throws a `CorruptPayload`. */
export function decodePlain(payload: Uint8Array, start: number, stop: number): unknown {
  if (start >= stop) throw new CorruptPayload('the payload is empty')
  const marks = payload[start]
  if (marks > ALL_MARKS) throw new CorruptPayload('the payload has unknown marks')
  bytes = payload
  view = viewOf(payload)
  end = stop
  at = start + 1
  payloads++
  objects = (marks & HAS_REFERENCES) === 0 ? undefined : []
  try {
    if ((marks & HAS_SHAPES) !== 0) {
      shapes = shapesAt(payload, at, stop)
      end -= shapesLength()
    }
    const value = read(0, anyPlace)
    if (at !== end) throw new CorruptPayload('the payload goes on behind its value')
    return value
  } finally {
    bytes = nothing
    view = nothingView
    shapes = none
    objects = undefined
  }
}

function read(depth: number, place: TextPlace): unknown {
  if (at >= end) throw new CorruptPayload('the payload ends within its value')
  const tag = bytes[at]
  // As `readScalar` has it: the most frequent scalars, without the way there.
  if (tag === INT32 && at + 5 <= end) {
    at += 5
    return view.getInt32(at - 4, LITTLE_ENDIAN)
  }
  if (tag === SHORT_LATIN1 && at + 2 + bytes[at + 1] <= end) {
    const start = at + 2
    at = start + bytes[at + 1]
    return shortText(bytes, start, at, place)
  }
  if (tag === DOUBLE && at + 9 <= end) {
    at += 9
    return view.getFloat64(at - 8, LITTLE_ENDIAN)
  }
  if (tag < FIRST_RAW_TAG) {
    const value = readScalar(bytes, at, end)
    at = scalarEnd()
    return value
  }
  at++
  if (depth > DEEPEST) throw new CorruptPayload('the payload is too deeply nested')
  if (tag >= FIRST_SHAPE) return readShaped(tag - FIRST_SHAPE, depth + 1)
  switch (tag) {
    case ARRAY:
      return readArray(depth + 1, place)
    case EMPTY_OBJECT:
      return begin({})
    case SHAPED:
      return readShaped(readNumber(), depth + 1)
    case DATE:
      return begin(new Date(readTime()))
    case BUFFER_BYTES:
      return readBuffer()
    case REFERENCE:
      return readReference()
    default:
      throw new CorruptPayload(`no value has the tag ${tag}`)
  }
}

function begin<T extends object>(object: T): T {
  objects?.push(object)
  return object
}

function readArray(depth: number, place: TextPlace): unknown[] {
  const length = readCount()
  const array: unknown[] = begin([])
  for (let i = 0; i < length; i++) array.push(read(depth, place))
  return array
}

function readShaped(number: number, depth: number): object {
  const shape = shapes[number]
  if (shape === undefined) throw new CorruptPayload(`there is no shape ${number}`)
  if (objects === undefined) {
    if (shape.code !== undefined) return shape.code(depth)
    if (readers.meet(shape)) compileReader(shape, read)
  }
  return readProperties(shape, depth)
}

function readProperties(shape: ReadShape, depth: number): object {
  const { keys } = shape
  const object = begin(new shape.Empty())
  if (isAssignable(shape)) {
    for (let i = 0; i < keys.length; i++) object[keys[i]] = read(depth, anyPlace)
  } else {
    for (const key of keys) {
      // The descriptor has no prototype, so only these properties count.
      const value = {
        __proto__: null,
        value: read(depth, anyPlace),
        writable: true,
        enumerable: true,
        configurable: true,
      }
      Object.defineProperty(object, key, value as PropertyDescriptor)
    }
  }
  return object
}

// An inherited property with one of the keys may have a setter, or be read-only. No user code runs until the payload is
// decoded, so the answer holds for the whole payload.
function isAssignable(shape: ReadShape): boolean {
  if (shape.payload !== payloads) {
    shape.payload = payloads
    shape.isAssignable = !shape.keys.some((key) => key in ObjectPrototype)
  }
  return shape.isAssignable
}

function readBuffer(): unknown {
  const size = readCount()
  const start = at
  at += size
  return begin(fromContent(BUFFER, bytes, start, at, false) as Buffer)
}

function readReference(): object {
  const number = readNumber()
  const object = objects?.[number]
  if (object === undefined) throw new CorruptPayload(`there is no object ${number}`)
  return object
}

// The number of elements, properties or bytes that follow. Each takes at least one byte.
function readCount(): number {
  const count = readNumber()
  if (count > end - at) throw new CorruptPayload('a value is longer than its payload')
  return count
}

function readNumber(): number {
  return view.getUint32(pass(4), LITTLE_ENDIAN)
}

function readTime(): number {
  return view.getFloat64(pass(8), LITTLE_ENDIAN)
}

// Passes over bytes that have to be there. Returns their position.
function pass(size: number): number {
  const start = at
  if (size > end - start) throw new CorruptPayload('a number is longer than its payload')
  at = start + size
  return start
}
