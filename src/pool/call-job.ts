// The job of a single call.

import type { Future, Waiter } from '../futures/future.js'
import type { AsyncResult } from './async-result.js'
import { Job, type Jobs } from './jobs.js'

/** A single call of a pool. */
export class CallJob<R> extends Job implements Waiter {
  readonly #result: AsyncResult<R>

  constructor(jobs: Jobs, future: Future<R>, result: AsyncResult<R>) {
    super(jobs)
    this.#result = result
    future.addWaiter(this)
  }

  futureDone(future: Future<unknown>): void {
    if (future.outcome === 'value') this.#result.succeed(future.storedOutcome() as R)
    else this.#result.fail(future.storedOutcome())
    this.end()
  }

  abort(error: unknown): void {
    this.#result.fail(error)
    this.end()
  }
}
