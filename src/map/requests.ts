// Calls of `next()` that wait for their answers.

import { TimeoutError } from '../errors/index.js'
import { Fifo } from '../util/fifo.js'
import { Timer } from '../util/timer.js'
import type { MapEnd } from './source.js'

type Result<R> = IteratorResult<R, undefined>

/** A call of `next()` without an answer. */
interface Request<R> {
  resolve(result: Result<R>): void
  reject(error: unknown): void
  /** Whether an error ends the map. */
  readonly strict: boolean
  timer: Timer | undefined
  expired: boolean
}

/** Expired requests that may remain in the queue before they are sorted out. */
const MOST_EXPIRED = 64

/** The calls of `next()` without an answer, oldest first. */
export class Requests<R> {
  /** The number of requests that have not expired. */
  length = 0
  /** All requests, also expired ones. */
  private queue = new Fifo<Request<R>>()

  /** @param timeout - Milliseconds, after which a `TimeoutError` answers the call. */
  add(strict: boolean, timeout: number | undefined): Promise<Result<R>> {
    if (timeout !== undefined && timeout <= 0) return Promise.reject(timedOut(timeout))
    return new Promise((resolve, reject) => {
      const request: Request<R> = { resolve, reject, strict, timer: undefined, expired: false }
      this.queue.push(request)
      this.length++
      if (timeout !== undefined) request.timer = new Timer(timeout, () => this.expire(request, timeout))
    })
  }

  /** Takes the oldest request out, for the caller to answer. */
  shift(): Request<R> | undefined {
    for (let request = this.queue.shift(); request !== undefined; request = this.queue.shift()) {
      if (request.expired) continue
      request.timer?.clear()
      this.length--
      return request
    }
    return undefined
  }

  /** Answers all requests: there are no more results, because of `end` if that is given. */
  end(end: MapEnd | undefined): void {
    for (let request = this.shift(); request !== undefined; request = this.shift()) {
      if (end === undefined) request.resolve({ done: true, value: undefined })
      else request.reject(end.error)
    }
  }

  private expire(request: Request<R>, timeout: number): void {
    request.expired = true
    this.length--
    request.reject(timedOut(timeout))
    if (this.queue.length - this.length > MOST_EXPIRED) this.sortOut()
  }

  private sortOut(): void {
    const { queue } = this
    this.queue = new Fifo()
    for (let request = queue.shift(); request !== undefined; request = queue.shift()) {
      if (!request.expired) this.queue.push(request)
    }
  }
}

function timedOut(timeout: number): TimeoutError {
  return new TimeoutError(`The next result was not there within ${Math.max(0, timeout)} ms; it can be asked for again`)
}
