// The journal of the lane: the outcomes of a chunk's items, in shared memory, and how far the chunk has come.
//
// crates/ring/src/chunk.rs tells the protocol: the worker's steps are here.

import { encodeResult, type Outbox } from '../codec/index.js'
import { encodeExit, HEAD_BYTES, outcomeBytes, writeOutcome, writeRest } from '../codec/journal.js'
import { writeScalar } from '../codec/scalars.js'
import type { NativeWorker } from '../native/index.js'
import { quickMs } from '../util/clock.js'
import { Buffer } from '../util/globals.js'
import { Journal as Words } from '../wire/index.js'
import { encodeFailure } from './failure.js'

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
  /** The most bytes of outcomes. */
  readonly #capacity: number
  #memory: Memory
  /** Up to this length there is memory for one more outcome's head. */
  #ample = FIRST_BYTES - SPARE_BYTES
  /** The place of the chunk's word among `#words`. */
  #word = NO_CHUNK
  /**
   * The word as this side has seen it last: the number of finished items, and the limit in the upper half. Of a sealed
   * chunk: no limit, and one more than that number.
   */
  #seen = 0
  /** Bytes of the outcomes of finished items. */
  length = 0
  /** Bytes with the outcome of the item that has just ended. */
  #written = 0
  /** Whether the payload of the outcome that was kept last is in the outbox, since the journal has no room for it. */
  #hasRest = false
  #isTimed = false

  constructor(native: NativeWorker, outbox: Outbox) {
    this.#native = native
    this.#outbox = outbox
    this.#buffer = native.journal()
    this.#offset = native.journalOffset
    this.#words = new Int32Array(this.#buffer, 0, this.#offset / 4)
    this.#capacity = this.#buffer.byteLength - this.#offset
    if (!native.commitJournal(0, FIRST_BYTES)) throw new Error('The machine has no memory for the outcomes of a chunk')
    this.#memory = new Memory(this.#buffer, this.#offset, FIRST_BYTES)
  }

  /** Whether a chunk is open. */
  get isOpen(): boolean {
    return this.#word !== NO_CHUNK
  }

  /** Whether an item is running. */
  get isRunning(): boolean {
    return (this.#seen & 0xffff) < this.#seen >>> 16
  }

  /**
   * Opens a chunk, and begins its first item. `slot`: the index of its word. Returns false if the host has sealed the
   * chunk: it is to be answered then, with no outcome.
   */
  open(slot: number, items: number, isTimed: boolean): boolean {
    this.length = this.#written = 0
    this.#hasRest = false
    this.#isTimed = isTimed
    this.#word = Words.chunks + slot
    this.#seen = items << 16
    this.#words[Words.end] = 0
    this.#words[Words.began] = isTimed ? quickMs() | 0 : 0
    return Atomics.compareExchange(this.#words, this.#word, 0, this.#seen) === 0
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

  /** Keeps the error of the present item. Never throws. */
  error(error: unknown): void {
    encodeFailure(error, this.#outbox)
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
    this.#hasRest = false
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
    if (needed > this.#capacity) return false
    let size = present
    while (size < needed) size *= 2
    size = Math.min(size, this.#capacity)
    if (!this.#native.commitJournal(present, size)) return false
    this.#setMemory(size)
    return true
  }

  #setMemory(bytes: number): void {
    this.#memory = new Memory(this.#buffer, this.#offset, bytes)
    this.#ample = bytes - SPARE_BYTES
  }

  /**
   * The present item is over, with the outcome that was kept last, and the next one begins. Returns false if there is
   * no next one here: the chunk is to be answered. `isLast`: no further item is to begin.
   */
  advance(isLast = false): boolean {
    const words = this.#words
    words[Words.end] = this.#written
    // Before the exchange: the host, which sees an item in the word, finds no earlier time than that item's.
    if (this.#isTimed) words[Words.began] = quickMs() | 0
    const goesOn = !isLast && !this.#hasRest && (this.#written <= this.#ample || this.#hasRoom(this.#written))
    for (;;) {
      const seen = this.#seen
      const next = seen & 0xffff
      // The host has sealed the chunk: the outcome does not count.
      if (next >= seen >>> 16) return this.#drop()
      const after = goesOn ? seen + 1 : this.#hasRest ? next + 1 : ((next + 1) << 16) | (next + 1)
      const found = Atomics.compareExchange(words, this.#word, seen, after)
      if (found === seen) {
        this.#seen = after
        this.length = this.#written
        return this.isRunning
      }
      this.#seen = found
    }
  }

  /** The outcome that was kept last is not part of the answer. */
  #drop(): false {
    this.#dropRest()
    return false
  }

  #dropRest(): void {
    if (!this.#hasRest) return
    this.#hasRest = false
    this.#outbox.tail = undefined
  }

  /**
   * The answer was refused, since it is larger than a lane or finds no memory: `error` takes the place of the outcome
   * that does not fit the journal. Returns false if there is none.
   */
  shrink(error: Error): boolean {
    if (!this.#hasRest) return false
    this.#dropRest()
    // The head of the outcome is the last of the journal, and an error of a few lines has room in its place.
    encodeFailure(error, this.#outbox)
    this.length -= HEAD_BYTES
    if (!this.#hasRoom(this.length + outcomeBytes(this.#outbox))) return false
    this.length = writeOutcome(this.#memory, this.length, this.#outbox)
    return true
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
    this.#dropRest()
  }

  /** Gives memory back that large outcomes have taken. */
  trim(): void {
    if (this.#memory.bytes.length === FIRST_BYTES || this.isOpen) return
    this.#native.trimJournal(FIRST_BYTES)
    this.#setMemory(FIRST_BYTES)
  }
}
