// The way of calls into the native pool: arguments become bytes in the outbox, all else becomes words of the registers.

import { encodeArguments, type Outbox } from '../codec/index.js'
import { detach, wholeShared } from '../memory/shared-buffer.js'
import { native, type NativePool } from '../native/index.js'
import { CallFlag, Register } from '../wire/index.js'
import type { CallFuture } from './call-future.js'

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
   * Encodes the arguments of the next call into the outbox.
   *
   * @throws SerializationError when they cannot travel.
   */
  encode(args: readonly unknown[]): void {
    this.#sentTail = 0
    encodeArguments(args, this.#outbox)
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
   * which are detached.
   *
   * @returns The number of the call, or the reason for its refusal ({@link Refused}): then {@link discard} has to
   * follow.
   */
  submit(future: CallFuture<unknown>, flags: number, moving: readonly ArrayBuffer[] | undefined): number {
    const out = this.#outbox
    const registers = this.#registers
    registers[Register.task] = future.task.index
    registers[Register.codec] = out.codec
    registers[Register.flags] = flags
    registers[Register.length] = out.length
    const hasMore = out.tail !== undefined || moving !== undefined
    if (!hasMore && future.timeout === undefined && future.retries === 0) return this.#submit()
    return this.#submitWith(future, moving)
  }

  /** Submits a call that has more than registers and outbox hold: a tail, buffers to move, limits. */
  #submitWith({ timeout = -1, grace, retries }: CallFuture<unknown>, moving: readonly ArrayBuffer[] = []): number {
    const out = this.#outbox
    const shared = wholeShared(out.tail)
    const moves = shared !== undefined && moving.includes(shared)
    if (moves) this.#registers[Register.flags]! |= CallFlag.moved
    const call =
      moves && native.liesInLane(shared)
        ? this.#native.submitMoved(shared, timeout, grace, retries)
        : this.#native.submitWith(out.tail, timeout, grace, retries)
    if (call < 0) return call
    this.#sentTail = out.tail?.byteLength ?? 0
    out.tail = undefined
    for (const buffer of moving) detach(buffer)
    return call
  }

  /** Releases the payload of a refused call. */
  discard(): void {
    this.#outbox.tail = undefined
  }
}
