// The iterator that `map` returns: it answers `next()` from chunks, and has a feeder submit further chunks.
//
//   input ──► feeder ──► chunk, chunk, … ──► next(), toArray()
//              │ submitChunk                   ▲
//              ▼                               │
//           MapSource ──► ChunkFuture ─────────┘ done
//
// What ends a map (see `ends.ts`; also the input's failure, the time limit and the signal) is raised behind the results
// that are there, and by each later `next()`. Items that fail are results.

import { CancelledError, InvalidStateError, TimeoutError } from '../errors/index.js'
import type { AsyncItems } from '../util/async-items.js'
import { type AbortReaction, offAbort, onAbort } from '../util/abort.js'
import { monotonicMs } from '../util/clock.js'
import { setImmediate } from '../util/globals.js'
import { Fifo } from '../util/fifo.js'
import { Timer } from '../util/timer.js'
import { AsyncFeeder } from './async-feeder.js'
import { Chunk } from './chunk.js'
import { Collector } from './collector.js'
import { type Feeder, type FeederHost, SyncFeeder } from './feeder.js'
import { ArrayInput, isAsyncIterable, IteratorInput, isPlainArray, type SyncInput } from './input.js'
import { MapLoop } from './loop.js'
import type { CheckedMapOptions } from './options.js'
import { Pace } from './pace.js'
import { Requests } from './requests.js'
import type { ChunkFuture, MapEnd, MapSource } from './source.js'

type Result<R> = IteratorResult<R, undefined>

/** Options of an iterator; the source has the others. */
export type IteratorOptions = Pick<
  CheckedMapOptions,
  'chunksize' | 'buffersize' | 'timeout' | 'ordered' | 'settle' | 'signal'
>

/**
 * The results of a `map`, for `for await`.
 *
 * `next()` rejects when its item's call failed; the next call of `next()` goes on with the items behind it. A loop with
 * `for await` stops at the first failure. Then, and whenever a loop is left early, the remaining calls are cancelled.
 * An iterator that is merely dropped cancels nothing. With `settle` a failure is a value like others.
 *
 * A broken or closed pool, a failure of the input, `timeout` and `signal` end the map. The results that are there come
 * first; unless `ordered` is false, those up to the first item that has none. Then each `next()` rejects with the same
 * error: only a map whose last item was yielded, or that was left by `return()`, is `done`.
 */
export class MapIterator<R> implements AsyncItems<R> {
  // `start()` sets these two.
  declare private pace: Pace
  declare private feeder: Feeder<unknown, any>
  private readonly source: MapSource<unknown, any>
  /** Chunks with items to yield, the next first. Ordered: in the order of the input, also unfinished ones. */
  private readonly chunks = new Fifo<Chunk<any>>()
  /** Unordered: the unfinished chunks, which are not in `chunks`. */
  private readonly unfinished: Set<Chunk<any>> | undefined
  private readonly settle: boolean
  /** The number of items in submitted chunks. */
  private accepted = 0
  /** Calls of `next()` without an answer. While there are any, no item is ready. */
  private readonly requests = new Requests<R>()
  private collector: Collector<R> | undefined = undefined
  private readonly timeout: number
  private readonly deadline: number
  private readonly signal: AbortSignal | undefined
  private readonly abortReaction: AbortReaction | undefined
  /** Runs only while somebody waits: an iterator that nobody reads does not hold the event loop. */
  private timer: Timer | undefined = undefined
  /** Items of yielded chunks whose last item the consumer may not have seen yet. They still count as read ahead. */
  private yielding = 0
  private releaseScheduled = false
  /** What has ended the map, raised after the last result. */
  private end: MapEnd | undefined = undefined
  /** Nobody wants further results. */
  private closed = false
  private sourceTold = false

  private constructor(source: MapSource<unknown, any>, options: IteratorOptions) {
    const { timeout = Infinity, ordered = true, settle = false, signal } = options
    this.source = source
    this.unfinished = ordered ? undefined : new Set()
    this.settle = settle
    this.timeout = timeout
    this.deadline = monotonicMs() + timeout
    this.signal = signal
    this.abortReaction = signal && { aborted: (reason) => this.cut({ error: aborted(reason) }, true) }
  }

