// A call that the host repeats by the rules of `run({ retries: {…} })`: one future for all attempts. Where a number of
// attempts is all that there is to say, native code repeats calls by itself.

import { AsyncResource } from 'node:async_hooks'

import { CancelledError } from '../errors/index.js'
import type { RetryPolicy } from '../futures/retry-policy.js'
import type { Stacked } from '../util/stacks.js'
import type { Timer } from '../util/timer.js'
import { CallFuture, type CallOwner } from './call-future.js'
import type { FurtherWork } from './further-work.js'
import type { TaskEntry } from './tasks.js'

/** The encoded arguments of a call, in memory of their own. They are cut as the encoder has cut them. */
export interface KeptPayload {
  readonly codec: number
  readonly head: Uint8Array
  readonly tail: Uint8Array | undefined
}

/** Makes the attempts of the calls of a pool. */
export interface Repeater {
  /** An attempt has failed: the call fails with it, or goes on after a pause. */
  decide(call: RepeatedCall<unknown>, error: unknown): void
  /** Fails a call that is between two attempts; others are left alone. */
  fail(call: RepeatedCall<unknown>, error: unknown): void
  /** Takes a call back that is between two attempts; false for others. The caller has to settle the call. */
  cancel(call: CallFuture<unknown>): boolean
}

export class RepeatedCall<T> extends CallFuture<T> implements FurtherWork {
  readonly #repeater: Repeater
  readonly #policy: RetryPolicy
  /** `when` is called in the async context of the call. */
  readonly #context = new AsyncResource('MillraceRetry')
  /** The arguments as they were at the call, until the call is over. */
  payload: KeptPayload | undefined
  /** The flags of each attempt. */
  flags = 0
  /** The stack where the call was submitted: an attempt that ends drops its own. */
  firstStack: Stacked | undefined
  /** The end of the pause that the call is in. */
  pause: Timer | undefined

  constructor(owner: CallOwner, task: TaskEntry, repeater: Repeater, policy: RetryPolicy) {
    super(owner, task)
    this.#repeater = repeater
    this.#policy = policy
    this.retries = policy.limit
  }

  /** @throws What `when` throws. */
  pauseAfter(error: unknown): number | undefined {
    return this.#context.runInAsyncScope(() => this.#policy.pause(error, this.earlier + 1))
  }

  override attemptFailed(error: unknown): boolean {
    this.#repeater.decide(this, error)
    return true
  }

  abandon(makeError: () => Error): void {
    const error = makeError()
    if (!(error instanceof CancelledError)) this.#repeater.fail(this, error)
    else if (this.#repeater.cancel(this)) this.settleCancelled()
  }

  override tellAttempts(): string {
    return `It was attempt ${this.earlier + 1} of at most ${this.#policy.limit + 1}`
  }

  override get tellsLate(): boolean {
    return true
  }
}
