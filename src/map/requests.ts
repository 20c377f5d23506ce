import { TimeoutError } from '../errors.js'
import { Timer } from '../timer.js'

type Result<R> = IteratorResult<R, undefined>

/** A call of `next()` that was not answered yet. */
interface Request<R> {
  resolve(result: Result<R>): void
  reject(error: unknown): void
  /** An error ends the map. */
  readonly strict: boolean
  timer: Timer | undefined
}

/** The calls of `next()` that were not answered yet, oldest first. */
export class Requests<R> {
  private readonly waiting = new Set<Request<R>>()

  get length(): number {
    return this.waiting.size
  }

  /** @param timeout - Milliseconds after which the call is answered by a `TimeoutError`, and is none any more. */
  add(strict: boolean, timeout: number | undefined): Promise<Result<R>> {
    if (timeout !== undefined && timeout <= 0) return Promise.reject(timedOut(timeout))
    return new Promise((resolve, reject) => {
      const request: Request<R> = { resolve, reject, strict, timer: undefined }
      this.waiting.add(request)
      if (timeout === undefined) return
      request.timer = new Timer(timeout, () => {
        this.waiting.delete(request)
        reject(timedOut(timeout))
      })
    })
  }

  /** The oldest one, which the caller answers. */
  shift(): Request<R> | undefined {
    for (const request of this.waiting) {
      this.waiting.delete(request)
      request.timer?.clear()
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
}

function timedOut(timeout: number): TimeoutError {
  return new TimeoutError(`The next result was not there within ${Math.max(0, timeout)} ms; it can be asked for again`)
}