  /**
   * Makes an iterator and begins to read and to submit. The caller has checked options and items.
   *
   * @param lazy - Errors of submitting take the places of results, also that of the first chunk.
   * @throws What the input throws in place of an iterator. Unless `lazy`, the executor's error if it does not take the
   * first chunk.
   * @internal
   */
  static start<R>(
    source: MapSource<unknown, any>,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    options: IteratorOptions,
    lazy = false,
  ): MapIterator<R> {
    const iterator = new MapIterator<R>(source, options)
    const { signal } = options
    if (signal?.aborted === true) {
      iterator.start(new ArrayInput<unknown>([]), options, true)
      iterator.end = { error: aborted(signal.reason) }
      return iterator
    }
    if (isAsyncIterable(items)) iterator.startAsync(items, options)
    else iterator.start(inputOf(items), options, lazy)
    iterator.watchSignal()
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
        const failed = !this.settle && chunk.failed
        const result: Promise<Result<R>> = failed
          ? Promise.reject(chunk.takeError())
          : Promise.resolve({ done: false, value: this.take(chunk) })
        if (chunk.exhausted) this.leave(chunk)
        if (failed && strict) this.close().catch(ignore)
        return result
      }
      if (this.deadline !== Infinity && monotonicMs() >= this.deadline && !this.isOver()) this.expire()
    }
    if (this.isOver()) timeout = undefined
    const result = this.requests.add(strict, timeout)
    this.answer()
    if (this.requests.length > 0) this.startTimer()
    return result
  }

  /**
   * All results that are not taken yet, as an array: at less cost than by a loop.
   *
   * @returns A promise that rejects with the first failure of an item; then the remaining calls are cancelled, and the
   * input is closed. With `settle` all outcomes. Unless `ordered`, in the order in which they come.
   */
  async toArray(): Promise<R[]> {
    if (this.collector !== undefined) throw new InvalidStateError('toArray() collects the results already')
    if (this.yielding > 0) this.release()
    if (this.closed) return []
    const collector = (this.collector = new Collector<R>(this.settle))
    if (this.deadline !== Infinity && monotonicMs() >= this.deadline && !this.isOver()) this.expire()
    this.answer()
    if (!collector.isOver) this.startTimer()
    return collector.promise
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
  [Symbol.asyncIterator](): AsyncItems<R> {
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

  private startAsync(items: AsyncIterable<unknown>, options: IteratorOptions): void {
    const input = items[Symbol.asyncIterator]()
    this.pace = new Pace(paceOptions(this.source, options))
    this.feeder = new AsyncFeeder(this.source, this.pace, this.host(), input)
    this.feeder.feed()
  }

  private start(input: SyncInput<unknown>, options: IteratorOptions, lazy: boolean): void {
    this.pace = new Pace({ ...paceOptions(this.source, options), length: input.length })
    const feeder = new SyncFeeder(this.source, this.pace, this.host(), input)
    this.feeder = feeder
    try {
      feeder.start(options.buffersize === Infinity)
    } catch (error) {
      if (lazy) return feeder.abandon(error)
      this.close().catch(ignore)
      throw error
    }
  }

  private watchSignal(): void {
    const { signal, abortReaction } = this
    if (signal === undefined || abortReaction === undefined || this.sourceTold) return
    // The input's code may have aborted it. A listener that is added now is not called.
    if (signal.aborted) abortReaction.aborted(signal.reason)
    else onAbort(signal, abortReaction)
  }

  private host(): FeederHost<any> {
    return {
      accept: (future, items) => this.accept(future, items),
      inputEnded: (failure) => {
        this.end ??= failure
        this.answer()
        this.tellSource()
      },
    }
  }

  private accept(future: ChunkFuture<any>, items: readonly unknown[]): void {
    const { pace } = this
    const { length } = items
    const place = {
      first: this.accepted,
      length,
      items: this.settle ? items : undefined,
      turns: pace.adaptive ? pace.turns : 0,
    }
    const chunk = new Chunk(future, place, this.chunkDone)
    this.accepted += length
    pace.submitted(length, chunk.bytes)
    if (this.unfinished === undefined) this.chunks.push(chunk)
    else this.unfinished.add(chunk)
    chunk.watch()
  }

  private readonly chunkDone = (chunk: Chunk<any>): void => {
    const { pace } = this
    pace.inFlight--
    if (pace.adaptive) pace.measured(chunk.length, chunk.elapsed)
    if (this.unfinished?.delete(chunk)) this.chunks.push(chunk)
    if (chunk.end !== undefined && this.end === undefined) {
      this.end = chunk.end
      this.feeder.abandon(chunk.end.error)
    }
    this.answer()
    this.feeder.chunkDone()
    this.tellSource()
  }

  /** Tells the source when nothing will be submitted and nothing is in flight, or nobody wants the results. */
  private tellSource(): void {
    if (this.sourceTold || !this.feeder.ended || (this.pace.inFlight > 0 && !this.closed)) return
    this.sourceTold = true
    if (this.abortReaction !== undefined) offAbort(this.signal!, this.abortReaction)
    this.feeder.letGo()
  }

  /** The chunk of the next result, if the result is there. */
  private readyChunk(): Chunk<any> | undefined {
    for (;;) {
      const chunk = this.chunks.peek()
      if (chunk === undefined || !chunk.done) return undefined
      if (chunk.end === undefined) return chunk
      // There is no gap among the results of an ordered map: what follows an item without an outcome is not yielded.
      if (chunk.isLost && this.unfinished === undefined) {
        this.cut(this.end!, false)
        return undefined
      }
      while (!chunk.exhausted && chunk.isLost) chunk.skip()
      if (!chunk.exhausted) return chunk
      this.leave(chunk)
    }
  }

  private take(chunk: Chunk<any>): R {
    return this.settle ? (chunk.takeOutcome() as R) : (chunk.takeValue() as R)
  }

  private isOver(): boolean {
    return this.closed || (this.feeder.ended && this.chunks.length === 0 && this.pace.inFlight === 0)
  }

  /** Answers those calls of `next()` that can be answered, in their order; then `toArray()`. */
  private answer(): void {
    while (this.requests.length > 0) {
      const chunk = this.readyChunk()
      if (chunk === undefined) break
      const { resolve, reject, strict } = this.requests.shift()!
      const failed = !this.settle && chunk.failed
      if (failed) reject(chunk.takeError())
      else resolve({ done: false, value: this.take(chunk) })
      if (chunk.exhausted) this.leave(chunk)
      if (failed && strict) this.close().catch(ignore)
    }
    if (this.collector !== undefined && this.requests.length === 0) this.collect(this.collector)
    if (this.requests.length > 0 && this.isOver()) this.requests.end(this.end)
    if (this.requests.length === 0 && this.collector === undefined) this.stopTimer()
  }

  private collect(collector: Collector<R>): void {
    for (let chunk = this.readyChunk(); chunk !== undefined; chunk = this.readyChunk()) {
      const isGood = collector.take(chunk)
      if (chunk.exhausted) this.leave(chunk)
      if (isGood) continue
      this.collector = undefined
      this.close().catch(ignore)
      return
    }
    if (this.isOver()) {
      this.collector = undefined
      collector.finish(this.end)
    } else if (this.yielding > 0) {
      this.release()
    }
  }

  /** The last item of the first chunk was taken. */
  private leave(chunk: Chunk<any>): void {
    this.chunks.shift()
    this.pace.bytesAhead -= chunk.bytes
    this.yielding += chunk.length
    if (this.releaseScheduled || this.feeder.ended) return
    // The consumer has its item at the latest a turn later. Only then are others read in the place of the chunk.
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
    const message = `The next result of map() was not there ${this.timeout} ms after the call`
    this.cut({ error: new TimeoutError(message) }, false)
  }

  /** Ends the map before its last result. What is there already is still yielded, as far as its place is known. */
  private cut(end: MapEnd, kill: boolean): void {
    if (this.isOver()) return
    this.end ??= end
    const { chunks, unfinished } = this
    const ready: Chunk<any>[] = []
    let hasGap = false
    for (let chunk = chunks.shift(); chunk !== undefined; chunk = chunks.shift()) {
      hasGap ||= unfinished === undefined && (!chunk.done || chunk.isLost)
      if (chunk.done && !hasGap) ready.push(chunk)
      else this.drop(chunk, kill)
    }
    for (const chunk of ready) chunks.push(chunk)
    for (const chunk of unfinished ?? []) this.drop(chunk, kill)
    unfinished?.clear()
    this.feeder.close().catch(ignore)
    this.answer()
    this.tellSource()
  }

  private drop(chunk: Chunk<any>, kill: boolean): void {
    if (chunk.done) return
    this.pace.inFlight--
    chunk.cancel(kill)
  }

  /** Cancels all calls whose results are not yielded. Settles as closing the input does. */
  private close(): Promise<void> {
    if (this.closed) return Promise.resolve()
    this.closed = true
    const closing = this.feeder.close()
    for (let chunk = this.chunks.shift(); chunk !== undefined; chunk = this.chunks.shift()) chunk.cancel(false)
    for (const chunk of this.unfinished ?? []) chunk.cancel(false)
    this.unfinished?.clear()
    this.requests.end(undefined)
    this.collector?.finish({ error: new CancelledError('The map was left before its last result') })
    this.collector = undefined
    this.stopTimer()
    this.tellSource()
    return closing
  }

  private startTimer(): void {
    if (this.deadline === Infinity) return
    this.timer ??= new Timer(this.deadline - monotonicMs(), () => this.expire())
  }

  private stopTimer(): void {
    this.timer?.clear()
    this.timer = undefined
  }
}

function inputOf(items: Iterable<unknown>): SyncInput<unknown> {
  // A copy: later changes of the array do not change the map.
  return isPlainArray(items) ? new ArrayInput(items.slice()) : new IteratorInput(items[Symbol.iterator]())
}

function paceOptions(source: MapSource<unknown, unknown>, { chunksize = 'auto', buffersize }: IteratorOptions) {
  return { chunksize: source.chunked ? chunksize : 1, buffersize, maxWorkers: source.maxWorkers } as const
}

function aborted(reason: unknown): CancelledError {
  return new CancelledError('The map was cancelled by its signal', { cause: reason })
}

function ignore(): void {}
