import { TimeoutError } from './errors.js'
import { Fifo } from './fifo.js'
import type { Future, Waiter, WaitOptions } from './future.js'
import { Timer } from './timer.js'
import { timeoutOf } from './validate.js'
import { collectFutures } from './collect-futures.js'

interface Request<F> {
  resolve(result: IteratorResult<F, undefined>): void
  reject(error: unknown): void
}

/** Removes the waiter of an iterator that was dropped before its end from futures that may live for long. */
const dropped = new FinalizationRegistry<Completions<Future<unknown>>>((completions) => completions.abandon())

/**
 * Yields futures, of any executors, as they are done: those that are already first, then the others as they come. Each once,
 * cancelled ones too; none is kept once it was yielded.
 *
 * When `timeout`, counted from this call, expires while a next future is waited for, `next()` rejects with a `TimeoutError`
 * and the iterator has ended. Futures that are done by then are yielded before that.
 */
export function asCompleted<F extends Future<unknown>>(
  futures: Iterable<F>,
  options?: WaitOptions,
): AsyncIterableIterator<F, undefined> {
  const timeout = timeoutOf(options)
  const completions = new Completions(collectFutures(futures), timeout)
  const iterator = new CompletionIterator(completions)
  dropped.register(iterator, completions as unknown as Completions<Future<unknown>>, completions)
  return iterator
}

/** What the caller holds. The futures hold only the `Completions`, so that this can be collected while they are pending. */
class CompletionIterator<F extends Future<unknown>> implements AsyncIterableIterator<F, undefined> {
  private readonly completions: Completions<F>

  constructor(completions: Completions<F>) {
    this.completions = completions
  }

  next(): Promise<IteratorResult<F, undefined>> {
    return this.completions.next()
  }

  async return(): Promise<IteratorResult<F, undefined>> {
    dropped.unregister(this.completions)
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
  /** Runs only while somebody waits: an iterator that nobody reads does not hold the event loop. */
  private timer: Timer | undefined = undefined
  private abandoned = false

  constructor(futures: ReadonlySet<F>, timeout: number | undefined) {
    this.total = futures.size
    this.deadline = timeout === undefined ? undefined : performance.now() + timeout
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
    const future = this.ready.shift()
    if (future !== undefined) return Promise.resolve({ done: false, value: future })
    if (this.unfinished.size <= this.requests.length) return this.lastRequest()
    return this.request()
  }

  futureDone(future: Future<unknown>): void {
    // False for a future that was cancelled by a callback after this was closed.
    if (!this.unfinished.delete(future as F)) return
    const request = this.requests.shift()
    if (request === undefined) this.ready.push(future as F)
    else request.resolve({ done: false, value: future as F })
    if (this.requests.length === 0) this.rest()
  }

  close(): void {
    for (const future of this.unfinished) future.removeWaiter(this)
    this.unfinished.clear()
    this.ready.clear()
    this.finishRequests()
    this.rest()
  }
}
