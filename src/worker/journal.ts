// The journal of the lane: the outcomes of a chunk's items, in shared memory, and how far the chunk has come.
//
// crates/ring/src/chunk.rs tells the protocol: the worker's steps are here.

import { encodeError, encodeResult, type Outbox } from '../codec/index.js'
import { encodeExit, outcomeBytes, writeOutcome, writeRest } from '../codec/journal.js'
import { writeScalar } from '../codec/scalars.js'
import type { NativeWorker } from '../native/index.js'
import { quickMs } from '../util/clock.js'
import { Buffer } from '../util/globals.js'
import { Journal as Words } from '../wire/index.js'

/** Memory that is committed at first, and that stays when a worker has nothing to do. */
const FIRST_BYTES = 64 * 1024

/** Room that is kept free for the head of an outcome, or for a short scalar. */
const SPARE_BYTES = 64

/** The part of the journal's bytes that has memory. */
class Memory {
  readonly bytes
  readonly view: DataView

  constructor(buffer: ArrayBuffer, offset: number, length: number) {
    this.bytes = Buffer.from(buffer, offset, length) as EncodeBytes
    this.view = new DataView(buffer, offset, length)
  }
}

type EncodeBytes = Parameters<typeof writeOutcome>[0]['bytes']

const NO_CHUNK = -1

export class Journal {
  readonly #native: NativeWorker
  readonly #outbox: Outbox
  readonly #buffer: ArrayBuffer
  readonly #offset: number
  readonly #words: Int32Array
  #memory: Memory
  /** Up to this length there is memory for one more outcome's head. */
  #ample = FIRST_BYTES - SPARE_BYTES
  /** The place of the chunk's word among `#words`. */
  #word = NO_CHUNK
  /** The word as this side has seen it last: the number of finished items, and the limit in the upper half. */
  #seen = 0
  /** Bytes of the outcomes of finished items. */
  length = 0
  /** Bytes with the outcome of the item that has just ended. */
  #written = 0
  /** Whether the rest of the last outcome is in the outbox. */
  #hasRest = false
  #isTimed = false

  constructor(native: NativeWorker, outbox: Outbox) {
    this.#native = native
    this.#outbox = outbox
    this.#buffer = native.journal()
    this.#offset = native.journalOffset
    this.#words = new Int32Array(this.#buffer, 0, this.#offset / 4)
    native.commitJournal(0, FIRST_BYTES)
    this.#memory = new Memory(this.#buffer, this.#offset, FIRST_BYTES)
  }

  /** Whether a chunk is open. */
  get isOpen(): boolean {
    return this.#word !== NO_CHUNK
  }

  /** Begins a chunk: its first item has begun then. `slot`: the index of its word. */
  open(slot: number, items: number, isTimed: boolean): void {
    this.length = 0
    this.#hasRest = false
    this.#isTimed = isTimed
    this.#word = Words.chunks + slot
    this.#seen = items << 16
    this.#words[Words.end] = 0
    this.#words[Words.began] = isTimed ? quickMs() | 0 : 0
    Atomics.store(this.#words, this.#word, this.#seen)
  }

  /** The number of finished items: the index of the present one. */
  get next(): number {
    return this.#seen & 0xffff
  }

  /** Keeps the value of the present item if it is a scalar that fits. Runs no code of the task's. */
  scalar(value: unknown): boolean {
    const end = writeScalar(this.#memory, this.length, value)
    if (end < 0) return false
    this.#written = end
    return true
  }

  /** Keeps any value of the present item. Throws a `SerializationError` when the value cannot travel. */
  value(value: unknown): void {
    encodeResult(value, this.#outbox)
    this.#keep()
  }

  /** Keeps the error of the present item. */
  error(error: unknown): void {
    encodeError(error, this.#outbox)
    this.#keep()
  }

  /** Keeps that the present item has called `process.exit()`. */
  exit(code: number): void {
    encodeExit(code, this.#outbox)
    this.#keep()
  }

  #keep(): void {
    const out = this.#outbox
    const bytes = outcomeBytes(out)
    if (this.#hasRoom(this.length + bytes)) {
      this.#written = writeOutcome(this.#memory, this.length, out)
      out.tail = undefined
    } else {
      // There is always room for the head: a chunk ends before the journal is that full.
      this.#written = writeRest(this.#memory, this.length, out)
      this.#hasRest = true
    }
  }

  /** Whether there is memory for so many bytes and one more outcome's head, after more was committed if need be. */
  #hasRoom(bytes: number): boolean {
    const needed = bytes + SPARE_BYTES
    const present = this.#memory.bytes.length
    if (needed <= present) return true
    if (needed > Words.bytes) return false
    let size = present
    while (size < needed) size *= 2
    size = Math.min(size, Words.bytes)
    if (!this.#native.commitJournal(present, size)) return false
    this.#setMemory(size)
    return true
  }

  #setMemory(bytes: number): void {
    this.#memory = new Memory(this.#buffer, this.#offset, bytes)
    this.#ample = bytes - SPARE_BYTES
  }

  /** The present item is over, and the next one begins. Returns false if there is none for this worker any more. */
  advance(): boolean {
    const words = this.#words
    words[Words.end] = this.#written
    for (;;) {
      const seen = this.#seen
      // The host has taken the present item back.
      if ((seen & 0xffff) >= seen >>> 16) return false
      const found = Atomics.compareExchange(words, this.#word, seen, seen + 1)
      if (found === seen) break
      this.#seen = found
    }
    this.#seen++
    this.length = this.#written
    if (this.#isTimed) words[Words.began] = quickMs() | 0
    const hasRoom = this.length <= this.#ample || this.#hasRoom(this.length)
    return (this.#seen & 0xffff) < this.#seen >>> 16 && hasRoom && !this.#hasRest
  }

  /** The rest of the last outcome, in the outbox; undefined if there is none. */
  rest(): Uint8Array | undefined {
    if (!this.#hasRest) return undefined
    const { length, tail } = this.#outbox
    return length === 0 ? tail : this.#outbox.copy()
  }

  /** The result of the chunk is committed. */
  close(): void {
    Atomics.store(this.#words, this.#word, 0)
    this.#word = NO_CHUNK
    if (this.#hasRest) this.#outbox.tail = undefined
  }

  /** Gives memory back that large outcomes have taken. */
  trim(): void {
    if (this.#memory.bytes.length === FIRST_BYTES || this.isOpen) return
    this.#native.trimJournal(FIRST_BYTES)
    this.#setMemory(FIRST_BYTES)
  }
}
