// The iterator that `map` returns: it answers `next()` from chunks, and has a feeder submit further chunks.

import { TimeoutError } from '../errors/index.js'
import type { Future } from '../futures/future.js'
import { monotonicMs } from '../util/clock.js'
import { setImmediate } from '../util/globals.js'
import { Fifo } from '../util/fifo.js'
import { Timer } from '../util/timer.js'
import { AsyncFeeder } from './async-feeder.js'
import { Chunk } from './chunk.js'
import { type Feeder, type FeederHost, SyncFeeder } from './feeder.js'
import { ArrayInput, isAsyncIterable, IteratorInput, isPlainArray } from './input.js'
import { MapLoop } from './loop.js'
import type { MapOptions } from './options.js'
import { Pace } from './pace.js'
import { Requests } from './requests.js'
import type { ChunkOutcome, MapSource } from './source.js'

export type { MapOptions } from './options.js'
export type { ChunkOutcome, MapSource } from './source.js'

type Result<R> = IteratorResult<R, undefined>

/**
 * The results of a `map`, for `for await`.
 *
 * `next()` rejects when its item's call failed; the next call of `next()` goes on with the items behind it. A loop with
 * `for await` stops at the first failure. Then, and whenever a loop is left early, the remaining calls are cancelled.
 * An iterator that is merely dropped cancels nothing.
 */
export class MapIterator<R> implements AsyncIterableIterator<R, undefined> {
  // `start()` sets these two.
  declare private pace: Pace
  declare private feeder: Feeder<unknown, R>
  /** Chunks with items to yield, the next first. Ordered: in the order of the input, also unfinished ones. */
  private readonly chunks = new Fifo<Chunk<R>>()
  /** Unordered: the unfinished chunks, which are not in `chunks`. */
  private readonly unfinished: Set<Chunk<R>> | undefined
  /** Calls of `next()` without an answer. While there are any, no item is ready. */
  private readonly requests = new Requests<R>()
  private readonly timeout: number
  private readonly deadline: number
  /** Runs only while a `next()` waits: an iterator that nobody reads does not hold the event loop. */
  private timer: Timer | undefined = undefined
  /** Number of yielded items that the consumer may not have seen yet. They still count as read ahead. */
  private yielding = 0
  private releaseScheduled = false
  /** The error to raise once, after the last result. */
  private failure: { error: unknown } | undefined = undefined
  private closed = false
  private sourceTold = false

  private constructor(options: MapOptions) {
    const { timeout = Infinity, ordered = true } = options
    this.unfinished = ordered ? undefined : new Set()
    this.timeout = timeout
    this.deadline = monotonicMs() + timeout
  }

  /**
   * Makes an iterator and begins to read and to submit. The caller has checked options and items.
   *
   * @param lazy - Read a synchronous input no further ahead than an asynchronous one. Errors of reading and submitting
   * then take the places of results.
   * @throws Unless `lazy`, errors of the input while it is read here, and errors of the executor while it takes calls.
   * @internal
   */
  static start<R>(
    source: MapSource<unknown, R>,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    options: MapOptions,
    lazy = false,
  ): MapIterator<R> {
    const iterator = new MapIterator<R>(options)
    if (isAsyncIterable(items)) iterator.startAsync(source, items, options)
    else if (lazy) iterator.startLazily(source, items, options)
    else iterator.startSync(source, items, options)
    return iterator
  }

  next(): Promise<Result<R>> {
    return this.advance(false)
  }

  /**
   * `next()` with two additions. `strict`, for loops: the first error ends the map. `timeout`, in milliseconds: rejects
   * with a `TimeoutError` when the item is not there by then; the next call is for the same item.
   *
   * @internal
   */
  advance(strict: boolean, timeout?: number): Promise<Result<R>> {
    // A consumer that asks for more has seen the items before.
    if (this.yielding > 0) this.release()
    if (this.closed) return Promise.resolve({ done: true, value: undefined })
    if (this.requests.length === 0) {
      const chunk = this.readyChunk()
      if (chunk !== undefined) {
        const { failed } = chunk
        const result: Promise<Result<R>> = failed
          ? Promise.reject(chunk.takeError())
          : Promise.resolve({ done: false, value: chunk.takeValue() })
        this.taken(chunk)
        if (failed && strict) this.close().catch(ignore)
        return result
      }
      if (this.deadline !== Infinity && monotonicMs() >= this.deadline && !this.isOver()) {
        this.close().catch(ignore)
        return Promise.reject(this.timedOut())
      }
    }
    if (this.isOver()) timeout = undefined
    const result = this.requests.add(strict, timeout)
    this.answer()
    if (this.deadline !== Infinity && this.requests.length > 0) {
      this.timer ??= new Timer(this.deadline - monotonicMs(), () => this.expire())
    }
    return result
  }

  /** Cancels the remaining calls and closes the input. */
  async return(): Promise<Result<R>> {
    await this.close()
    return { done: true, value: undefined }
  }

  /** Does as {@link return}, then rejects with `error`. */
  async throw(error?: unknown): Promise<Result<R>> {
    await this.close().catch(ignore)
    throw error
  }

  /**
   * Returns an iterator for loops, which shares the results with this one. A failure in it ends the map: `for await`
   * itself would not do that.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<R, undefined> {
    return new MapLoop(this)
  }

  /** Does as {@link return}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /**
   * Ends the reading. `error` is raised after the results of the items that were read.
   *
   * @internal
   */
  abort(error: unknown): void {
    this.feeder.abandon(error)
  }

  /**
   * Reads the input to its end, whether results are taken or not.
   *
   * @internal
   */
  readOn(): void {
    this.pace.unbind()
    this.feeder.feed()
  }

