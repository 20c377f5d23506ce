// Shapes on the sending side: known by their keys, with their bytes.

import { EncodeBuffer, LITTLE_ENDIAN } from './outbox.js'
import { LONGEST_LIST, LONGEST_SHAPE, mixHash, SHAPE_HEAD, SHAPES_END } from './plain-format.js'
import { writeScalar } from './scalars.js'
import { type CodeOwner, CodeTable } from './shape-code.js'

/**
 * Writes an object at `at`. Returns the position behind; -1 when the payload is given up; `OTHER_SHAPE` when the object
 * has other keys: then nothing is done. Enumerates inherited keys, too, so there must not be any.
 */
export type ShapeWriter = (object: object, at: number, depth: number) => number

export interface WrittenShape extends CodeOwner {
  readonly keys: readonly string[]
  readonly bytes: Uint8Array
  readonly hash: number
  /** Whether the first key begins with a digit: such objects may be indexed. */
  readonly isIndexed: boolean
  code: ShapeWriter | undefined
  /** The payload that had this shape last, and the shape's number there. */
  payload: number
  number: number
  /** The shapes of the last payload that began with this shape, and the end of such a payload. */
  list: readonly WrittenShape[]
  end: Uint8Array | undefined
}

export const OTHER_SHAPE = -2

/** The shapes that have code. */
export const writers = new CodeTable()

/** A place where objects stand, and the shapes of the last objects there: mostly the next object has the same. */
export class Position {
  shape: WrittenShape | undefined = undefined
  other: WrittenShape | undefined = undefined

  /** The shape of an object with these keys (at least one); undefined when the keys are too long. */
  shapeOf(keys: readonly string[]): WrittenShape | undefined {
    const { shape, other } = this
    if (shape !== undefined && sameKeys(shape.keys, keys)) return shape
    const found = other !== undefined && sameKeys(other.keys, keys) ? other : lookUp(keys)
    if (found !== undefined) {
      this.other = shape
      this.shape = found
    }
    return found
  }
}

/**
 * Sets of the table. A set has two places: a shape that is used moves to the first, and the former first to the second.
 */
const SETS = 256
const written: (WrittenShape | undefined)[] = new Array(2 * SETS).fill(undefined)
const draft = new EncodeBuffer(LONGEST_SHAPE)

function lookUp(keys: readonly string[]): WrittenShape | undefined {
  const first = keys[0]
  const last = keys[keys.length - 1]
  const mix = 31 * (31 * keys.length + first.length + last.length) + first.charCodeAt(0)
  const at = 2 * ((31 * mix + last.charCodeAt(0) + last.charCodeAt(last.length - 1)) & (SETS - 1))
  const shape = written[at]
  if (shape !== undefined && sameKeys(shape.keys, keys)) return shape
  const other = written[at + 1]
  const found = other !== undefined && sameKeys(other.keys, keys) ? other : makeShape(keys)
  if (found !== undefined) {
    written[at + 1] = shape
    written[at] = found
  }
  return found
}

function sameKeys(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i]) return false
  }
  return true
}

const none: readonly WrittenShape[] = []

function makeShape(keys: readonly string[]): WrittenShape | undefined {
  // Each key takes at least two bytes.
  if (2 * keys.length > LONGEST_SHAPE - SHAPE_HEAD) return undefined
  let at = SHAPE_HEAD
  for (const key of keys) {
    at = writeScalar(draft, at, key)
    if (at < 0) return undefined
  }
  let hash = at
  for (let i = SHAPE_HEAD; i < at; i++) hash = Math.imul(hash ^ draft.bytes[i], 0x01000193)
  hash ^= hash >>> 15
  draft.view.setUint32(0, hash, LITTLE_ENDIAN)
  draft.view.setUint16(4, at - SHAPE_HEAD, LITTLE_ENDIAN)
  draft.view.setUint16(6, keys.length, LITTLE_ENDIAN)
  return {
    keys,
    bytes: new Uint8Array(draft.bytes.subarray(0, at)),
    hash,
    isIndexed: startsWithDigit(keys[0]),
    met: 0,
    penalty: 0,
    code: undefined,
    payload: 0,
    number: 0,
    list: none,
    end: undefined,
  }
}

function startsWithDigit(text: string): boolean {
  const unit = text.charCodeAt(0)
  return unit <= 0x39 && unit >= 0x30
}

/** Bytes of the end of a payload that has the first `count` of these shapes. */
export function endSize(shapes: readonly WrittenShape[], count: number): number {
  let size = SHAPES_END
  for (let i = 0; i < count; i++) size += shapes[i].bytes.length
  return size
}

/** Writes the end of a payload that has the first `count` of these shapes at `at`, where there is room. */
export function writeShapes(out: EncodeBuffer, at: number, shapes: readonly WrittenShape[], count: number): void {
  const first = shapes[0]
  if (isList(first.list, shapes, count)) {
    out.bytes.set((first.end ??= makeEnd(first.list)), at)
    return
  }
  writeEach(out, at, shapes, count)
  // The bytes are kept together when the same shapes come again. Long lists would fill the memory of many shapes.
  if (endSize(shapes, count) > LONGEST_LIST) return
  first.list = shapes.slice(0, count)
  first.end = undefined
}

function isList(list: readonly WrittenShape[], shapes: readonly WrittenShape[], count: number): boolean {
  if (list.length !== count) return false
  for (let i = 1; i < count; i++) {
    if (list[i] !== shapes[i]) return false
  }
  return true
}

function makeEnd(shapes: readonly WrittenShape[]): Uint8Array {
  const size = endSize(shapes, shapes.length)
  writeEach(draft, 0, shapes, shapes.length)
  return new Uint8Array(draft.bytes.subarray(0, size))
}

function writeEach(out: EncodeBuffer, at: number, shapes: readonly WrittenShape[], count: number): void {
  const start = at
  let hash = 0
  for (let i = 0; i < count; i++) {
    const { bytes } = shapes[i]
    out.bytes.set(bytes, at)
    at += bytes.length
    hash = mixHash(hash, shapes[i].hash)
  }
  out.view.setInt32(at, hash, LITTLE_ENDIAN)
  out.view.setUint32(at + 4, at - start, LITTLE_ENDIAN)
}
