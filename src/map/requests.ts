import { TimeoutError } from '../errors/index.js'
import { Fifo } from '../util/fifo.js'
import { Timer } from '../util/timer.js'

type Result<R> = IteratorResult<R, undefined>

/** A call of `next()` that was not answered yet. */
interface Request<R> {
  resolve(result: Result<R>): void
  reject(error: unknown): void
  /** An error ends the map. */
  readonly strict: boolean
  timer: Timer | undefined
  expired: boolean
}

/** So many that have expired may stand among the others before they are sorted out. */
const MOST_EXPIRED = 64

/** The calls of `next()` that were not answered yet, oldest first. */
export class Requests<R> {
  /** How many there are. */
  length = 0
  /** With those that have expired. */
  private queue = new Fifo<Request<R>>()

  /** @param timeout - Milliseconds after which the call is answered by a `TimeoutError`, and is none any more. */
  add(strict: boolean, timeout: number | undefined): Promise<Result<R>> {
    if (timeout !== undefined && timeout <= 0) return Promise.reject(timedOut(timeout))
    return new Promise((resolve, reject) => {
      const request: Request<R> = { resolve, reject, strict, timer: undefined, expired: false }
      this.queue.push(request)
      this.length++
      if (timeout !== undefined) request.timer = new Timer(timeout, () => this.expire(request, timeout))
    })
  }

  /** The oldest one, which the caller answers. */
  shift(): Request<R> | undefined {
    for (let request = this.queue.shift(); request !== undefined; request = this.queue.shift()) {
      if (request.expired) continue
      request.timer?.clear()
      this.length--
      return request
    }
    return undefined
  }

  /** There are no more results for any of them. */
  end(): void {
    for (let request = this.shift(); request !== undefined; request = this.shift()) {
      request.resolve({ done: true, value: undefined })
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
