// The interface between `map` and an executor.

import type { Future } from '../futures/future.js'

/** How an executor has to run the calls of one `map`. */
export interface MapCall {
  /** Whether an item is a list of arguments, as for `starmap`, or the only argument. */
  spread: boolean
  /** Milliseconds that each call may run. */
  taskTimeout: number | undefined
}

/** The outcomes of the items of a chunk. */
export interface ChunkOutcome<R> {
  /**
   * The value of each item; for a failed item, anything. The receiver becomes the owner, and clears what it has read.
   */
  readonly values: ArrayLike<R>
  /** The errors of failed items by their index. The receiver becomes the owner. */
  readonly errors?: Map<number, unknown>
  /** Set if the item behind `values` has failed, with this error, and the items behind that one have not run. */
  readonly failure?: { readonly error: unknown }
  /** Milliseconds that the worker ran the chunk, if known: it makes automatic chunk sizes more precise. */
  readonly elapsed?: number
}

/** Runs the items of one `map`. The source keeps its executor alive, so the user of the iterator need not. */
export interface MapSource<T, R> {
  /** The number of workers, for defaults that depend on it. */
  readonly maxWorkers: number
  /** False if each item is a call of its own in any case: then chunks have one item. */
  readonly chunked: boolean
  /**
   * Submits a chunk. An item is a value of the user's iterable; for `starmap` it is a list of arguments. When the
   * future fails or is cancelled, so do all items. Throws the errors of `submit`; at a `QueueFullError`, `map` waits
   * for `ready`.
   */
  submitChunk(items: T[]): Future<ChunkOutcome<R>>
  /** Resolves when the queue has room. */
  ready(): Promise<void>
  /** Called once, when no chunk will be submitted any more and nobody waits for one. */
  finished?(): void
}
