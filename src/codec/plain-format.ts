// The format of `PLAIN`: one byte that says whether there are references, then one value. Scalars are written as in
// `SCALARS`; each other value begins with one of these tags. Objects are numbered in the order in which they begin.

/** u32 count, the elements. */
export const ARRAY = 16
/** Nothing follows. */
export const EMPTY_OBJECT = 17
/** A shape (`plain-shapes.ts`), which gets the next number, and the values of an object that has it. */
export const NEW_SHAPE = 18
/** u32 number of a shape, the values. */
export const SHAPED = 19
/** f64 time. */
export const DATE = 20
/** u32 count, the bytes of a Buffer. */
export const BUFFER_BYTES = 21
/** u32 number of an object that has begun before. */
export const REFERENCE = 22
/** As `SHAPED`, the number being what the tag is above this. */
export const FIRST_SHAPE = 64
/** So many shapes have a tag. */
export const SHAPE_TAGS = 256 - FIRST_SHAPE

/** Deeper values are left to V8: encoder and decoder call themselves. */
export const DEEPEST = 200
