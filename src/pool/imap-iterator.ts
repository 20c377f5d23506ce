import type { WaitOptions } from '../futures/future.js'
import { MapLoop } from '../map/loop.js'
import type { MapIterator } from '../map/iterator.js'
import { timeoutOf } from '../util/validate.js'

/**
 * The results of {@link Pool.imap} or {@link Pool.imapUnordered}, for `for await` or for `next()`.
 *
 * `next()` rejects when the item's call failed, for an item alone also if it came in a chunk, and when the input threw;
 * the items after it can still be had by calling `next()` again. `for await` stops at the first failure, and then, as
 * whenever it is left early, what is left is cancelled. The pool is not collected before the iterator has all results.
 */
export class ImapIterator<R> implements AsyncIterableIterator<R, undefined> {
  readonly #results: MapIterator<R>

  private constructor(results: MapIterator<R>) {
    this.#results = results
  }

  /** @internal */
  static over<R>(results: MapIterator<R>): ImapIterator<R> {
    return new ImapIterator(results)
  }

  /**
   * The next result. With a `timeout` it rejects with a `TimeoutError` when the result is not there by then; nothing is
   * lost: the next call is for the same item.
   */
  next(options?: WaitOptions): Promise<IteratorResult<R, undefined>> {
    let timeout: number | undefined
    try {
      timeout = timeoutOf(options)
    } catch (error) {
      return Promise.reject(error)
    }
    return this.#results.advance(false, timeout)
  }

  /** Cancels what is left and closes the input. */
  return(): Promise<IteratorResult<R, undefined>> {
    return this.#results.return()
  }

  /** As {@link return}, and rejects with `error`. */
  throw(error?: unknown): Promise<IteratorResult<R, undefined>> {
    return this.#results.throw(error)
  }

  /**
   * For loops. It shares the results with this iterator, and ends it at the first failure, which `for await` does not
   * do.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<R, undefined> {
    return new MapLoop(this.#results)
  }

  /** As {@link return}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#results.return()
  }
}
