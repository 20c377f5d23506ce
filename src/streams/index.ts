// The exports of `millrace/streams`.

export type { AsyncItems } from '../util/async-items.js'
export { batches, type BatchesOptions } from './batches.js'
export { byteRanges, type ByteRangesOptions } from './byte-ranges.js'
export { lines, type LinesOptions } from './lines.js'
export { type Range, readRange } from './range.js'
export type { LineSource } from './sources.js'
export { type DeadLetter, transform, type TransformOptions, type TransformPool } from './transform.js'
