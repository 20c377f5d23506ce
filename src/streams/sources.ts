// The sources of `lines()`: where pieces of bytes come from, and how a source is closed.

import { Buffer } from '../util/globals.js'
import { invalidType, invalidValue } from '../util/validate.js'
import { isRange, type Range, rangePieces } from './range.js'

/** A piece of a source of lines. The pieces of one source are all bytes, or all texts. */
export type Piece = Uint8Array | string

/** A source of lines: a stream of bytes or texts, an iterable of pieces, bytes, or a range of a file. */
export type LineSource = AsyncIterable<Piece> | Iterable<Piece> | Uint8Array | Range

/** A source that is being read. */
export interface PieceReader {
  /** The next piece; undefined at the end. */
  next(): Promise<Buffer | undefined>
  /** Closes the source. Is not to be awaited while `next()` waits for a source that is no Node stream. */
  close(): Promise<void>
  /** Whether lines are texts in UTF-8, whatever encoding was asked for: the pieces are texts. Known after a piece. */
  readonly isText: boolean
}

/** @throws TypeError when `source` is no source. */
export function readPieces(source: LineSource): PieceReader {
  const given: unknown = source
  if (typeof given === 'string') {
    const rule =
      'a stream, an iterable of pieces, bytes or a range: createReadStream(path) for a file, [text] for a text'
    throw invalidType('source', rule, given)
  }
  if (given === null || typeof given !== 'object') {
    throw invalidType('source', 'a stream, an iterable of pieces, bytes or a range', given)
  }
  if (source instanceof Uint8Array) return new Pieces([source][Symbol.iterator](), undefined)
  if (isRange(source)) return new Pieces(rangePieces(source), undefined)
  if (Symbol.asyncIterator in source) return new Pieces(source[Symbol.asyncIterator](), streamOf(source))
  if (Symbol.iterator in source) return new Pieces(source[Symbol.iterator](), undefined)
  throw invalidType('source', 'a stream, an iterable of pieces, bytes or a range', given)
}

interface Destroyable {
  destroy(): void
}

/** A Node stream. To destroy the stream also ends a read that waits: its iterator would be closed after that read. */
function streamOf(source: object): Destroyable | undefined {
  const { destroy } = source as Partial<Destroyable>
  return typeof destroy === 'function' ? (source as Destroyable) : undefined
}

class Pieces implements PieceReader {
  isText = false
  #isBytes = false
  /** The first half of a character whose second half is in the next piece. */
  #half = ''
  readonly #iterator: Iterator<Piece> | AsyncIterator<Piece>
  readonly #stream: Destroyable | undefined

  constructor(iterator: Iterator<Piece> | AsyncIterator<Piece>, stream: Destroyable | undefined) {
    this.#iterator = iterator
    this.#stream = stream
  }

  async next(): Promise<Buffer | undefined> {
    const result = await this.#iterator.next()
    if (result.done) return this.#rest()
    const piece: unknown = result.value
    if (typeof piece === 'string') return this.#bytesOf(piece)
    if (!(piece instanceof Uint8Array)) throw invalidType('source', 'a source of Uint8Arrays or strings', piece)
    if (this.isText) throw mixed(piece)
    this.#isBytes = true
    return Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)
  }

  async close(): Promise<void> {
    if (this.#stream === undefined) await this.#iterator.return?.()
    else this.#stream.destroy()
  }

  #bytesOf(piece: string): Buffer {
    if (this.#isBytes) throw mixed(piece)
    this.isText = true
    const text = this.#half + piece
    const isCut = /[\uD800-\uDBFF]$/.test(text)
    this.#half = isCut ? text.slice(-1) : ''
    return Buffer.from(isCut ? text.slice(0, -1) : text)
  }

  #rest(): Buffer | undefined {
    if (this.#half === '') return undefined
    const rest = Buffer.from(this.#half)
    this.#half = ''
    return rest
  }
}

function mixed(piece: Piece): TypeError {
  return invalidValue('source', 'a source whose pieces are all bytes or all strings', piece)
}
