// The unfinished calls of a pool, and the counts of finished ones.
//
// A future leaves these books before it is settled: its callbacks may submit a call that gets the same number.

import type { CancelledError } from '../errors/index.js'
import { type CallFuture, NO_CALL } from './call-future.js'
import type { Outcome } from './results.js'

type AnyFuture = CallFuture<unknown>

export class Calls {
  /** The futures of unfinished calls, by call number. */
  readonly futures: (AnyFuture | undefined)[] = []
  unfinished = 0
  completed = 0
  failed = 0
  cancelled = 0
  /** Items of chunks: each once, however many calls it took. */
  readonly items = { completed: 0, failed: 0 }
  /** The calls that the native pool has accepted so far. */
  accepted = 0
  /** The outcomes of one round. The first `#settled` of them have settled their futures. */
  readonly outcomes: Outcome[] = []
  #settled = 0

  /** Records a new call. Returns true if there was no unfinished call before. */
  add(call: number, future: AnyFuture): boolean {
    future.taskId = ++this.accepted
    return this.addAgain(call, future)
  }

  /** Records a further attempt of a call. Returns true if there was no unfinished call before. */
  addAgain(call: number, future: AnyFuture): boolean {
    future.call = call
    future.task.unfinished++
    this.futures[call] = future
    return this.unfinished++ === 0
  }

  /** Removes a call that is over, and returns its future. */
  readonly take = (call: number): AnyFuture | undefined => {
    const future = this.futures[call]
    if (future !== undefined) this.#remove(future)
    return future
  }

  /** Removes a call that is over, with the stack of its submission, which does not matter any more. */
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

  /** Settles the futures of all outcomes, oldest first. A nested call continues with the outcomes of this one. */
  settle(): void {
    const { outcomes } = this
    while (this.#settled < outcomes.length) {
      const { future, kind, value } = outcomes[this.#settled++]!
      if (kind === 'value') this.succeed(future, value)
      else if (kind === 'error') this.attemptFailed(future, value)
      else if (kind === 'lost') this.fail(future, value)
      else this.cancel(future)
    }
    // Nothing here keeps a result alive once it has settled its future.
    outcomes.length = 0
    this.#settled = 0
  }

  /** Outcomes whose futures are not settled yet. */
  get unsettled(): number {
    return this.outcomes.length - this.#settled
  }

  succeed(future: AnyFuture, value: unknown): void {
    this.completed++
    future.settleValue(value)
  }

  /** An attempt has failed, and with it the call, unless the host repeats it. */
  attemptFailed(future: AnyFuture, error: unknown): void {
    if (!future.attemptFailed(error)) this.fail(future, error)
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
