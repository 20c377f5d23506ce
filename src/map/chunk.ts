import type { Future, Waiter } from '../futures/future.js'
import type { ChunkOutcome } from './source.js'

/** A chunk of a `map`, from its submission until its last item was yielded. */
export class Chunk<R> implements Waiter {
  done = false
  /** Milliseconds that it took a worker, or an estimate. */
  elapsed = 0
  readonly length: number
  private readonly whenDone: (chunk: Chunk<R>) => void
  private readonly submitted: number
  private readonly turns: number
  private future: Future<ChunkOutcome<R>> | undefined
  private outcome: ChunkOutcome<R> | undefined = undefined
  /** What all items failed with, if `outcome` is undefined. */
  private error: unknown = undefined
  private position = 0

  /**
   * @param turns - How many chunks one after the other, this one included, its worker has to run; 0 if no estimate of
   * the time is needed.
   */
  constructor(future: Future<ChunkOutcome<R>>, length: number, turns: number, whenDone: (chunk: Chunk<R>) => void) {
    this.future = future
    this.length = length
    this.turns = turns
    this.submitted = turns === 0 ? 0 : performance.now()
    this.whenDone = whenDone
  }

  /** `whenDone` is called when the chunk is, perhaps before this returns. */
  watch(): void {
    this.future?.addWaiter(this)
  }

  /** Nobody wants the outcome any more, and `whenDone` will not be called. */
  cancel(): void {
    const { future } = this
    this.future = undefined
    future?.removeWaiter(this)
    future?.cancel()
  }

  futureDone(future: Future<unknown>): void {
    if (this.future === undefined) return
    // Dropped, so that the results in its outcome are only kept here.
    this.future = undefined
    this.done = true
    if (future.outcome === 'value') this.outcome = future.storedOutcome() as ChunkOutcome<R>
    else this.error = future.storedOutcome()
    if (this.turns > 0) {
      // Too long if the worker was still starting, or if this thread was late to look: chunks are smaller than they
      // could be.
      this.elapsed = this.outcome?.elapsed ?? (performance.now() - this.submitted) / this.turns
    }
    this.whenDone(this)
  }

  /** Whether the last item was taken. */
  get exhausted(): boolean {
    return this.position === this.length
  }

  /** Whether the next item failed: then `takeError` is to be called for it, otherwise `takeValue`. */
  get failed(): boolean {
    const { outcome } = this
    return outcome === undefined || (outcome.errors !== undefined && outcome.errors.has(this.position))
  }

  /** The next item's result, to which no reference is kept. */
  takeValue(): R {
    const { values } = this.outcome!
    const index = this.position++
    const value = values[index]
    // Numbers stay: to replace one would turn a compact array of numbers into a general one.
    if (typeof value !== 'number' && Array.isArray(values)) values[index] = undefined
    return value
  }

  /** The next item's error. */
  takeError(): unknown {
    const index = this.position++
    if (this.outcome === undefined) return this.error
    const error = this.outcome.errors?.get(index)
    this.outcome.errors?.delete(index)
    return error
  }
}
