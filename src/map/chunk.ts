// A chunk of a `map`, as its iterator sees it.

import type { Future, Waiter } from '../futures/future.js'
import { monotonicMs } from '../util/clock.js'
import { endsMap } from './ends.js'
import { indexed, type ItemOutcome } from './outcome.js'
import type { ChunkFuture, ChunkOutcome, MapEnd } from './source.js'

/** What a map knows of a chunk when the chunk is submitted. */
export interface ChunkPlace {
  /** The index of the first item in the input. */
  readonly first: number
  readonly length: number
  /** The items, if their outcomes are to name them. */
  readonly items: readonly unknown[] | undefined
  /**
   * The number of chunks, this one included, that the chunk's worker has to run one after the other until this one is
   * done; 0 when no estimate of the time is needed.
   */
  readonly turns: number
}

/** A chunk of a `map`, from its submission until its last item is yielded. */
export class Chunk<R> implements Waiter {
  done = false
  /** Milliseconds that workers ran the chunk: measured, or an estimate. */
  elapsed = 0
  readonly length: number
  readonly bytes: number
  /** What has ended the map, if the chunk has items without an outcome for that reason. */
  end: MapEnd | undefined = undefined
  private readonly first: number
  private items: readonly unknown[] | undefined
  private readonly whenDone: (chunk: Chunk<R>) => void
  private readonly submitted: number
  private readonly turns: number
  private future: Future<ChunkOutcome<R>> | undefined
  private outcome: ChunkOutcome<R> | undefined = undefined
  /** The error of all items; counts when `outcome` is undefined. */
  private error: unknown = undefined
  /** The number of items that were taken, or passed over. */
  position = 0

  constructor(future: ChunkFuture<R>, place: ChunkPlace, whenDone: (chunk: Chunk<R>) => void) {
    this.future = future
    this.bytes = future.bytes ?? 0
    this.first = place.first
    this.length = place.length
    this.items = place.items
    this.turns = place.turns
    this.submitted = place.turns === 0 ? 0 : monotonicMs()
    this.whenDone = whenDone
  }

  /** Has `whenDone` called when the chunk is done, perhaps before this method returns. */
  watch(): void {
    this.future?.addWaiter(this)
  }

  /**
   * Cancels the calls; with `kill` also those that run. Nobody wants their outcomes, and `whenDone` will not be called.
   */
  cancel(kill: boolean): void {
    const { future } = this
    this.future = undefined
    future?.removeWaiter(this)
    future?.cancel({ kill })
  }

  futureDone(future: Future<unknown>): void {
    if (this.future === undefined) return
    // The reference to the future is dropped, so that only this chunk keeps the results in the outcome.
    this.future = undefined
    this.done = true
    if (future.outcome === 'value') {
      this.outcome = future.storedOutcome() as ChunkOutcome<R>
      this.end = this.outcome.end
      if (this.outcome.errors === undefined) this.items = undefined
    } else {
      this.error = future.storedOutcome()
      if (endsMap(this.error)) this.end = { error: this.error }
    }
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

  /** Whether the next item has no outcome, because the map has ended. */
  get isLost(): boolean {
    const { end, outcome } = this
    return end !== undefined && (outcome === undefined || outcome.errors?.get(this.position) === end)
  }

  /** Passes over an item without an outcome. */
  skip(): void {
    this.position++
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
    const value = values[index]!
    // Numbers stay: replacing one would turn a compact array of numbers into a general array.
    if (typeof value !== 'number' && Array.isArray(values)) values[index] = undefined
    return value
  }

  /** Appends the values up to the first item that failed or has no outcome. Returns false at an item that failed. */
  takeAll(to: R[]): boolean {
    const { outcome } = this
    if (outcome === undefined) return this.end !== undefined
    const { values, errors } = outcome
    if (errors === undefined) {
      for (let at = this.position; at < this.length; at++) to.push(values[at]!)
      this.position = this.length
      this.outcome = { values: [] }
      return true
    }
    while (!this.exhausted && !errors.has(this.position)) to.push(this.takeValue())
    return this.exhausted || this.isLost
  }

  /** Takes the next item's error. */
  takeError(): unknown {
    const index = this.position++
    const { outcome } = this
    if (outcome === undefined) return indexed(this.error, this.first + index)
    const error = outcome.errors?.get(index)
    outcome.errors?.delete(index)
    return indexed(error, this.first + index)
  }

  /** Takes the next item's outcome. */
  takeOutcome(): ItemOutcome<unknown, R> {
    const { position } = this
    const index = this.first + position
    if (!this.failed) return { status: 'fulfilled', index, value: this.takeValue() }
    return { status: 'rejected', index, item: this.items![position], reason: this.takeError() }
  }
}
