/** What a loop needs of a map iterator. */
interface LoopedOver<R> {
  advance(strict: boolean): Promise<IteratorResult<R, undefined>>
  return(): Promise<IteratorResult<R, undefined>>
  throw(error?: unknown): Promise<IteratorResult<R, undefined>>
}

/**
 * What a loop over the results uses.
 *
 * `for await` does not call `return()` when `next()` rejects: it takes the iterator for finished. Then nobody would
 * ever look at the rest, which is why this cancels it.
 */
export class MapLoop<R> implements AsyncIterableIterator<R, undefined> {
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
