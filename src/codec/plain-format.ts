// The format of `PLAIN`: one byte of marks; one value; if the marks say so, the shapes.
//
// Scalars have the format of `SCALARS`. Each other value begins with one of the tags below. Objects are numbered in the
// order in which they begin.
//
// A shape is the keys of an object in their order: u32 hash of the rest; u16 bytes of the keys; u16 number of keys; the
// keys as scalars. A payload has each of its shapes once, in the order in which they are met, which is also their
// numbering. Behind the shapes: u32 hash of their hashes; u32 number of their bytes.

/** A mark: the value has references. */
export const HAS_REFERENCES = 1
/** A mark: the value has shapes. */
export const HAS_SHAPES = 2

export const ALL_MARKS = HAS_REFERENCES | HAS_SHAPES

/** u32 count; the elements. */
export const ARRAY = 16
/** Nothing follows. */
export const EMPTY_OBJECT = 17
/** u32 number of a shape; the values of an object of this shape. */
export const SHAPED = 19
/** f64 time. */
export const DATE = 20
/** u32 count; the bytes of a Buffer. */
export const BUFFER_BYTES = 21
/** u32 number of an object that has begun earlier. */
export const REFERENCE = 22
/** From this tag on: as `SHAPED`, and the number of the shape is the tag less this. */
export const FIRST_SHAPE = 64
/** The number of shapes that have tags. */
export const SHAPE_TAGS = 256 - FIRST_SHAPE

/** Bytes in front of the keys of a shape. */
export const SHAPE_HEAD = 8
/** Bytes behind the shapes. */
export const SHAPES_END = 8
/** Bytes of the shapes of a payload that both sides remember together. */
export const LONGEST_LIST = 2048
/** Bytes of a shape. Objects with longer keys are dictionaries rather than records, and are left to V8. */
export const LONGEST_SHAPE = 4096

/** The hash of shapes: that of the ones before, and the hash of the next one. */
export function mixHash(hash: number, next: number): number {
  return (Math.imul(hash, 31) + next) | 0
}

/** Levels of nesting. Deeper values are left to V8, because encoder and decoder are recursive. */
export const DEEPEST = 200
