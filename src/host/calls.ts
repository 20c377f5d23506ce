// The calls of a pool that are not over, and how many are. A future leaves these books before it is settled: what its
// settling sets off may submit a call that gets the same number.

import type { CancelledError } from '../errors/index.js'
import { type CallFuture, NO_CALL } from './call-future.js'
import type { Outcome } from './results.js'

type AnyFuture = CallFuture<unknown>

export class Calls {
  /** By call number. */
  readonly futures: (AnyFuture | undefined)[] = []
  unfinished = 0
  completed = 0
  failed = 0
  cancelled = 0
  #nextTaskId = 1
  /** What is read and not handed on yet, and how much of it is. */
  readonly outcomes: Outcome[] = []
  #settled = 0

  /** A call was made. True: there was none before. */
  add(call: number, future: AnyFuture): boolean {
    future.call = call
    future.taskId = this.#nextTaskId++
    future.task.unfinished++
    this.futures[call] = future
    return this.unfinished++ === 0
  }

  /** The future of a call that is over. */
  readonly take = (call: number): AnyFuture | undefined => {
    const future = this.futures[call]
    if (future !== undefined) this.#remove(future)
    return future
  }

  /** The call of a future is over, and where it was submitted does not matter any more. */
  forget(future: AnyFuture): void {
    this.#remove(future)
    future.submitStack = undefined
  }

  #remove(future: AnyFuture): void {
    this.futures[future.call] = undefined
    future.call = NO_CALL
    future.task.unfinished--
    this.unfinished--
  }

  /** Hands outcomes on, oldest first. A nested call goes on where this one is. */
  settle(): void {
    const { outcomes } = this
    while (this.#settled < outcomes.length) {
      const { future, kind, value } = outcomes[this.#settled++]!
      if (kind === 'value') this.succeed(future, value)
      else if (kind === 'error') this.fail(future, value)
      else this.cancel(future)
    }
    // Nothing keeps a result alive once it was handed on.
    outcomes.length = 0
    this.#settled = 0
  }

  succeed(future: AnyFuture, value: unknown): void {
    this.completed++
    future.settleValue(value)
  }

  fail(future: AnyFuture, error: unknown): void {
    this.failed++
    future.settleError(error)
  }

  cancel(future: AnyFuture, error?: CancelledError): void {
    this.cancelled++
    future.settleCancelled(error)
  }
}
