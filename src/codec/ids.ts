// The codec ids, one byte in the slot header of every payload. Host and worker always run the same version of the
// package, so the numbers may change between releases; they may not be reused within one.

/** A sequence of inline scalars: all arguments, or the result. */
export const SCALARS = 1
/** As `SCALARS`, and exactly one element is raw bytes, which are the end of the payload. */
export const BYTES = 2
/** Plain data: arrays and objects without anything special about them. */
export const PLAIN = 3
/** The V8 serializer's format and the contents of array buffers behind it. */
export const V8 = 4
/** What a task threw: the V8 format again, holding a description of the error. */
export const ERROR = 5
/**
 * One value that is raw bytes and nothing else, so that the payload is exactly its content and a payload with memory of
 * its own can become the value without a copy: `RAW + kind` (the kinds are in `views.ts`).
 */
export const RAW = 16
