// Asynchronous iterators that can hand out several items at once: those that are there without waiting.
//
// A promise for each item costs more than many an item's work. A reader awaits one item by `next()`, and takes the
// others that came with it by this method.

/** The method's name. Copies of the package share it: one may read what another one has made. */
export const takeReady: unique symbol = Symbol.for('millrace.takeReady')

/** An asynchronous iterator with items that are there without waiting. */
export interface ReadyItems<T> {
  /** Takes up to `limit` items that are there. None while `next()` waits. Never throws: `next()` tells of failures. */
  [takeReady](limit: number): T[]
}

/** Takes up to `limit` items that are there; none from an iterator that does not have the method. */
export function readyItems<T>(iterator: AsyncIterator<T>, limit: number): T[] {
  const take = (iterator as Partial<ReadyItems<T>>)[takeReady]
  return take === undefined ? [] : take.call(iterator, limit)
}
