// The iterator that `imap` returns.

import { type TimeoutOptions, waitTimeout } from '../futures/wait-options.js'
import type { MapIterator } from '../map/iterator.js'
import { MapLoop } from '../map/loop.js'
import type { AsyncItems } from '../util/async-items.js'

/**
 * The results of {@link Pool.imap} or {@link Pool.imapUnordered}, for `for await` or for `next()`.
 *
 * `next()` rejects when its item's call failed (the other items of the same chunk are not affected) or when the input
 * threw. The next call of `next()` goes on with the items behind it. A loop with `for await` stops at the first
 * failure. Then, and whenever a loop is left early, the remaining calls are cancelled. The pool is not collected before
 * the iterator has all results.
 */
export class ImapIterator<R> implements AsyncItems<R> {
  readonly #results: MapIterator<R>

  private constructor(results: MapIterator<R>) {
    this.#results = results
  }

  /** @internal */
  static over<R>(results: MapIterator<R>): ImapIterator<R> {
    return new ImapIterator(results)
  }

  /**
   * The next result. With a `timeout` it rejects with a `TimeoutError` when the result is not there by then. Nothing is
   * lost: the next call is for the same item.
   */
  next(options?: TimeoutOptions): Promise<IteratorResult<R, undefined>> {
    let timeout: number | undefined
    try {
      timeout = waitTimeout(options)
    } catch (error) {
      return Promise.reject(error)
    }
    return this.#results.advance(false, timeout)
  }

  /**
   * All results that are not taken yet, as an array: at less cost than by a loop. Rejects with the first failure of an
   * item; then the remaining calls are cancelled. With `settle` all outcomes.
   */
  toArray(): Promise<R[]> {
    return this.#results.toArray()
  }

  /** Cancels the remaining calls and closes the input. */
  return(): Promise<IteratorResult<R, undefined>> {
    return this.#results.return()
  }

  /** Does as {@link return}, then rejects with `error`. */
  throw(error?: unknown): Promise<IteratorResult<R, undefined>> {
    return this.#results.throw(error)
  }

  /**
   * Returns an iterator for loops, which shares the results with this one. A failure in it ends the iteration: `for
   * await` itself would not do that.
   */
  [Symbol.asyncIterator](): AsyncItems<R> {
    return new MapLoop(this.#results)
  }

  /** Does as {@link return}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#results.return()
  }
}
