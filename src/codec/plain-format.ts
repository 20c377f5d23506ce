// The format of `PLAIN`: one byte that is not 0 if there are references, then one value.
//
// Scalars have the format of `SCALARS`. Each other value begins with one of the tags below. Objects are numbered in the
// order in which they begin.

/** u32 count; the elements. */
export const ARRAY = 16
/** Nothing follows. */
export const EMPTY_OBJECT = 17
/** A shape (`plain-shapes.ts`), which gets the next number; then the values of an object of this shape. */
export const NEW_SHAPE = 18
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

/** Levels of nesting. Deeper values are left to V8, because encoder and decoder are recursive. */
export const DEEPEST = 200
