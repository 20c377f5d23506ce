// The way of calls into the native pool: arguments become bytes in the outbox, all else becomes words of the registers.

import { encodeArguments, type Outbox } from '../codec/index.js'
import { SerializationError } from '../errors/index.js'
import { detach, wholeShared } from '../memory/shared-buffer.js'
import { native, type NativePool } from '../native/index.js'
import { CallFlag, Earlier, Register } from '../wire/index.js'
import type { CallFuture } from './call-future.js'
import { type KeptPayload, RepeatedCall } from './repeated-call.js'

export class CallPath {
  readonly #native: NativePool
  // Runs once a call, without the cost of a method.
  readonly #submit: () => number
  readonly #registers: Uint32Array
  readonly #outbox: Outbox
  /** The bytes of the tail that the last call had. */
  #sentTail = 0

  /** `registers` and the outbox's bytes are the memory that the native pool was made with. */
  constructor(pool: NativePool, registers: Uint32Array, outbox: Outbox) {
    this.#native = pool
    this.#submit = pool.bareSubmit()
    this.#registers = registers
    this.#outbox = outbox
  }

  /**
   * Encodes the arguments of the next call into the outbox, and behind them its label if there is one.
   *
   * @throws SerializationError when they cannot travel.
   */
  encode(args: readonly unknown[], label: string | undefined): void {
    this.#sentTail = 0
    encodeArguments(label === undefined ? args : [...args, label], this.#outbox)
  }

  /** The bytes of the payload in the outbox. */
  get payloadBytes(): number {
    return this.#outbox.length + (this.#outbox.tail?.byteLength ?? 0)
  }

  /** The bytes of the payload that was encoded last, also if it was submitted since. */
  get sentBytes(): number {
    return this.payloadBytes + this.#sentTail
  }

  /**
   * Submits a call whose arguments are in the outbox. An accepted call takes the memory of the buffers in `moving`,
   * which are detached. The payload of a call that the host repeats is kept.
   *
   * @throws SerializationError when there is no memory for a copy of that payload.
   * @returns The number of the call, or the reason for its refusal ({@link Refused}): then {@link discard} has to
   * follow.
   */
  submit(future: CallFuture<unknown>, flags: number, moving: readonly ArrayBuffer[] | undefined): number {
    const out = this.#outbox
    const registers = this.#registers
    registers[Register.task] = future.task.index
    registers[Register.codec] = out.codec
    registers[Register.flags] = future.earlier === 0 ? flags : flags | earlierBits(future.earlier)
    registers[Register.length] = out.length
    const hasMore = out.tail !== undefined || moving !== undefined
    if (!hasMore && future.timeout === undefined && future.retries === 0) return this.#submit()
    return this.#submitWith(future, moving)
  }

  /** Submits a call that has more than registers and outbox hold: a tail, buffers to move, limits. */
  #submitWith(future: CallFuture<unknown>, moving: readonly ArrayBuffer[] = []): number {
    const { timeout = -1, grace, retries } = future
    const out = this.#outbox
    const shared = wholeShared(out.tail)
    const moves = shared !== undefined && moving.includes(shared)
    if (moves) this.#registers[Register.flags]! |= CallFlag.moved
    let call: number
    if (future instanceof RepeatedCall) {
      if (moves) future.flags |= CallFlag.moved
      future.payload ??= this.#keep()
      // The public number of a call that was submitted before; else 0.
      call = this.#native.submitAttempt(out.tail, timeout, grace, future.taskId)
    } else if (moves && native.liesInLane(shared)) {
      call = this.#native.submitMoved(shared, timeout, grace, retries)
    } else {
      call = this.#native.submitWith(out.tail, timeout, grace, retries)
    }
    if (call < 0) return call
    this.#sentTail = out.tail?.byteLength ?? 0
    out.tail = undefined
    for (const buffer of moving) detach(buffer)
    return call
  }

  /** A copy of the payload in the outbox. */
  #keep(): KeptPayload {
    const { codec, bytes, length, tail } = this.#outbox
    try {
      const head = new Uint8Array(bytes.subarray(0, length))
      return { codec, head, tail: tail === undefined ? undefined : new Uint8Array(tail) }
    } catch (cause) {
      const message = `This process has no memory for a copy of the arguments, ${this.payloadBytes} bytes`
      throw new SerializationError(message, { stage: 'arguments', cause })
    }
  }

  /** Puts a payload into the outbox, as the encoder had left it there. */
  load({ codec, head, tail }: KeptPayload): void {
    const out = this.#outbox
    out.bytes.set(head)
    out.codec = codec
    out.length = head.byteLength
    out.tail = tail
  }

  /** Releases the payload of a refused call. */
  discard(): void {
    this.#outbox.tail = undefined
  }
}

/** The flags that tell the worker how many attempts there were before. */
function earlierBits(earlier: number): number {
  return Math.min(earlier, Earlier.most) << Earlier.shift
}
