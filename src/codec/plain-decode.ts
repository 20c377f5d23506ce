// `PLAIN`, receiving side. No key is special, whatever `Object.prototype` has: a property is defined where assigning
// would not do the same.

import { Date } from '../util/globals.js'
import { CorruptPayload } from './corrupt.js'
import { LITTLE_ENDIAN } from './outbox.js'
import { ARRAY, BUFFER_BYTES, DATE, DEEPEST, EMPTY_OBJECT, FIRST_SHAPE } from './plain-format.js'
import { NEW_SHAPE, REFERENCE, SHAPED } from './plain-format.js'
import { type ReadShape, readShape } from './plain-shapes.js'
import { FIRST_RAW_TAG, readScalar, scalarEnd } from './scalars.js'
import { BUFFER, fromContent } from './views.js'

const { hasOwn } = Object
const ObjectPrototype = Object.prototype
const nothing = new Uint8Array()

/** The payload, and the position up to which it is read. One decode at a time: no other code runs meanwhile. */
let bytes: Uint8Array = nothing
let end = 0
let at = 0
let shapes: ReadShape[] = []
/** Decoded objects by their numbers; undefined when the payload has no references to objects. */
let objects: object[] | undefined

/** Decodes the first `length` bytes of `payload`. Throws a `CorruptPayload`. */
export function decodePlain(payload: Uint8Array): unknown {
  bytes = payload
  end = payload.byteLength
  at = 1
  shapes = []
  objects = payload[0] === 0 ? undefined : []
  try {
    const value = read(0)
    if (at !== end) throw new CorruptPayload('the payload goes on behind its value')
    return value
  } finally {
    bytes = nothing
    shapes = []
    objects = undefined
  }
}

function read(depth: number): unknown {
  if (at >= end) throw new CorruptPayload('the payload ends within its value')
  const tag = bytes[at]
  if (tag < FIRST_RAW_TAG) {
    const value = readScalar(bytes, at, end)
    at = scalarEnd()
    return value
  }
  at++
  if (depth > DEEPEST) throw new CorruptPayload('the payload is too deeply nested')
  if (tag >= FIRST_SHAPE) return readProperties(tag - FIRST_SHAPE, depth + 1)
  switch (tag) {
    case ARRAY:
      return readArray(depth + 1)
    case EMPTY_OBJECT:
      return begin({})
    case NEW_SHAPE:
      return readProperties(beginShape(), depth + 1)
    case SHAPED:
      return readProperties(readNumber(), depth + 1)
    case DATE:
      return begin(new Date(readWide(8).getFloat64(0, LITTLE_ENDIAN)))
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

function readArray(depth: number): unknown[] {
  const length = readCount()
  const array: unknown[] = begin([])
  for (let i = 0; i < length; i++) array.push(read(depth))
  return array
}

function readProperties(number: number, depth: number): object {
  const shape = shapes[number]
  if (shape === undefined) throw new CorruptPayload(`there is no shape ${number}`)
  const { keys } = shape
  const object = begin(new shape.Empty())
  if (shape.isAssignable) {
    for (let i = 0; i < keys.length; i++) object[keys[i]] = read(depth)
  } else {
    for (const key of keys) {
      // The descriptor has no prototype, so only these properties count.
      const value = { __proto__: null, value: read(depth), writable: true, enumerable: true, configurable: true }
      Object.defineProperty(object, key, value as PropertyDescriptor)
    }
  }
  return object
}

function beginShape(): number {
  const shape = readShape(bytes, at, end)
  at += shape.bytes.length
  // No user code runs until the payload is decoded, so the answer holds for the whole payload.
  shape.isAssignable = isAssignable(shape.keys)
  return shapes.push(shape) - 1
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
  return readWide(4).getUint32(0, LITTLE_ENDIAN)
}

const wide = new DataView(new ArrayBuffer(8))
const wideBytes = new Uint8Array(wide.buffer)

function readWide(size: number): DataView {
  if (size > end - at) throw new CorruptPayload('a number is longer than its payload')
  for (let i = 0; i < size; i++) wideBytes[i] = bytes[at + i]
  at += size
  return wide
}

// An inherited property with one of these keys may have a setter, or be read-only.
function isAssignable(keys: readonly string[]): boolean {
  for (let i = 0; i < keys.length; i++) {
    if (hasOwn(ObjectPrototype, keys[i])) return false
  }
  return true
}
