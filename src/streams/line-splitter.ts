// The cutting of bytes into lines, piece by piece.

import { Buffer } from '../util/globals.js'
import { withCode } from '../util/validate.js'

/** How bytes become lines; null: lines are Buffers. */
export type LineEncoding = 'utf8' | 'latin1' | null

export type Line = string | Buffer

const NEWLINE = 10
const RETURN = 13

/** The mark at the start of some files in UTF-8. */
const MARK = Buffer.from([0xef, 0xbb, 0xbf])

/** Bytes that are no part of a line's length: a mark, and `\r`. */
const MOST_UNCOUNTED = MARK.length + 1

const NOTHING = Buffer.alloc(0)

export class LineSplitter {
  #encoding: LineEncoding
  readonly #maxBytes: number
  /** Bytes that begin with a line, from `#position` on. */
  #bytes: Buffer = NOTHING
  #position = 0
  /** The offset in the source of the first of `#bytes`. */
  #offset: number
  /** The beginning of a line that has no end yet: copies, since a source may use the memory of a piece again. */
  #beginning: Buffer[] = []
  #beginningBytes = 0
  #isEnded = false

  /** @param offset - Where the source begins in its file: offsets of errors count from the start of the file. */
  constructor(encoding: LineEncoding, maxBytes: number, offset: number) {
    this.#encoding = encoding
    this.#maxBytes = maxBytes
    this.#offset = offset
  }

  /** The source gives texts, and the bytes are those of UTF-8. */
  readAsText(): void {
    if (this.#encoding !== null) this.#encoding = 'utf8'
  }

  /**
   * Takes a piece, when {@link take} has said that there is no line.
   *
   * @throws RangeError when a line is too long.
   */
  push(piece: Buffer): void {
    if (piece.includes(NEWLINE)) {
      this.#bytes = this.#beginning.length === 0 ? piece : Buffer.concat([...this.#beginning, piece])
      this.#beginning = []
      this.#beginningBytes = 0
    } else if (piece.length > 0) {
      this.#keep(piece)
    }
  }

  /** The source has ended: what is left is the last line. */
  end(): void {
    this.#bytes = Buffer.concat(this.#beginning)
    this.#beginning = []
    this.#isEnded = true
  }

  /**
   * The next line that is there whole; undefined if there is none.
   *
   * @throws RangeError when a line is too long, at this line again and again.
   */
  take(): Line | undefined {
    const bytes = this.#bytes
    if (this.#offset + this.#position === 0 && bytes.subarray(0, MARK.length).equals(MARK)) {
      this.#position = MARK.length
    }
    const from = this.#position
    const newline = bytes.indexOf(NEWLINE, from)
    if (newline < 0 && !(this.#isEnded && from < bytes.length)) {
      this.#keepRest()
      return undefined
    }
    const next = newline < 0 ? bytes.length : newline + 1
    let to = newline < 0 ? bytes.length : newline
    if (newline > from && bytes[newline - 1] === RETURN) to--
    if (to - from > this.#maxBytes) throw this.#tooLong(this.#offset + from)
    this.#position = next
    return this.#encoding === null ? bytes.subarray(from, to) : bytes.toString(this.#encoding, from, to)
  }

  /** Forgets everything. */
  clear(): void {
    this.#bytes = NOTHING
    this.#position = 0
    this.#beginning = []
  }

  #keepRest(): void {
    const rest = this.#bytes.subarray(this.#position)
    this.#offset += this.#position
    this.#bytes = NOTHING
    this.#position = 0
    if (rest.length > 0) this.#keep(rest)
  }

  #keep(bytes: Buffer): void {
    this.#beginning.push(Buffer.from(bytes))
    this.#beginningBytes += bytes.length
    if (this.#beginningBytes > this.#maxBytes + MOST_UNCOUNTED) throw this.#tooLong(this.#offset)
  }

  #tooLong(offset: number): RangeError {
    const limit = `${this.#maxBytes} bytes, the limit by the option maxBytes of lines()`
    const message = `The line at byte ${offset} is longer than ${limit}`
    return Object.assign(withCode(new RangeError(message), 'ERR_MILLRACE_LINE_TOO_LONG'), { offset })
  }
}
