// The result of a job of a `Pool`, with its callbacks.

import { AsyncResource } from 'node:async_hooks'
import { inspect } from 'node:util'

import { declareLocal } from '../codec/index.js'
import { InvalidStateError } from '../errors/index.js'
import { reportRejection } from '../futures/done-callback.js'
import { Future } from '../futures/future.js'
import { waitLimits, type WaitOptions } from '../futures/wait-options.js'
import { type OptionNames, optionNames, type OwnOptions, ownOptions } from '../util/options.js'
import { validateFunction } from '../util/validate.js'
import { chainError } from './chain-error.js'

/**
 * Functions that a job of a {@link Pool} calls when it is over, in the async context in which the job was begun.
 */
export interface ResultCallbacks<T> {
  /**
   * Called with the value of a successful job, before the result is ready. A job without work calls it before the
   * method returns. An error of the callback becomes the outcome of the job.
   */
  callback?: (value: T) => unknown
  /**
   * Called with the error of a failed job, before the result is ready. An error of the callback becomes the error of
   * the job, with the job's own error at the end of its chain of causes.
   */
  errorCallback?: (error: any) => unknown
}

const NAMES = optionNames<ResultCallbacks<never>>('applyAsync()', { callback: true, errorCallback: true })

/**
 * Reads options with callbacks.
 *
 * @param names - The options that the calling method has. Default: the callbacks.
 * @throws TypeError that names an unknown option, or a callback that is no function.
 */
export function ownCallbacks<T extends ResultCallbacks<never>>(
  options: T | undefined,
  names: OptionNames<T> = NAMES as unknown as OptionNames<T>,
): OwnOptions<T> {
  const own: OwnOptions<ResultCallbacks<never>> = ownOptions(options, names)
  const { callback, errorCallback } = own
  if (callback !== undefined) validateFunction(callback, 'options.callback')
  if (errorCallback !== undefined) validateFunction(errorCallback, 'options.errorCallback')
  // The functions are called as methods of the options.
  const bound = { callback: callback?.bind(options), errorCallback: errorCallback?.bind(options) }
  return Object.assign(Object.create(null) as OwnOptions<T>, own, bound)
}

/** A future that prints as the result to which it belongs. */
class Outcome<T> extends Future<T> {
  override toString(): string {
    return super.toString().replace('Future', 'AsyncResult')
  }
}

/**
 * The result of a job of a {@link Pool}.
 *
 * A result can be awaited like a promise. It can also be dropped: a failed result that nobody looks at causes no
 * `unhandledRejection`. Its pool is not collected before the job is over.
 */
export class AsyncResult<T> implements PromiseLike<T> {
  readonly #outcome = new Outcome<T>()
  readonly #callbacks: OwnOptions<ResultCallbacks<T>>
  /** The async context in which the callbacks were given: there they are called. */
  readonly #context: AsyncResource | undefined
  /** Whether the outcome is known. The callbacks may be running then. */
  #decided = false
  #errors: readonly unknown[] = []

  private constructor(callbacks: OwnOptions<ResultCallbacks<T>>) {
    this.#callbacks = callbacks
    const { callback, errorCallback } = callbacks
    if (callback !== undefined || errorCallback !== undefined) this.#context = new AsyncResource('MillraceCallback')
  }

  /**
   * @param callbacks - The result of {@link ownCallbacks}.
   * @internal
   */
  static make<T>(callbacks: OwnOptions<ResultCallbacks<T>>): AsyncResult<T> {
    return new AsyncResult(callbacks)
  }

  /**
   * A promise of the value. It rejects with the job's error (the same object each time), with a `TimeoutError` when the
   * time of the wait is over, or with the reason of `options.signal`; then the job goes on.
   */
  get(options?: WaitOptions): Promise<T> {
    return this.#outcome.result(options)
  }

  /**
   * Resolves when the job is over, whatever its outcome, or when the time of the wait is over. Rejects with the reason
   * of `options.signal` when that is aborted.
   */
  async wait(options?: WaitOptions): Promise<void> {
    const { signal } = waitLimits(options)
    await this.#outcome.exception(options).catch((error: unknown) => {
      if (signal?.aborted && error === signal.reason) throw error
    })
  }

  /** Whether the job is over, its callback included. */
  ready(): boolean {
    return this.#outcome.done()
  }

  /**
   * Whether the job ended with a value.
   *
   * @throws InvalidStateError while the job is not over.
   */
  successful(): boolean {
    if (!this.ready()) throw new InvalidStateError(`${this} not ready`)
    return this.#outcome.outcome === 'value'
  }

  /**
   * All errors of a job that is over, in the order in which they became known. For a map: the error of each failed
   * item, and one error for each chunk that was lost as a whole. `get()` rejects with the first error, unless a
   * callback threw or the pool was terminated.
   */
  get errors(): readonly unknown[] {
    return this.#errors
  }

  /** As `Promise.prototype.then`. */
  then<A = T, B = never>(
    onfulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onrejected?: ((reason: any) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#outcome.then(onfulfilled, onrejected)
  }

  /** As `Promise.prototype.catch`. */
  catch<B = never>(onrejected?: ((reason: any) => B | PromiseLike<B>) | null): Promise<T | B> {
    return this.#outcome.catch(onrejected)
  }

  /** As `Promise.prototype.finally`. */
  finally(onfinally?: (() => void) | null): Promise<T> {
    return this.#outcome.finally(onfinally)
  }

  get [Symbol.toStringTag](): string {
    return 'AsyncResult'
  }

  /** For example `<AsyncResult #7 state=finished returned Array>`. Runs no code of the value's. */
  toString(): string {
    return String(this.#outcome)
  }

  [inspect.custom](): string {
    return this.toString()
  }

  /**
   * Ends the job with a value, unless it is over already: its callback may have terminated the pool.
   *
   * @internal
   */
  succeed(value: T): void {
    if (this.#decided) return
    this.#decided = true
    try {
      this.#context?.runInAsyncScope(() => reportRejection(this.#callbacks.callback?.(value), this))
    } catch (error) {
      this.#errors = [error]
      this.#outcome.settleError(error)
      return
    }
    this.#outcome.settleValue(value)
  }

  /**
   * Ends the job with an error, unless it is over already.
   *
   * @internal
   */
  fail(error: unknown, errors: readonly unknown[] = [error]): void {
    if (this.#decided) return
    this.#decided = true
    this.#errors = errors
    let outcome = error
    try {
      this.#context?.runInAsyncScope(() => reportRejection(this.#callbacks.errorCallback?.(error), this))
    } catch (thrown) {
      outcome = chainError(thrown, error)
    }
    this.#outcome.settleError(outcome)
  }
}

declareLocal(AsyncResult.prototype, 'is an AsyncResult: send the value that it will have')
