// The feeder of `map` for asynchronous input.

import { AsyncResource } from 'node:async_hooks'

import { setImmediate } from '../util/globals.js'
import { readyItems } from '../util/ready-items.js'
import { Feeder, type FeederHost } from './feeder.js'
import type { Pace } from './pace.js'
import type { MapSource } from './source.js'

/** Feeds from an asynchronous iterator. Calls `next()` again only after the answer to the last call. */
export class AsyncFeeder<T, R> extends Feeder<T, R> {
  private readonly input: AsyncIterator<T>
  /** The async context that began the map: there the user's iterator is called. */
  private readonly context = new AsyncResource('MillraceInput')
  private chunk: T[] = []
  /** The number of items that the pace allows for `chunk`. */
  private target = 0
  private reading = false
  private finished: { failure?: { error: unknown } } | undefined = undefined
  private idleCheck = false

  constructor(source: MapSource<T, R>, pace: Pace, host: FeederHost<R>, input: AsyncIterator<T>) {
    super(source, pace, host)
    this.input = input
  }

  feed(): void {
    this.feedNow()
    this.tellHolding()
  }

  protected override get holds(): boolean {
    return super.holds || this.chunk.length > 0
  }

  private feedNow(): void {
    for (;;) {
      if (this.ended || this.blocked) return
      const refusal = this.finished === undefined ? this.source.refusal?.() : undefined
      const full = this.chunk.length >= this.target || this.finished !== undefined || refusal !== undefined
      if (full && this.chunk.length > 0 && !this.flush()) return
      if (this.finished !== undefined) {
        this.end(this.finished.failure)
        return
      }
      if (refusal !== undefined) return this.abandon(refusal)
      if (this.reading) return
      if (this.chunk.length === 0) this.target = this.pace.allowance()
      if (this.target === 0) return
      if (this.takeReady() === 0) return this.read()
    }
  }

  chunkDone(): void {
    this.checkIdle()
    this.feed()
  }

  async close(): Promise<void> {
    this.stop()
    this.chunk = []
    if (this.finished !== undefined) return
    this.finished = {}
    const returned = Promise.resolve(this.context.runInAsyncScope(() => this.input.return?.()))
    // An async generator answers only when its present `next()` is over, and that may take for ever.
    if (this.reading) returned.catch(() => {})
    else await returned
  }

  /** Takes items that are there without waiting, and returns how many. */
  private takeReady(): number {
    const room = this.target - this.chunk.length
    const items = readyItems(this.input, room)
    for (const item of items) this.chunk.push(item)
    this.pace.ahead += items.length
    return items.length
  }

  private read(): void {
    this.reading = true
    try {
      Promise.resolve(this.context.runInAsyncScope(() => this.input.next())).then(this.received, this.failed)
    } catch (error) {
      this.failed(error)
    }
  }

  private readonly received = (result: IteratorResult<T>): void => {
    if (result === null || typeof result !== 'object') {
      this.failed(new TypeError(`Iterator result ${String(result)} is not an object`))
      return
    }
    this.reading = false
    if (this.ended) return
    if (result.done) {
      this.finished = {}
    } else {
      this.chunk.push(result.value)
      this.pace.ahead++
      this.checkIdle()
    }
    this.feed()
  }

  private readonly failed = (error: unknown): void => {
    this.reading = false
    if (this.ended) return
    this.finished = { failure: { error } }
    this.feed()
  }

  /** Submits the collected items. Returns whether the queue took them. */
  private flush(): boolean {
    const { chunk } = this
    this.chunk = []
    // The rest of the allowance stays: a read may be under way for it.
    this.target -= chunk.length
    try {
      this.submit(chunk)
    } catch (error) {
      this.abandon(error)
    }
    return !this.blocked && !this.ended
  }

  /**
   * Submits an incomplete chunk when a worker has nothing to do: the input may make its next item only after it has
   * seen results of earlier items, or may take its time.
   */
  private checkIdle(): void {
    if (this.idleCheck || !this.pace.hasIdle || this.chunk.length === 0) return
    this.idleCheck = true
    setImmediate(() => {
      this.idleCheck = false
      if (this.ended || this.blocked || !this.pace.hasIdle || this.chunk.length === 0) return
      this.flush()
      this.tellHolding()
    })
  }
}
