// The codec ids: one byte in the header of every payload's slot. Host and worker always run the same version of the
// package, so a number may change its meaning between releases, but has one meaning within a release.

/** A sequence of scalars: all arguments, or the result. */
export const SCALARS = 1
/** As `SCALARS`, but exactly one element is raw bytes, whose content is the end of the payload. */
export const BYTES = 2
/** Plain data: arrays and objects with nothing special about them. */
export const PLAIN = 3
/** The format of the V8 serializer, followed by the contents of array buffers. */
export const V8 = 4
/** A thrown value: the V8 format with a description of the error. */
export const ERROR = 5
/** The code with which an item of a chunk has called `process.exit()`: a scalar. */
export const EXIT = 6
/**
 * One value of raw bytes and nothing else: `RAW + kind` (the kinds are in `views.ts`). The payload is exactly the
 * content, so a payload with memory of its own can become the value without a copy.
 */
export const RAW = 16
