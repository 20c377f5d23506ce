// `lines`: the lines of a stream of bytes.

import type { Buffer } from 'node:buffer'

import type { AsyncItems } from '../util/async-items.js'
import { optionNames, ownOptions } from '../util/options.js'
import { takeReady, type ReadyItems } from '../util/ready-items.js'
import { invalidType, invalidValue, validateInteger } from '../util/validate.js'
import { type Line, LineSplitter } from './line-splitter.js'
import { isRange } from './range.js'
import { type LineSource, type PieceReader, readPieces } from './sources.js'

/** Options of {@link lines}. */
export interface LinesOptions {
  /**
   * How bytes become text; null: lines are Buffers, which may share memory with the source's pieces. Default: `'utf8'`.
   * Pieces that are strings are taken as they are.
   */
  encoding?: 'utf8' | 'latin1' | null
  /** The most bytes that a line may have, its end not counted. Default: 64 MiB. */
  maxBytes?: number
}

const NAMES = optionNames<LinesOptions>('lines()', { encoding: true, maxBytes: true })

const DEFAULT_MAX_BYTES = 64 * 1024 * 1024

/**
 * The lines of a stream of bytes, an iterable of pieces, or a range of a file; without their ends, `\n` or `\r\n`. A
 * `\r` that no `\n` follows is a character like others, a last line needs no end, and a byte order mark at the start is
 * dropped. Characters may be split between pieces. Bytes that are no UTF-8 become U+FFFD.
 *
 * Leaving the loop early closes the source. An error of the source comes after the lines that were complete.
 *
 * @throws TypeError or RangeError that names the argument. The iterator rejects with a RangeError
 * (`ERR_MILLRACE_LINE_TOO_LONG`, with the line's `offset` in bytes) at a line of more than `maxBytes` bytes: no more
 * than that is kept in memory. It rejects with the errors of the source, and of a file that has changed
 * (`ERR_MILLRACE_FILE_CHANGED`).
 */
export function lines(source: LineSource, options?: LinesOptions & { encoding?: 'utf8' | 'latin1' }): AsyncItems<string>
export function lines(source: LineSource, options: LinesOptions & { encoding: null }): AsyncItems<Buffer>
export function lines(source: LineSource, options?: LinesOptions): AsyncItems<string | Buffer>
export function lines(source: LineSource, options?: LinesOptions): AsyncItems<Line> {
  const { encoding = 'utf8', maxBytes = DEFAULT_MAX_BYTES } = ownOptions(options, NAMES)
  if (encoding !== null && typeof encoding !== 'string')
    throw invalidType('options.encoding', 'a string or null', encoding)
  if (encoding !== null && encoding !== 'utf8' && encoding !== 'latin1') {
    throw invalidValue('options.encoding', "one of 'utf8', 'latin1', null", encoding)
  }
  validateInteger(maxBytes, 'options.maxBytes', 1)
  const pieces = readPieces(source)
  return new Lines(pieces, new LineSplitter(encoding, maxBytes, isRange(source) ? source.start : 0))
}

type Result = IteratorResult<Line, undefined>

const END: Result = { done: true, value: undefined }

class Lines implements AsyncItems<Line>, ReadyItems<Line> {
  readonly #source: PieceReader
  readonly #splitter: LineSplitter
  #isClosed = false
  /** Calls of `next()` that wait, and the end of the last of them. */
  #waiting = 0
  #last: Promise<void> = Promise.resolve()

  constructor(source: PieceReader, splitter: LineSplitter) {
    this.#source = source
    this.#splitter = splitter
  }

  next(): Promise<Result> {
    const [value] = this[takeReady](1)
    if (value !== undefined) return Promise.resolve({ done: false, value })
    this.#waiting++
    const answer = this.#last.then(() => this.#read())
    const answered = (): void => void this.#waiting--
    this.#last = answer.then(answered, answered)
    return answer
  }

  [takeReady](limit: number): Line[] {
    const taken: Line[] = []
    if (this.#waiting > 0 || this.#isClosed) return taken
    try {
      for (let line; taken.length < limit && (line = this.#splitter.take()) !== undefined;) taken.push(line)
    } catch {
      // A line that is too long: `next()` comes upon it again.
    }
    return taken
  }

  async return(): Promise<Result> {
    await this.#close()
    return END
  }

  async throw(error?: unknown): Promise<Result> {
    await this.#close()
    throw error
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close()
  }

  async #read(): Promise<Result> {
    try {
      while (!this.#isClosed) {
        const value = this.#splitter.take()
        if (value !== undefined) return { done: false, value }
        const piece = await this.#source.next()
        if (piece === undefined) return this.#end()
        if (this.#source.isText) this.#splitter.readAsText()
        this.#splitter.push(piece)
      }
      return END
    } catch (error) {
      // A source that was destroyed while this read waited has failed for that reason.
      if (this.#isClosed) return END
      // The source's own failure comes first. Closing a source that has failed may fail, too.
      await this.#close().catch(ignore)
      throw error
    }
  }

  #end(): Result {
    this.#splitter.end()
    const value = this.#splitter.take()
    this.#isClosed = true
    return value === undefined ? END : { done: false, value }
  }

  async #close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#splitter.clear()
    const closing = this.#source.close()
    // An async generator answers only when its present `next()` is over, and that may take for ever.
    if (this.#waiting > 0) closing.catch(ignore)
    else await closing
  }
}

function ignore(): void {}
