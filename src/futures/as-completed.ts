// `asCompleted`: futures in the order in which they are done.

import { TimeoutError } from '../errors/index.js'
import { monotonicMs } from '../util/clock.js'
import { Fifo } from '../util/fifo.js'
import { collectFutures } from './collect.js'
import type { Future, Waiter } from './future.js'
import { type WaitLimits, waitLimits, type WaitOptions, WaitWatch } from './wait-options.js'

/**
 * An iterator over futures, in the order in which they are done.
 *
 * It can be used as an `AsyncIterableIterator`, but is a type of its own: in `for await` the compiler would take the
 * elements of an `AsyncIterableIterator` for awaited, and so report results where there are futures.
 */
export interface CompletionIterator<F extends Future<unknown>> extends AsyncDisposable {
  next(): Promise<IteratorResult<F, undefined>>
  return(): Promise<IteratorResult<F, undefined>>
  throw(error?: unknown): Promise<IteratorResult<F, undefined>>
  [Symbol.asyncIterator](): this
}

interface Request<F> {
  resolve(result: IteratorResult<F, undefined>): void
  reject(error: unknown): void
}

/**
 * Ends an iteration whose iterator was dropped before its end: its waiter leaves futures that may live for long. The
 * reference is weak, because a pending `next()` leads back to the iterator: only the futures may keep the waiter alive.
 */
const dropped = new FinalizationRegistry<WeakRef<Completions<never>>>((completions) => completions.deref()?.abandon())

/**
 * Yields futures, of any executors, as they are done: first the futures that are done already, then the others as they
 * come. Each future comes once, also a cancelled one. The iterator keeps no future that it has yielded.
 *
 * `timeout` counts from this call. When it expires while `next()` waits, `next()` rejects with a `TimeoutError` and the
 * iterator ends. Futures that are done by then are yielded first. In the same way `next()` rejects with the reason of
 * `signal` when that is aborted; with a signal that is aborted already, nothing is yielded.
 *
 * @throws TypeError when a member of `futures` is no future; TypeError or RangeError for a wrong option.
 */
export function asCompleted<F extends Future<unknown>>(
  futures: Iterable<F>,
  options?: WaitOptions,
): CompletionIterator<F> {
  const limits = waitLimits(options)
  const completions = new Completions(collectFutures(futures), limits)
  const iterator = new FutureIterator(completions)
  dropped.register(iterator, new WeakRef(completions as unknown as Completions<never>), iterator)
  return iterator
}

/**
 * The iterator that the caller holds. The futures hold only the `Completions`, so an iterator that the caller has
 * dropped can be collected while the futures are pending.
 */
class FutureIterator<F extends Future<unknown>> implements CompletionIterator<F> {
  private readonly completions: Completions<F>

  constructor(completions: Completions<F>) {
    this.completions = completions
  }

  next(): Promise<IteratorResult<F, undefined>> {
    return this.completions.next()
  }

  async return(): Promise<IteratorResult<F, undefined>> {
    dropped.unregister(this)
    this.completions.close()
    return { done: true, value: undefined }
  }

  async throw(error?: unknown): Promise<IteratorResult<F, undefined>> {
    await this.return()
    throw error
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }
}

class Completions<F extends Future<unknown>> implements Waiter {
  private readonly ready = new Fifo<F>()
  private readonly requests = new Fifo<Request<F>>()
  private readonly unfinished = new Set<F>()
  private readonly total: number
  private readonly deadline: number | undefined
  private readonly signal: AbortSignal | undefined
  /** The signal was aborted before the first `next()`. */
  private abortedBefore: boolean
  /** Only while a `next()` waits: an iterator that nobody reads holds neither the event loop nor a listener. */
  private watch: WaitWatch | undefined = undefined
  private abandoned = false

  constructor(futures: ReadonlySet<F>, { timeout, signal }: WaitLimits) {
    this.total = futures.size
    this.signal = signal
    this.abortedBefore = signal?.aborted === true
    this.deadline = timeout === undefined ? undefined : monotonicMs() + timeout
    for (const future of futures) {
      if (future.done()) {
        this.ready.push(future)
      } else {
        this.unfinished.add(future)
        future.addWaiter(this)
      }
    }
  }

  next(): Promise<IteratorResult<F, undefined>> {
    if (this.abortedBefore) {
      this.abortedBefore = false
      this.close()
      return Promise.reject(this.signal!.reason)
    }
    const future = this.ready.shift()
    if (future !== undefined) return Promise.resolve({ done: false, value: future })
    if (this.unfinished.size === 0) return Promise.resolve({ done: true, value: undefined })
    const { deadline, signal } = this
    const left = deadline === undefined ? undefined : deadline - monotonicMs()
    if (signal?.aborted || (left !== undefined && left <= 0)) {
      const error: unknown = signal?.aborted ? signal.reason : this.timedOut()
      this.close()
      return Promise.reject(error)
    }
    return new Promise((resolve, reject) => {
      this.requests.push({ resolve, reject })
      if (left === undefined && signal === undefined) return
      this.watch ??= new WaitWatch(
        { timeout: left, signal },
        () => this.end(this.timedOut()),
        (reason) => this.end(reason),
      )
    })
  }

  futureDone(future: Future<unknown>): void {
    if (!this.unfinished.delete(future as F)) return
    const request = this.requests.shift()
    if (request === undefined) this.ready.push(future as F)
    else request.resolve({ done: false, value: future as F })
    if (this.unfinished.size === 0) this.finishRequests()
    if (this.requests.length > 0) return
    this.rest()
    if (this.abandoned) this.close()
  }

  close(): void {
    for (const future of this.unfinished) future.removeWaiter(this)
    this.unfinished.clear()
    this.ready.clear()
    this.finishRequests()
    this.rest()
  }

  /** The iterator is gone, so nobody can call `next()` any more. Calls that wait already are still answered. */
  abandon(): void {
    this.abandoned = true
    if (this.requests.length === 0) this.close()
  }

  private finishRequests(): void {
    for (let request = this.requests.shift(); request !== undefined; request = this.requests.shift()) {
      request.resolve({ done: true, value: undefined })
    }
  }

  private end(error: unknown): void {
    this.requests.shift()?.reject(error)
    this.close()
  }

  private rest(): void {
    this.watch?.clear()
    this.watch = undefined
  }

  private timedOut(): TimeoutError {
    return new TimeoutError(`${this.unfinished.size} (of ${this.total}) futures unfinished`)
  }
}
