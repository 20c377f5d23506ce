// The type of asynchronous iterators that are also iterables, as TypeScript 5.4 can read it.

/**
 * An asynchronous iterator over items, for `for await` or for `next()`. It can be used as an `AsyncIterableIterator`,
 * whose type says nothing of the end before TypeScript 5.6.
 */
export interface AsyncItems<T> extends AsyncIterator<T, undefined> {
  [Symbol.asyncIterator](): AsyncItems<T>
}
