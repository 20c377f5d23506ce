// The worker's lane: calls come in, outcomes go out. Offsets and staging memory stay in this file.

import {
  decodeArguments,
  decodeSplitArguments,
  encodeError,
  encodeResult,
  keepsContent,
  Outbox,
} from '../codec/index.js'
import { SerializationError, withLabel } from '../errors/index.js'
import { countReceived } from '../memory/garbage.js'
import { detach, receiveShared, wholeShared } from '../memory/shared-buffer.js'
import { native, type NativeWorker } from '../native/index.js'
import { Buffer } from '../util/globals.js'
import {
  CallFlag,
  CallRecord,
  Committed,
  Earlier,
  Inbox,
  Register,
  ResultFlag,
  Status,
  Taken,
  wide,
} from '../wire/index.js'
import { Journal } from './journal.js'

/** Returned by `commitAndTake()` when the result has to wait for room: nothing is committed or taken yet. */
export const LATER = -1

const INBOX_BYTES = 64 << 10

/** See {@link countReceived}: a worker uses the buffers of one call at a time. */
const SPARING_MIB = 12

/** Offset in the inbox of a payload's head, when the rest of the payload is elsewhere. */
const HEAD_OFFSET = CallRecord.words * 4

export class Lane {
  readonly #native: NativeWorker
  // Functions that run once a call, without the cost of a method.
  readonly #take: () => number
  readonly #commit: () => number
  readonly #commitAndTake: () => number
  readonly #registers = new Uint32Array(Register.count)
  readonly #words: Uint32Array
  readonly #inbox: Uint8Array
  readonly outbox = new Outbox()
  /** The outbox of notices: the other outbox may hold a result that waits for room. */
  readonly #noticeOutbox = new Outbox()
  /** Commits the result that waits for room. */
  #waiting: (() => void) | undefined
  /** A copy of the waiting result's tail. */
  #keptTail: Uint8Array | undefined
  #journal: Journal | undefined

  /** The record of the call that was taken last. */
  task = 0
  codec = 0
  flags = 0
  taskId = 0
  /** The label of the call whose arguments were decoded last. */
  label: string | undefined = undefined
  /** The index of the call's word in the journal. */
  chunk = 0
  #length = 0
  #offset = 0

  constructor(argument: string, onBell: () => void) {
    this.#inbox = new Uint8Array(INBOX_BYTES)
    this.#words = new Uint32Array(this.#inbox.buffer, 0, CallRecord.words)
    const registers = new Uint8Array(this.#registers.buffer)
    this.#native = new native.NativeWorker(argument, registers, this.outbox.bytes, this.#inbox, () => {
      if (this.#waiting === undefined) onBell()
      else this.#waiting()
    })
    this.#take = this.#native.bareTake()
    this.#commit = this.#native.bareCommit()
    this.#commitAndTake = this.#native.bareCommitAndTake()
  }

  get workerId(): number {
    return this.#native.workerId
  }

  get depth(): number {
    return this.#native.depth
  }

  /** Claims the next call and reads its record. When there is none, the host rings as soon as there is. */
  take(): number {
    return this.#read(this.#take())
  }

