// The iterator that `for await` uses over a map iterator.

import type { AsyncItems } from '../util/async-items.js'

/** The methods of a map iterator that a loop uses. */
interface LoopedOver<R> {
  advance(strict: boolean): Promise<IteratorResult<R, undefined>>
  return(): Promise<IteratorResult<R, undefined>>
  throw(error?: unknown): Promise<IteratorResult<R, undefined>>
}

/**
 * An iterator for loops over the results of a `map`, in which the first error ends the map.
 *
 * `for await` does not call `return()` when `next()` rejects: it takes the iterator for finished. Nobody would ever
 * take the remaining results, so they are cancelled.
 */
export class MapLoop<R> implements AsyncItems<R> {
  private readonly iterator: LoopedOver<R>

  constructor(iterator: LoopedOver<R>) {
    this.iterator = iterator
  }

  next(): Promise<IteratorResult<R, undefined>> {
    return this.iterator.advance(true)
  }

  return(): Promise<IteratorResult<R, undefined>> {
    return this.iterator.return()
  }

  throw(error?: unknown): Promise<IteratorResult<R, undefined>> {
    return this.iterator.throw(error)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.iterator.return()
  }
}
