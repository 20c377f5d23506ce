// The interface between `map` and an executor.

import type { Future } from '../futures/future.js'
import type { RetryPolicy } from '../futures/retry-policy.js'

/** How an executor has to run the calls of one `map`. No property may be absent: `Object.prototype` decides nothing. */
export interface MapCall {
  /** Whether an item is a list of arguments, as for `starmap`, or the only argument. */
  readonly spread: boolean
  /** Whether the size of chunks is measured: then a chunk that takes long may be divided. */
  readonly divides: boolean
  /** Milliseconds that each item may run. */
  readonly taskTimeout: number | undefined
  /** Milliseconds between the abort of a task's signal and the end of its worker. */
  readonly grace: number | undefined
  /** Which items that failed run again. */
  readonly retries: RetryPolicy | undefined
  /** The name of the calls in errors and in `taskContext()`. */
  readonly label: string | undefined
}

/** The calls of a map without options. */
export function plainCall(spread: boolean): MapCall {
  return { spread, divides: false, taskTimeout: undefined, grace: undefined, retries: undefined, label: undefined }
}

/** What ends a map. The object marks the items that have no outcome because of it. */
export interface MapEnd {
  readonly error: unknown
}

/** The outcomes of the items of a chunk. */
export interface ChunkOutcome<R> {
  /**
   * The value of each item; for a failed item, anything. The receiver becomes the owner, and clears what it has read.
   */
  readonly values: ArrayLike<R>
  /**
   * The errors of failed items by their index. The receiver becomes the owner. In place of an error stands `end`, the
   * very object, for an item without an outcome.
   */
  readonly errors?: Map<number, unknown> | undefined
  /** Set if what ends the map has kept items of the chunk from running. */
  readonly end?: MapEnd | undefined
  /** Milliseconds that workers ran the chunk, if known: they make automatic chunk sizes more precise. */
  readonly elapsed?: number
}

/** The future of a chunk. */
export interface ChunkFuture<R> extends Future<ChunkOutcome<R>> {
  /** Bytes of the items as they travel; absent: unknown. */
  readonly bytes?: number
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
  submitChunk(items: readonly T[]): ChunkFuture<R>
  /** Resolves when the queue has room. */
  ready(): Promise<void>
  /** Why no further item is to be read: the executor takes no more calls. Items that were read still run. */
  refusal?(): Error | undefined
  /** Called when items are read that cannot be submitted yet, and when there are none any more. */
  hold?(isHolding: boolean): void
  /** Called once, when no chunk will be submitted any more and nobody waits for one. */
  finished?(): void
}