  #read(taken: number): number {
    if (taken === Taken.nothing || taken === Taken.stop) return taken
    const words = this.#words
    this.task = words[CallRecord.task]!
    this.codec = words[CallRecord.codec]!
    this.flags = words[CallRecord.flags]!
    this.#length = wide(words, CallRecord.length)
    this.#offset = words[CallRecord.offset]!
    this.taskId = wide(words, CallRecord.taskId)
    this.chunk = words[CallRecord.chunk]!
    return taken
  }

  /** Which attempt the call that was taken last is, from 1. */
  get attempt(): number {
    return ((this.flags >>> Earlier.shift) & Earlier.most) + 1
  }

  /** Decodes the arguments of the call that was taken last. */
  arguments(): unknown[] {
    const args = this.#decode()
    this.label = (this.flags & CallFlag.labelled) === 0 ? undefined : (args.pop() as string)
    if ((this.flags & CallFlag.moved) !== 0) receiveShared(args)
    return args
  }

  #decode(): unknown[] {
    const { codec } = this
    const offset = this.#offset
    if (offset !== Inbox.elsewhere) return decodeArguments(codec, this.#inbox, false, offset, offset + this.#length)
    const head = this.#head()
    const size = this.#length - head.byteLength
    const borrowed = keepsContent(codec, head.byteLength) ? this.#native.borrow() : null
    countReceived(size, borrowed !== null, SPARING_MIB)
    const content = borrowed === null ? this.#fetch(size) : new Uint8Array(borrowed)
    return decodeSplitArguments(codec, head, content)
  }

  /** The payload of a definition or a boot call; valid until the next `take()`. */
  payload(): Uint8Array {
    if (this.#offset !== Inbox.elsewhere) return this.#inbox.subarray(this.#offset, this.#offset + this.#length)
    const head = this.#head()
    const content = this.#fetch(this.#length - head.byteLength)
    return head.byteLength === 0 ? content : Buffer.concat([head, content])
  }

  #head(): Uint8Array {
    return this.#inbox.subarray(HEAD_OFFSET, HEAD_OFFSET + this.#words[CallRecord.headLength]!)
  }

  #fetch(length: number): Uint8Array {
    const content = this.#allocate(length)
    this.#native.fetch(content)
    return content
  }

  #allocate(length: number): Uint8Array {
    try {
      return Buffer.allocUnsafeSlow(length)
    } catch (cause) {
      const message = `The worker has no memory for the arguments of ${length} bytes`
      throw new SerializationError(message, { stage: 'arguments', cause })
    }
  }

  /** Has the host told when this process aborts because its heap is full. */
  noteFullHeap(): void {
    this.#native.noteFullHeap()
  }

  releaseDefine(): void {
    this.#native.releaseDefine()
  }

  /**
   * Commits the outbox as the outcome of the call that was taken last, then calls `next`. If there is no room, both
   * happen later, when the host has consumed earlier results.
   */
  commit(status: number, flags: number, next: () => void): void {
    const committed = this.#tryCommit(status, flags)
    if (committed === Committed.done) next()
    else this.#refused(committed, status, flags, next)
  }

  #tryCommit(status: number, flags: number): number {
    const { outbox } = this
    if ((flags & ResultFlag.outcomes) !== 0) return this.#commitChunk(status)
    const shared = wholeShared(outbox.tail)
    this.#setRegisters(status, shared === undefined ? flags : flags | ResultFlag.moved)
    if (outbox.tail === undefined) return this.#commit()
    let committed = shared === undefined ? Committed.notMoved : this.#native.commitMoved(shared)
    if (committed === Committed.notMoved) committed = this.#native.commitWith(outbox.tail)
    if (committed === Committed.done) {
      outbox.tail = this.#keptTail = undefined
      if (shared !== undefined) detach(shared)
    }
    return committed
  }

  #commitChunk(status: number): number {
    const journal = this.journal
    this.#setRegisters(status, ResultFlag.outcomes)
    const committed = this.#native.commitChunk(journal.length, journal.rest())
    if (committed === Committed.done) journal.close()
    return committed
  }

  /** Whether a chunk has begun and is not answered. */
  get isChunkOpen(): boolean {
    return this.#journal?.isOpen === true
  }

  /**
   * The journal of the lane, made at its first use: most workers run no chunks.
   *
   * @throws When there is no memory for it.
   */
  get journal(): Journal {
    return (this.#journal ??= new Journal(this.#native, this.outbox))
  }

  /**
   * Commits the outbox, then takes the next call. Returns {@link LATER} if there is no room: then the result is
   * committed and `next` called later, as by `commit()`.
   */
  commitAndTake(status: number, flags: number, next: () => void): number {
    let refused: number
    if (this.outbox.tail === undefined && (flags & ResultFlag.outcomes) === 0) {
      this.#setRegisters(status, flags)
      const taken = this.#commitAndTake()
      if (taken >= 0) return this.#read(taken)
      refused = -taken
    } else {
      refused = this.#tryCommit(status, flags)
      if (refused === Committed.done) return this.take()
    }
    this.#refused(refused, status, flags, next)
    return LATER
  }

  #setRegisters(status: number, flags: number): void {
    const registers = this.#registers
    registers[Register.status] = status
    registers[Register.codec] = this.outbox.codec
    registers[Register.flags] = flags
    registers[Register.length] = this.outbox.length
  }

  /** Deals with a result that was not committed. */
  #refused(committed: number, status: number, flags: number, next: () => void): void {
    const { outbox } = this
    if (committed === Committed.noRoom && this.#keepTail()) {
      this.#waiting = () => {
        this.#waiting = undefined
        this.commit(status, flags, next)
      }
      // From now on the host rings when it has made room. It may have made room already: then nobody would ring.
      if (this.#native.arm()) this.#waiting()
    } else {
      const bytes = outbox.length + (outbox.tail?.byteLength ?? 0)
      const why = committed === Committed.tooLarge ? 'is more than a lane can hold' : 'found no memory'
      const refusal = new SerializationError(`The result of ${bytes} bytes ${why}`, { stage: 'result' })
      const error = withLabel(refusal, this.label)
      if ((flags & ResultFlag.outcomes) === 0) {
        encodeError(error, outbox)
        this.commit(Status.error, 0, next)
      } else if (this.journal.shrink(error)) {
        this.commit(status, flags, next)
      } else {
        encodeError(error, outbox)
        this.commit(Status.error, 0, () => {
          this.journal.close()
          next()
        })
      }
    }
  }

  /**
   * Copies the waiting result's tail: while the result waits, timers of the task run and could change that memory.
   * Returns false when there is no memory for the copy.
   */
  #keepTail(): boolean {
    const { outbox } = this
    if (outbox.tail === this.#keptTail) return true
    try {
      const shared = wholeShared(outbox.tail)
      outbox.tail = this.#keptTail = new Uint8Array(outbox.tail!)
      if (shared !== undefined) detach(shared)
      return true
    } catch {
      return false
    }
  }

  /** Commits, without waiting for room, that the task has called `process.exit()`. */
  commitExit(code: number): void {
    if (this.isChunkOpen) {
      if (this.journal.isRunning) this.journal.exit(code)
      return this.#endChunk(Status.exit)
    }
    encodeResult(code, this.outbox)
    this.#setRegisters(Status.exit, 0)
    this.#commit()
  }

  /** Commits, without waiting for room, that the process ends under the call, and not by the call's own doing. */
  commitFailure(error: Error): void {
    if (this.isChunkOpen) {
      if (this.journal.isRunning) this.journal.error(error)
      return this.#endChunk(Status.error)
    }
    encodeError(error, this.outbox)
    this.#setRegisters(Status.error, 0)
    this.#commit()
  }

  /** Commits, without waiting for room, a chunk whose present item, if there is one, was its last one here. */
  #endChunk(status: number): void {
    if (this.journal.isRunning) this.journal.advance(true)
    this.#commitChunk(status)
  }

  /** Reports an error that belongs to no call. */
  notice(status: number, error: unknown): void {
    const out = this.#noticeOutbox
    encodeError(error, out)
    const head = out.bytes.subarray(0, out.length)
    const bytes = out.tail === undefined ? head : Buffer.concat([head, out.tail])
    this.#native.notice(status, out.codec, bytes)
    out.tail = undefined
  }

  get abortRequested(): boolean {
    return this.#native.abortRequested()
  }

  setPhase(phase: number): void {
    this.#native.setPhase(phase)
  }

  /** From now on SIGTERM and SIGHUP end this process only if its host has announced them, or it sends them itself. */
  heedAnnouncedSignals(): void {
    this.#native.heedAnnouncedSignals()
  }

  /** Allocates shared memory for a task to fill in place; null when there is no room. */
  allocate(bytes: number): ArrayBuffer | null {
    return this.#native.allocate(bytes)
  }

  /** Whether tasks have received buffers that lie in the lane and are not collected yet. */
  get lends(): boolean {
    return native.lentBuffers() > 0
  }

  /** Gives unneeded memory back. Returns true if the host still keeps results, so that more may come back later. */
  trim(): boolean {
    this.#journal?.trim()
    return this.#native.trim()
  }
}
