// Ranges of a file: parts that workers read for themselves. A file that has changed since it was cut into ranges is an
// error, never wrong records.

import { type Buffer, constants } from 'node:buffer'
import { type FileHandle, open } from 'node:fs/promises'

import { Buffer as Bytes, Date } from '../util/globals.js'
import { invalidType, invalidValue, outOfRange, validateInteger, validateNumber, withCode } from '../util/validate.js'

/** A part of a file: whole records, by the bytes from `start` to `end`. Plain data, which can be sent to a worker. */
export interface Range {
  /** The path of the file, absolute. */
  readonly path: string
  /** The offset of the first byte. */
  readonly start: number
  /** The offset behind the last byte. */
  readonly end: number
  /** The size of the whole file in bytes, when it was cut. */
  readonly size: number
  /** The time of the file's last change when it was cut, in milliseconds since 1970, as `fs.Stats` has it. */
  readonly mtimeMs: number
  /** The first record of the file as text, without its end; with the option `header` of `byteRanges()`. */
  readonly header?: string
}

/** Bytes that are read at once. */
const PIECE_BYTES = 256 * 1024

/**
 * Reads a range whole.
 *
 * @throws Error with the code `ERR_MILLRACE_FILE_CHANGED` when the file has another size or time than when it was cut
 * into ranges; RangeError when the range is larger than a Buffer may be; TypeError or RangeError when `range` is no
 * range; the errors of the file system.
 */
export async function readRange(range: Range): Promise<Buffer> {
  const { start, end } = checkRange(range)
  if (end - start > constants.MAX_LENGTH) {
    throw outOfRange('range', `a range of at most ${constants.MAX_LENGTH} bytes`, end - start)
  }
  // The pieces fill the memory whole, or there is an error.
  const bytes = Bytes.allocUnsafeSlow(end - start)
  let filled = 0
  for await (const _ of pieces(range, (length) => bytes.subarray(filled, (filled += length)))) continue
  return bytes
}

/** The bytes of a range, in pieces. Each piece has memory of its own. */
export function rangePieces(range: Range): AsyncGenerator<Buffer, void, undefined> {
  return pieces(checkRange(range), (length) => Bytes.allocUnsafeSlow(length))
}

async function* pieces(range: Range, memoryOf: (length: number) => Buffer): AsyncGenerator<Buffer, void, undefined> {
  const file = await open(range.path)
  try {
    await assertUnchanged(file, range)
    for (let position = range.start; position < range.end;) {
      const piece = memoryOf(Math.min(PIECE_BYTES, range.end - position))
      await readFully(file, piece, position, range)
      position += piece.length
      // A change while the bytes were read: they may be of the old and of the new content.
      if (position === range.end) await assertUnchanged(file, range)
      yield piece
    }
  } finally {
    await file.close()
  }
}

async function readFully(file: FileHandle, into: Buffer, position: number, range: Range): Promise<void> {
  for (let filled = 0; filled < into.length;) {
    const { bytesRead } = await file.read(into, filled, into.length - filled, position + filled)
    if (bytesRead === 0) throw fileChanged(range.path, `it ends at byte ${position + filled} now`)
    filled += bytesRead
  }
}

/** @throws Error when the file has another size or time than `known`. */
export async function assertUnchanged(
  file: FileHandle,
  known: { path: string; size: number; mtimeMs: number },
): Promise<void> {
  const { size, mtimeMs } = await file.stat()
  if (size !== known.size) throw fileChanged(known.path, `it had ${known.size} bytes and has ${size} now`)
  if (mtimeMs !== known.mtimeMs) {
    const [before, now] = [known.mtimeMs, mtimeMs].map((time) => new Date(time).toISOString())
    throw fileChanged(known.path, `it was last written at ${before}, and again at ${now}`)
  }
}

function fileChanged(path: string, what: string): Error {
  const message = `${path} has changed since it was cut into ranges: ${what}. Cut the file again by byteRanges()`
  return Object.assign(withCode(new Error(message), 'ERR_MILLRACE_FILE_CHANGED'), { path })
}

/** Whether a value looks like a range: other sources of lines have no such property. */
export function isRange(value: object): value is Range {
  return typeof (value as Partial<Range>).path === 'string' && 'start' in value && 'mtimeMs' in value
}

function checkRange(range: Range): Range {
  const given: unknown = range
  if (given === null || typeof given !== 'object') throw invalidType('range', 'a range of byteRanges()', given)
  const { path, start, end, size, mtimeMs } = range
  if (typeof path !== 'string') throw invalidType('range.path', 'a string', path)
  if (path === '') throw invalidValue('range.path', 'the path of a file', path)
  validateInteger(size, 'range.size', 0)
  validateInteger(start, 'range.start', 0, size)
  validateInteger(end, 'range.end', start, size)
  validateNumber(mtimeMs, 'range.mtimeMs')
  return range
}
