// A chunk of a `map`, as its iterator sees it.

import type { Future, Waiter } from '../futures/future.js'
import { monotonicMs } from '../util/clock.js'
import type { ChunkOutcome } from './source.js'

/** A chunk of a `map`, from its submission until its last item is yielded. */
export class Chunk<R> implements Waiter {
  done = false
  /** Milliseconds that a worker ran the chunk: measured, or an estimate. */
  elapsed = 0
  readonly length: number
  private readonly whenDone: (chunk: Chunk<R>) => void
  private readonly submitted: number
  private readonly turns: number
  private future: Future<ChunkOutcome<R>> | undefined
  private outcome: ChunkOutcome<R> | undefined = undefined
  /** The error of all items; counts when `outcome` is undefined. */
  private error: unknown = undefined
  private position = 0

  /**
   * @param turns - The number of chunks, this one included, that the chunk's worker has to run one after the other
   * until this one is done; 0 when no estimate of the time is needed.
   */
  constructor(future: Future<ChunkOutcome<R>>, length: number, turns: number, whenDone: (chunk: Chunk<R>) => void) {
    this.future = future
    this.length = length
    this.turns = turns
    this.submitted = turns === 0 ? 0 : monotonicMs()
    this.whenDone = whenDone
  }

  /** Has `whenDone` called when the chunk is done, perhaps before this method returns. */
  watch(): void {
    this.future?.addWaiter(this)
  }

  /** Cancels the call. Nobody wants its outcome, and `whenDone` will not be called. */
  cancel(): void {
    const { future } = this
    this.future = undefined
    future?.removeWaiter(this)
    future?.cancel()
  }

  futureDone(future: Future<unknown>): void {
    if (this.future === undefined) return
    // The reference to the future is dropped, so that only this chunk keeps the results in the outcome.
    this.future = undefined
    this.done = true
    if (future.outcome === 'value') this.outcome = future.storedOutcome() as ChunkOutcome<R>
    else this.error = future.storedOutcome()
    if (this.turns > 0) {
      // The estimate is too long when the worker was still starting, or this thread was late to look. Then chunks are
      // smaller than they could be.
      this.elapsed = this.outcome?.elapsed ?? (monotonicMs() - this.submitted) / this.turns
    }
    this.whenDone(this)
  }

  /** Whether the last item was taken. */
  get exhausted(): boolean {
    return this.position === this.length
  }

  /** Whether the next item failed. The item is taken by `takeError` then, else by `takeValue`. */
  get failed(): boolean {
    const { outcome } = this
    return outcome === undefined || (outcome.errors !== undefined && outcome.errors.has(this.position))
  }

  /** Takes the next item's result, and keeps no reference to it. */
  takeValue(): R {
    const { values } = this.outcome!
    const index = this.position++
    const value = values[index]
    // Numbers stay: replacing one would turn a compact array of numbers into a general array.
    if (typeof value !== 'number' && Array.isArray(values)) values[index] = undefined
    return value
  }

  /** Takes the next item's error. */
  takeError(): unknown {
    const index = this.position++
    if (this.outcome === undefined) return this.error
    const error = this.outcome.errors?.get(index)
    this.outcome.errors?.delete(index)
    return error
  }
}