  private startAsync(source: MapSource<unknown, R>, items: AsyncIterable<unknown>, options: MapOptions): void {
    this.pace = new Pace(paceOptions(source, options, true))
    this.feeder = new AsyncFeeder(source, this.pace, this.host(), items[Symbol.asyncIterator]())
    this.feeder.feed()
  }

  private startLazily(source: MapSource<unknown, R>, items: Iterable<unknown>, options: MapOptions): void {
    this.pace = new Pace(paceOptions(source, options, true))
    this.feeder = new SyncFeeder(source, this.pace, this.host(), new IteratorInput(items[Symbol.iterator]()))
    this.feeder.feed()
  }

  private startSync(source: MapSource<unknown, R>, items: Iterable<unknown>, options: MapOptions): void {
    const pace = paceOptions(source, options, false)
    const readAll = options.buffersize === undefined
    // Automatic chunks are submitted little by little, and their size depends on the number of items.
    const collect = readAll && (pace.chunksize === 'auto' || isPlainArray(items))
    const input = collect ? new ArrayInput([...items]) : new IteratorInput(items[Symbol.iterator]())
    this.pace = new Pace({ ...pace, length: input.length })
    const feeder = new SyncFeeder(source, this.pace, this.host(), input)
    this.feeder = feeder
    try {
      feeder.start(readAll)
    } catch (error) {
      this.close().catch(ignore)
      throw error
    }
  }

  private host(): FeederHost<R> {
    return {
      accept: (future, length) => this.accept(future, length),
      inputEnded: (failure) => {
        this.failure = failure
        this.answer()
        this.tellSource()
      },
    }
  }

  private accept(future: Future<ChunkOutcome<R>>, length: number): void {
    const { pace } = this
    const chunk = new Chunk(future, length, pace.adaptive ? pace.turns : 0, this.chunkDone)
    pace.inFlight++
    if (this.unfinished === undefined) this.chunks.push(chunk)
    else this.unfinished.add(chunk)
    chunk.watch()
  }

  private readonly chunkDone = (chunk: Chunk<R>): void => {
    const { pace } = this
    pace.inFlight--
    if (pace.adaptive) pace.measured(chunk.length, chunk.elapsed)
    if (this.unfinished?.delete(chunk)) this.chunks.push(chunk)
    this.answer()
    this.feeder.chunkDone()
    this.tellSource()
  }

  /** Tells the source when nothing will be submitted and nothing is in flight, or nobody wants the results. */
  private tellSource(): void {
    if (this.sourceTold || !this.feeder.ended || (this.pace.inFlight > 0 && !this.closed)) return
    this.sourceTold = true
    this.feeder.letGo()
  }

  /** The chunk of the next result, if the result is there. */
  private readyChunk(): Chunk<R> | undefined {
    const chunk = this.chunks.peek()
    return chunk?.done ? chunk : undefined
  }

  private isOver(): boolean {
    return this.feeder.ended && this.chunks.length === 0 && this.pace.inFlight === 0
  }

  /** Answers those calls of `next()` that can be answered, in their order. */
  private answer(): void {
    while (this.requests.length > 0) {
      const chunk = this.readyChunk()
      if (chunk === undefined) break
      const { resolve, reject, strict } = this.requests.shift()!
      const { failed } = chunk
      if (failed) reject(chunk.takeError())
      else resolve({ done: false, value: chunk.takeValue() })
      this.taken(chunk)
      if (failed && strict) this.close().catch(ignore)
    }
    if (this.requests.length > 0 && this.isOver()) {
      const { failure } = this
      this.failure = undefined
      this.closed = true
      if (failure !== undefined) this.requests.shift()!.reject(failure.error)
      this.requests.end()
    }
    if (this.requests.length === 0) this.stopTimer()
  }

  private taken(chunk: Chunk<R>): void {
    if (chunk.exhausted) this.chunks.shift()
    if (!this.pace.bounded || this.feeder.ended) return
    this.yielding++
    if (this.releaseScheduled || this.pace.allowance(this.yielding) === 0) return
    // The consumer has its item at the latest a turn later. Only then is another item read in its place.
    this.releaseScheduled = true
    setImmediate(() => {
      this.releaseScheduled = false
      this.release()
    })
  }

  private release(): void {
    this.pace.ahead -= this.yielding
    this.yielding = 0
    this.feeder.feed()
  }

  private expire(): void {
    this.requests.shift()?.reject(this.timedOut())
    this.close().catch(ignore)
  }

  /** Cancels all calls whose results are not yielded. Settles as closing the input does. */
  private close(): Promise<void> {
    if (this.closed) return Promise.resolve()
    this.closed = true
    const closing = this.feeder.close()
    for (let chunk = this.chunks.shift(); chunk !== undefined; chunk = this.chunks.shift()) chunk.cancel()
    for (const chunk of this.unfinished ?? []) chunk.cancel()
    this.unfinished?.clear()
    this.requests.end()
    this.stopTimer()
    this.tellSource()
    return closing
  }

  private stopTimer(): void {
    this.timer?.clear()
    this.timer = undefined
  }

  private timedOut(): TimeoutError {
    return new TimeoutError(`The next result of map() was not there ${this.timeout} ms after the call`)
  }
}

function paceOptions(source: MapSource<unknown, unknown>, options: MapOptions, bounded: boolean) {
  const { chunksize = 1, buffersize } = options
  return { chunksize: source.chunked ? chunksize : 1, buffersize, maxWorkers: source.maxWorkers, bounded } as const
}

function ignore(): void {}
