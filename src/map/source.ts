// What `map` needs of an executor.

import type { Future } from '../futures/future.js'

/** How an executor is to run the calls of one `map`. */
export interface MapCall {
  /** Whether an item is a list of arguments, as for `starmap`, or the only argument. */
  spread: boolean
  /** Milliseconds that each call may run. */
  taskTimeout: number | undefined
}

/** What became of the items of a chunk. */
export interface ChunkOutcome<R> {
  /**
   * By item; anything at the places of items that failed. The receiver takes the list over, and clears it as it reads.
   */
  readonly values: ArrayLike<R>
  /** The errors of the items that failed, by index; taken over as well. */
  readonly errors?: Map<number, unknown>
  /** Milliseconds that the worker spent on the chunk, if that is known. Automatic chunk sizes are then more precise. */
  readonly elapsed?: number
}

/** Runs the items of one `map`. It holds its executor: who holds the iterator need not hold that too. */
export interface MapSource<T, R> {
  /** For the defaults that depend on it. */
  readonly maxWorkers: number
  /** False if each item is a call of its own anyhow: chunks are of one item then. */
  readonly chunked: boolean
  /**
   * Submits a chunk; an item is what the user's iterable yielded, for `starmap` a list of arguments. If the future
   * fails or is cancelled, every item has failed so. Throws what `submit` throws; `QueueFullError` makes `map` wait for
   * `ready`.
   */
  submitChunk(items: T[]): Future<ChunkOutcome<R>>
  /** Resolves when the queue has room. */
  ready(): Promise<void>
  /** Called once, when no chunk will be submitted any more and nobody waits for one. */
  finished?(): void
}
