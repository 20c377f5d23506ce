// The worker's lane: calls in, outcomes out. Offsets and staging memory stay in this file.

import {
  decodeArguments,
  decodeSplitArguments,
  encodeError,
  encodeResult,
  keepsContent,
  Outbox,
} from '../codec/index.js'
import { SerializationError } from '../errors/index.js'
import { countReceived } from '../memory/garbage.js'
import { native, type NativeWorker } from '../native/index.js'
import { detach, receiveShared, wholeShared } from '../memory/shared-buffer.js'
import { CallFlag, CallRecord, Committed, Inbox, Register, ResultFlag, Status, Taken, wide } from '../wire/index.js'

/** What `commitAndTake()` returns when nothing was taken, since the result is not committed yet. */
export const LATER = -1

const INBOX_BYTES = 64 << 10

/** Where the head of a payload is whose content is elsewhere. */
const HEAD_OFFSET = CallRecord.words * 4

export class Lane {
  readonly #native: NativeWorker
  // What runs once a call, without the cost of a method.
  readonly #take: () => number
  readonly #commit: () => number
  readonly #commitAndTake: () => number
  readonly #registers = new Uint32Array(Register.count)
  readonly #words: Uint32Array
  readonly #inbox: Uint8Array
  readonly outbox = new Outbox()
  /** Notices are written here: the outbox may hold a result that waits for room. */
  readonly #noticeOutbox = new Outbox()
  /** Commits the result that waits for room. */
  #waiting: (() => void) | undefined
  /** The copy of its large part. */
  #keptTail: Uint8Array | undefined

  /** The record of the call that was taken last. */
  task = 0
  codec = 0
  flags = 0
  taskId = 0
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

  /** Claims the next call, and reads its record. If there is none, the host rings when there is. */
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
    return taken
  }

  /** The arguments of the call that was taken. */
  arguments(): unknown[] {
    const args = this.#decode()
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
    countReceived(size, borrowed !== null)
    const content = borrowed === null ? this.#fetch(size) : new Uint8Array(borrowed)
    return decodeSplitArguments(codec, head, content)
  }

  /** The payload of what was taken and is no task; valid until the next `take()`. */
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

  releaseDefine(): void {
    this.#native.releaseDefine()
  }

  /**
   * Commits what is in the outbox as the outcome of the call that was taken, then calls `next`: later if it has to wait
   * until the host has read earlier results.
   */
  commit(status: number, flags: number, next: () => void): void {
    const committed = this.#tryCommit(status, flags)
    if (committed === Committed.done) next()
    else this.#refused(committed, status, flags, next)
  }

  #tryCommit(status: number, flags: number): number {
    const { outbox } = this
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

  /**
   * Commits what is in the outbox, and takes the next call. If that returns `later`, `next` is called as by `commit()`.
   */
  commitAndTake(status: number, flags: number, next: () => void): number {
    let refused: number
    if (this.outbox.tail === undefined) {
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

  /** The result was not committed. */
  #refused(committed: number, status: number, flags: number, next: () => void): void {
    const { outbox } = this
    if (committed === Committed.noRoom && this.#keepTail()) {
      this.#waiting = () => {
        this.#waiting = undefined
        this.commit(status, flags, next)
      }
      // Armed, the host rings when it has made room. If it has already, there is nobody to wait for.
      if (this.#native.arm()) this.#waiting()
    } else {
      const bytes = outbox.length + (outbox.tail?.byteLength ?? 0)
      const why = committed === Committed.tooLarge ? 'is more than a lane can hold' : 'found no memory'
      encodeError(new SerializationError(`The result of ${bytes} bytes ${why}`, { stage: 'result' }), outbox)
      this.commit(Status.error, 0, next)
    }
  }

  /** While a result waits the task's own timers run, and could change memory that is not copied yet. False: there is no
   * memory for a copy. */
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

  /** Commits, without waiting, that the task asked its process to exit. */
  commitExit(code: number): void {
    encodeResult(code, this.outbox)
    this.#setRegisters(Status.exit, 0)
    this.#commit()
  }

  /** Commits, without waiting, that the call in progress ends with this process, and not by its own doing. */
  commitFailure(error: Error): void {
    encodeError(error, this.outbox)
    this.#setRegisters(Status.error, 0)
    this.#commit()
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

  /** Memory for a task to fill in place; null when there is no room. */
  allocate(bytes: number): ArrayBuffer | null {
    return this.#native.allocate(bytes)
  }

  /** Whether tasks have got buffers that lie in the lane, and that are not collected yet. */
  get lends(): boolean {
    return native.lentBuffers() > 0
  }

  /** Gives memory back that nothing needs now. True: the host keeps results, so there may be more later. */
  trim(): boolean {
    return this.#native.trim()
  }
}
