// Calls on their way to the native pool: their arguments are encoded and submitted, and a refusal is answered by
// another attempt where one may help, or told.

import type { Outbox } from '../codec/index.js'
import { withLabel } from '../errors/index.js'
import type { NativePool } from '../native/index.js'
import { HostFlag, Refused } from '../wire/index.js'
import type { CallFuture } from './call-future.js'
import type { CallPath } from './call-path.js'
import type { Calls } from './calls.js'
import type { OwnForks } from './own-forks.js'
import type { QueueRoom } from './queue-room.js'
import { RefusedItems } from './refused-items.js'
import type { RepeatedCall } from './repeated-call.js'
import { givesBack } from './shortage.js'
import { SubmitStacks } from './submit-stacks.js'

type AnyFuture = CallFuture<unknown>
type Caller = (...args: never[]) => unknown
type Moving = readonly ArrayBuffer[] | undefined

/** The parts of a pool's core that sending needs. */
export interface SenderParts {
  readonly native: NativePool
  readonly path: CallPath
  readonly outbox: Outbox
  readonly room: QueueRoom
  readonly calls: Calls
  readonly forks: OwnForks | undefined
  /** Makes the error for a refused call, or a refused allocation, of `bytes` bytes. */
  refusal(reason: number, bytes: number): Error
  /** There is an unfinished call, after there was none. */
  firstCall(): void
}

export class CallSender {
  readonly #native: NativePool
  readonly #path: CallPath
  readonly #outbox: Outbox
  readonly #room: QueueRoom
  readonly #calls: Calls
  readonly #forks: OwnForks | undefined
  readonly #submitStacks = new SubmitStacks()
  readonly #parts: SenderParts

  constructor(parts: SenderParts) {
    this.#native = parts.native
    this.#path = parts.path
    this.#outbox = parts.outbox
    this.#room = parts.room
    this.#calls = parts.calls
    this.#forks = parts.forks
    this.#parts = parts
  }

  /** The bytes of the arguments of the last call. */
  get sentBytes(): number {
    return this.#path.sentBytes
  }

  /**
   * Sends a call. Arguments that cannot travel fail its future.
   *
   * @throws The reason for which the native pool refuses the call. Then nothing of the call is kept.
   */
  send(future: AnyFuture, args: readonly unknown[], flags: number, caller: Caller, moving: Moving): void {
    const path = this.#path
    try {
      path.encode(args, future.label)
    } catch (error) {
      if (future.items > 0 && future.refused === undefined) return this.#sendRest(future, args, flags, caller)
      return this.#calls.fail(future, withLabel(error, future.label))
    }
    const call = path.submit(future, flags, moving)
    if (call < 0) return this.#refused(future, call, flags, caller, moving)
    this.#accepted(future, call, caller)
  }

  /**
   * Sends the next attempt of a call that was sent before.
   *
   * @throws The reason for which the native pool refuses the call.
   */
  sendAgain(call: RepeatedCall<unknown>): void {
    const flags = call.flags | HostFlag.further
    const path = this.#path
    path.load(call.payload!)
    let number = path.submit(call, flags, undefined)
    while (number === Refused.spawn && givesBack(this.#native)) number = path.submit(call, flags, undefined)
    if (number < 0) throw this.#parts.refusal(number, path.payloadBytes)
    call.submitStack = call.firstStack
    this.#forks?.schedule()
    if (this.#calls.addAgain(number, call)) this.#parts.firstCall()
  }

  /** Releases the payload of a call that is not sent. */
  discard(): void {
    this.#path.discard()
  }

  /**
   * Allocates memory that a worker shares, for the host to fill in place; null when there is no room.
   *
   * @throws As {@link send}.
   */
  allocate(bytes: number): ArrayBuffer | null {
    let memory = this.#native.allocate(bytes)
    while (memory === Refused.spawn && givesBack(this.#native)) memory = this.#native.allocate(bytes)
    if (typeof memory !== 'number') return memory
    throw this.#parts.refusal(memory, bytes)
  }

  #accepted(future: AnyFuture, call: number, caller: Caller): void {
    future.submitStack = this.#submitStacks.record(caller)
    this.#forks?.schedule()
    if (this.#calls.add(call, future)) this.#parts.firstCall()
  }

  /** Submits the call in the outbox, which was refused, into room that is kept for it if there is any. */
  #submitIntoKept(future: AnyFuture, flags: number, moving: Moving): number {
    if (!this.#room.take()) return Refused.queueFull
    const call = this.#path.submit(future, flags, moving)
    this.#room.taken()
    return call
  }

  /** The native pool refused the call whose arguments are in the outbox. */
  #refused(future: AnyFuture, reason: number, flags: number, caller: Caller, moving: Moving): void {
    if (reason === Refused.queueFull) reason = this.#submitIntoKept(future, flags, moving)
    while (reason === Refused.spawn && givesBack(this.#native)) reason = this.#path.submit(future, flags, moving)
    if (reason >= 0) return this.#accepted(future, reason, caller)
    const refusal = this.#parts.refusal(reason, this.#path.payloadBytes)
    this.#path.discard()
    if (reason !== Refused.tooLarge) throw refusal
    this.#calls.fail(future, withLabel(refusal, future.label))
  }

  /** Sends a chunk without the items that cannot travel. */
  #sendRest(future: AnyFuture, items: readonly unknown[], flags: number, caller: Caller): void {
    const refused = (future.refused = new RefusedItems(items, flags, future.label, this.#outbox))
    if (refused.rest.length > 0) return this.send(future, refused.rest, flags, caller, undefined)
    this.#calls.succeed(future, refused.complete({ values: [], errors: undefined, failure: undefined, elapsed: 0 }))
  }
}
