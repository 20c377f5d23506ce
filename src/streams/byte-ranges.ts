// The cutting of a file into ranges, at ends of records.

import { type FileHandle, open } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

import { Buffer } from '../util/globals.js'
import { optionNames, ownOptions } from '../util/options.js'
import { hrefOf } from '../util/url.js'
import { invalidType, invalidValue, validateBoolean, validateInteger } from '../util/validate.js'
import { assertUnchanged, type Range } from './range.js'

/** Options of {@link byteRanges}. */
export interface ByteRangesOptions {
  /**
   * The number of bytes that a range has at least, the last one aside. A range ends with the record that reaches this
   * number. Default: 4 MiB.
   */
  bytes?: number
  /** The text at the end of each record. Default: `'\n'`. */
  delimiter?: string
  /** Whether the first record is a header: it is the property `header` of each range, and in none of them. */
  header?: boolean
}

const NAMES = optionNames<ByteRangesOptions>('byteRanges()', { bytes: true, delimiter: true, header: true })

const DEFAULT_BYTES = 4 * 1024 * 1024

/** Bytes that are read at once in search of a delimiter. */
const SEARCH_BYTES = 64 * 1024

/** The largest header: it travels with each range. */
const LARGEST_HEADER = 1024 * 1024

/**
 * Cuts a file into ranges that workers read for themselves, by `readRange()` or `lines()`. Each byte of the file is in
 * one range, and each record whole in one. Reads only a little at each cut, so a large file takes no longer than a
 * small one. (A delimiter that can overlap with itself, such as `'\n\n'`, has the file read through.)
 *
 * @param path - A path, or a `file:` URL.
 * @throws Error (`ERR_MILLRACE_FILE_CHANGED`) when the file changes meanwhile; RangeError when a header is longer than
 * 1 MiB; TypeError or RangeError that names the argument; the errors of the file system.
 */
export async function byteRanges(path: string | URL, options?: ByteRangesOptions): Promise<Range[]> {
  const { bytes = DEFAULT_BYTES, delimiter = '\n', header = false } = ownOptions(options, NAMES)
  validateInteger(bytes, 'options.bytes', 1)
  if (typeof delimiter !== 'string') throw invalidType('options.delimiter', 'a string', delimiter)
  if (delimiter === '') throw invalidValue('options.delimiter', 'at least one character', delimiter)
  validateBoolean(header, 'options.header')
  const absolute = pathOf(path)
  const file = await open(absolute)
  try {
    const stats = await file.stat()
    if (!stats.isFile()) throw invalidValue('path', 'the path of a regular file', path)
    const known = { path: absolute, size: stats.size, mtimeMs: stats.mtimeMs }
    const cutter = new Cutter(file, stats.size, Buffer.from(delimiter))
    const ranges = await cut(cutter, known, bytes, header)
    await assertUnchanged(file, known)
    return ranges
  } finally {
    await file.close()
  }
}

type Known = Pick<Range, 'path' | 'size' | 'mtimeMs'>

async function cut(cutter: Cutter, known: Known, bytes: number, header: boolean): Promise<Range[]> {
  const ranges: Range[] = []
  const first = header ? await cutter.header() : undefined
  const rest = first === undefined ? undefined : { header: first.text }
  for (let start = first?.end ?? 0; start < known.size;) {
    const end = await cutter.endOfRecord(start, start + bytes)
    ranges.push({ ...known, start, end, ...rest })
    start = end
  }
  return ranges
}

function pathOf(path: string | URL): string {
  if (typeof path === 'string') {
    if (path === '') throw invalidValue('path', 'the path of a file', path)
    return resolve(path)
  }
  const href = hrefOf(path)
  if (href === undefined) throw invalidType('path', 'a string or a file: URL', path)
  return fileURLToPath(href)
}

/** Finds ends of records in a file. */
class Cutter {
  readonly #file: FileHandle
  readonly #size: number
  readonly #delimiter: Buffer
  readonly #overlaps: boolean

  constructor(file: FileHandle, size: number, delimiter: Buffer) {
    this.#file = file
    this.#size = size
    this.#delimiter = delimiter
    this.#overlaps = overlapsItself(delimiter)
  }

  /** The first record, and the offset behind its end. */
  async header(): Promise<{ text: string; end: number }> {
    const end = await this.endOfRecord(0, 1)
    if (end > LARGEST_HEADER) {
      throw new RangeError(`The header has ${end} bytes, more than ${LARGEST_HEADER}. Is "options.delimiter" right?`)
    }
    const bytes = Buffer.alloc(end)
    const { bytesRead } = await this.#file.read(bytes, 0, end, 0)
    return { text: headerText(bytes.subarray(0, bytesRead), this.#delimiter), end }
  }

  /**
   * The end of the record with the byte before `target`: the first end of a record at `target` or later. `start` is
   * where a record begins.
   */
  async endOfRecord(start: number, target: number): Promise<number> {
    if (target >= this.#size) return this.#size
    const { length } = this.#delimiter
    // Delimiters are found from the start on where one could begin inside of another one. Else each place that looks
    // like a delimiter is one, also where the search begins in the middle of a record.
    let position = this.#overlaps ? start : Math.max(start, target - length)
    const buffer = Buffer.allocUnsafeSlow(SEARCH_BYTES + length)
    for (;;) {
      const bytes = await this.#read(buffer, position)
      let from = 0
      for (let found = bytes.indexOf(this.#delimiter); found >= 0; found = bytes.indexOf(this.#delimiter, from)) {
        from = found + length
        if (position + from >= target) return position + from
      }
      // The end of the file. If the file has become shorter, the check at the end says so.
      if (bytes.length < buffer.length) return this.#size
      // The last bytes may be the beginning of a delimiter.
      position += Math.max(from, bytes.length - length + 1)
    }
  }

  async #read(buffer: Buffer, position: number): Promise<Buffer> {
    let filled = 0
    while (filled < buffer.length) {
      const { bytesRead } = await this.#file.read(buffer, filled, buffer.length - filled, position + filled)
      if (bytesRead === 0) break
      filled += bytesRead
    }
    return buffer.subarray(0, filled)
  }
}

/** Whether a delimiter could begin inside of another one: whether a proper beginning is also an end. */
function overlapsItself(delimiter: Buffer): boolean {
  for (let length = 1; length < delimiter.length; length++) {
    if (delimiter.subarray(0, length).equals(delimiter.subarray(delimiter.length - length))) return true
  }
  return false
}

function headerText(bytes: Buffer, delimiter: Buffer): string {
  const isEnded = bytes.subarray(-delimiter.length).equals(delimiter)
  const text = bytes.toString('utf8', 0, bytes.length - (isEnded ? delimiter.length : 0))
  const trimmed = delimiter.length === 1 && delimiter[0] === 10 && isEnded ? text.replace(/\r$/, '') : text
  return trimmed.replace(/^\uFEFF/, '')
}
