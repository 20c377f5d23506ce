import { inspect } from 'node:util'

import { declareLocal } from '../codec/index.js'
import { reportRejection } from '../futures/done-callback.js'
import { InvalidStateError } from '../errors/index.js'
import { Future, type WaitOptions } from '../futures/future.js'
import { chainError } from './chain-error.js'
import { timeoutOf, validateFunction, validateOptions } from '../util/validate.js'

/** Functions that a job of a {@link Pool} calls when it is over. */
export interface ResultCallbacks<T> {
  /**
   * Called with the value of a job that succeeded, before the result is ready; before the method returns if there is
   * nothing to do. What it throws becomes the job's outcome in place of the value.
   */
  callback?: (value: T) => unknown
  /**
   * Called with the error of a job that failed, in the same way. What it throws becomes the job's error, with the
   * original one at the end of its chain of causes.
   */
  errorCallback?: (error: any) => unknown
}

/** @throws TypeError that names what is no function. */
export function checkCallbacks(options: ResultCallbacks<never> | undefined): void {
  validateOptions(options)
  const { callback, errorCallback } = options ?? {}
  if (callback !== undefined) validateFunction(callback, 'options.callback')
  if (errorCallback !== undefined) validateFunction(errorCallback, 'options.errorCallback')
}

/** A future that prints as the result that it is in. */
class Outcome<T> extends Future<T> {
  override toString(): string {
    return super.toString().replace('Future', 'AsyncResult')
  }
}

/**
 * The result of a job of a {@link Pool}. It can be awaited, and be dropped: one that fails and that nobody looks at
 * causes no
 * `unhandledRejection`. Its pool is not collected before the job is over.
 */
export class AsyncResult<T> implements PromiseLike<T> {
  readonly #outcome = new Outcome<T>()
  readonly #callbacks: ResultCallbacks<T>
  /** The outcome is known, and the callbacks may be running. */
  #decided = false
  #errors: readonly unknown[] = []

  private constructor(callbacks: ResultCallbacks<T>) {
    this.#callbacks = callbacks
  }

  /**
   * @param callbacks - Checked.
   * @internal
   */
  static make<T>(callbacks: ResultCallbacks<T> = {}): AsyncResult<T> {
    return new AsyncResult(callbacks)
  }

  /**
   * The value. Rejects with the job's error, the same object each time, or with a `TimeoutError` when it is not ready
   * in time; the job goes on then.
   */
  get(options?: WaitOptions): Promise<T> {
    return this.#outcome.result(options)
  }

  /** Resolves when the job is over, however it ended, or when the time is. */
  async wait(options?: WaitOptions): Promise<void> {
    timeoutOf(options)
    await this.#outcome.exception(options).catch(ignore)
  }

  /** Whether the job is over, its callback included. */
  ready(): boolean {
    return this.#outcome.done()
  }

  /**
   * Whether the job ended with a value.
   *
   * @throws InvalidStateError while it is not over.
   */
  successful(): boolean {
    if (!this.ready()) throw new InvalidStateError(`${this} not ready`)
    return this.#outcome.outcome === 'value'
  }

  /**
   * All errors of a job that is over, in the order in which they became known: of a map, those of all items that
   * failed, and one for each chunk that was lost as a whole. The first one is what `get()` rejects with, unless a
   * callback threw or the pool was terminated.
   */
  get errors(): readonly unknown[] {
    return this.#errors
  }

  /** As of a promise. */
  then<A = T, B = never>(
    onfulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onrejected?: ((reason: any) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#outcome.then(onfulfilled, onrejected)
  }

  /** As of a promise. */
  catch<B = never>(onrejected?: ((reason: any) => B | PromiseLike<B>) | null): Promise<T | B> {
    return this.#outcome.catch(onrejected)
  }

  /** As of a promise. */
  finally(onfinally?: (() => void) | null): Promise<T> {
    return this.#outcome.finally(onfinally)
  }

  get [Symbol.toStringTag](): string {
    return 'AsyncResult'
  }

  /** `<AsyncResult #7 state=finished returned Array>`; never runs code of the result. */
  toString(): string {
    return String(this.#outcome)
  }

  [inspect.custom](): string {
    return this.toString()
  }

  /**
   * The job succeeded, unless it is over already: its callback may have terminated the pool.
   *
   * @internal
   */
  succeed(value: T): void {
    if (this.#decided) return
    this.#decided = true
    try {
      reportRejection(this.#callbacks.callback?.(value), this)
    } catch (error) {
      this.#errors = [error]
      this.#outcome.settleError(error)
      return
    }
    this.#outcome.settleValue(value)
  }

  /**
   * The job failed, unless it is over already.
   *
   * @internal
   */
  fail(error: unknown, errors: readonly unknown[] = [error]): void {
    if (this.#decided) return
    this.#decided = true
    this.#errors = errors
    let outcome = error
    try {
      reportRejection(this.#callbacks.errorCallback?.(error), this)
    } catch (thrown) {
      outcome = chainError(thrown, error)
    }
    this.#outcome.settleError(outcome)
  }
}

declareLocal(AsyncResult.prototype, 'is an AsyncResult: send the value that it will have')

function ignore(): void {}
