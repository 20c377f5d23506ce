// The feeders of `map`: they read items, cut them into chunks and submit the chunks, as far as the pace allows.

import { QueueFullError, ShutdownError } from '../errors/index.js'
import { setImmediate } from '../util/globals.js'
import { ArrayInput, type SyncInput } from './input.js'
import type { Pace } from './pace.js'
import type { ChunkFuture, MapSource } from './source.js'

/** The receiver of a feeder's reports: the map iterator. */
export interface FeederHost<R> {
  /** A chunk was submitted. */
  accept(future: ChunkFuture<R>, items: readonly unknown[]): void
  /** Nothing more will come. `failure`: the error of the input or of a submission, to be raised after the results. */
  inputEnded(failure?: { error: unknown }): void
}

/** The common part of the feeders: submitting chunks, waiting for room in the queue, coming to an end. */
export abstract class Feeder<T, R> {
  /** Nothing more will be submitted. */
  ended = false
  protected readonly source: MapSource<T, R>
  protected readonly pace: Pace
  private readonly host: FeederHost<R>
  private waiting: T[] | undefined = undefined
  private isHolding = false

  constructor(source: MapSource<T, R>, pace: Pace, host: FeederHost<R>) {
    this.source = source
    this.pace = pace
    this.host = host
  }

  /** Reads and submits as much as is allowed now. */
  abstract feed(): void

  /** Called when a chunk is done. */
  abstract chunkDone(): void

  /** Closes the input: the consumer wants no more. Resolves when the input is closed; rejects with its own error. */
  abstract close(): Promise<void>

  /** Whether items are read that are not submitted. */
  protected get holds(): boolean {
    return this.waiting !== undefined
  }

  /** Tells the source whether items are read that are not submitted. */
  protected tellHolding(): void {
    const holds = !this.ended && this.holds
    if (holds === this.isHolding) return
    this.isHolding = holds
    this.source.hold?.(holds)
  }

  protected get blocked(): boolean {
    return this.waiting !== undefined
  }

  /** Submits a chunk; keeps the chunk when the queue is full. Throws the executor's other errors. */
  protected submit(items: T[], again = false): void {
    let future: ChunkFuture<R>
    try {
      future = this.source.submitChunk(items)
    } catch (error) {
      if (!(error instanceof QueueFullError)) throw error
      this.waiting = items
      // An executor that says it is ready, and then takes nothing, must not stop the event loop.
      if (again) setImmediate(() => this.awaitRoom())
      else this.awaitRoom()
      return
    }
    this.host.accept(future, items)
  }

  protected end(failure?: { error: unknown }): void {
    if (this.ended) return
    this.stop()
    this.host.inputEnded(failure)
  }

  /** Releases the source: no chunk follows, and none is awaited. */
  letGo(): void {
    this.source.finished?.()
  }

  /** Ends without a report to the host, because the host itself closes this feeder. */
  protected stop(): void {
    this.ended = true
    this.waiting = undefined
    this.tellHolding()
  }

  private awaitRoom(): void {
    if (this.ended) return
    let ready: Promise<void>
    try {
      // The promise itself: the room is kept for its first reaction.
      ready = Promise.resolve(this.source.ready())
    } catch (error) {
      // An executor of a user's may throw.
      ready = Promise.reject(error)
    }
    ready.then(
      () => this.resume(),
      // A pool that was shut down still takes what was read.
      (error: unknown) => (error instanceof ShutdownError ? this.resume() : this.abandon(error)),
    )
  }

  private resume(): void {
    const { waiting } = this
    if (waiting === undefined) return
    this.waiting = undefined
    try {
      this.submit(waiting, true)
    } catch (error) {
      this.abandon(error)
      return
    }
    this.feed()
  }

  /** Ends with `error`, because submissions fail. Errors of closing the input matter less and are dropped. */
  abandon(error: unknown): void {
    if (this.ended) return
    this.end({ error })
    this.close().catch(() => {})
  }
}

/** Feeds from an input whose items are there without waiting. */
export class SyncFeeder<T, R> extends Feeder<T, R> {
  private input: SyncInput<T>
  private feeding = false
  /** Whether the whole input was read at the start. */
  private isCollected = false

  constructor(source: MapSource<T, R>, pace: Pace, host: FeederHost<R>, input: SyncInput<T>) {
    super(source, pace, host)
    this.input = input
  }

  /**
   * Does the part of the work that belongs to the call of `map`.
   *
   * @param readAll - Collect the whole input, even if not all of it can be submitted now.
   * @throws The executor's error if it does not take the first chunk. Other errors are told to the host.
   */
  start(readAll: boolean): void {
    try {
      this.feedOrThrow()
    } catch (error) {
      if (this.pace.inFlight === 0) throw error
      return this.abandon(error)
    }
    if (!readAll || this.ended || this.input.done) return
    this.feeding = true
    const rest = this.input.rest()
    this.feeding = false
    this.input = new ArrayInput(rest, this.input.failure)
    this.isCollected = true
    this.tellHolding()
  }

  protected override get holds(): boolean {
    return super.holds || (this.isCollected && !this.input.done)
  }

  feed(): void {
    try {
      this.feedOrThrow()
    } catch (error) {
      this.abandon(error)
    }
  }

  chunkDone(): void {
    this.feed()
  }

  async close(): Promise<void> {
    this.stop()
    this.input.close()
  }

  private feedOrThrow(): void {
    // The user's iterator may call the map iterator, which calls this method. The outer loop sees what has changed.
    if (this.feeding) return
    this.feeding = true
    try {
      for (;;) {
        if (this.ended || this.blocked) return
        if (this.input.done) {
          this.end(this.input.failure)
          return
        }
        const allowance = this.pace.allowance()
        if (allowance === 0) return
        const refusal = this.isCollected ? undefined : this.source.refusal?.()
        if (refusal !== undefined) throw refusal
        const items = this.input.read(allowance)
        // The user's iterator may have closed the map iterator.
        if (this.ended || items.length === 0) continue
        this.pace.ahead += items.length
        this.submit(items)
      }
    } finally {
      this.feeding = false
      this.tellHolding()
    }
  }
}
