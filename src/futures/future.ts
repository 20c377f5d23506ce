import { inspect } from 'node:util'

import { runDoneCallback } from './done-callback.js'
import { CancelledError, InvalidStateError, TimeoutError } from '../errors/index.js'
import { Timer } from '../util/timer.js'
import { typeName } from '../util/type-name.js'
import { timeoutOf, validateBoolean, validateFunction, validateOptions } from '../util/validate.js'

/** Where a call stands. */
export type FutureState = 'pending' | 'running' | 'cancelled' | 'finished'

/** How a call ended; undefined while it has not. The only way to tell a result of undefined from a thrown undefined. */
export type FutureOutcome = 'value' | 'error' | 'cancelled' | undefined

/** Options of every operation that waits. */
export interface WaitOptions {
  /** Milliseconds; 0 and less look once. Default: no limit. It limits the waiting only: the task goes on. */
  timeout?: number
}

/** Options of {@link Future.cancel}. */
export interface CancelOptions {
  /** Also stop the call when it runs already, which ends its worker; a new worker takes its place. Default: false. */
  kill?: boolean
}

/**
 * Something of this package that waits for futures: told once, when the future is settled and before its callbacks.
 * It must not throw, and it may be told of a future after it was removed from it.
 *
 * @internal
 */
export interface Waiter {
  futureDone(future: Future<unknown>): void
}

type Listener = Waiter | ((future: any) => unknown)

// In this order: everything from FINISHED_VALUE on is done.
const PENDING = 0
const RUNNING = 1
const FINISHED_VALUE = 2
const FINISHED_ERROR = 3
const CANCELLED = 4

/** Numbers for futures that have no number of their own, given when they are first printed. */
const displayIds = new WeakMap<object, number>()
let lastDisplayId = 0

/**
 * The result of a call that may not have happened yet.
 *
 * Not a promise, but it can be awaited. Other than a promise it can be asked for its state, be cancelled, and be
 * dropped: a future that fails and that nobody looks at causes no `unhandledRejection`.
 *
 * Made by executors. Whoever writes an executor calls {@link setRunningOrNotifyCancel} before running a call, then
 * {@link setResult} or {@link setException}.
 */
export class Future<T> implements PromiseLike<T> {
  // Assigned by the constructor, not as class fields, which cost twice as much: futures are made by the million.
  declare private phase: number
  /** The value, or the error, or the `CancelledError` once somebody asked for it. */
  declare private stored: unknown
  /** Nobody, one listener, or several in the order in which they came. */
  declare private listeners: Listener | Listener[] | undefined

  constructor() {
    this.phase = PENDING
    this.stored = undefined
    this.listeners = undefined
  }

  get state(): FutureState {
    if (this.phase >= FINISHED_VALUE) return this.phase === CANCELLED ? 'cancelled' : 'finished'
    return this.probeRunning() ? 'running' : 'pending'
  }

  get outcome(): FutureOutcome {
    switch (this.phase) {
      case FINISHED_VALUE:
        return 'value'
      case FINISHED_ERROR:
        return 'error'
      case CANCELLED:
        return 'cancelled'
      default:
        return undefined
    }
  }

  /** Whether the call finished, failed or was cancelled. */
  done(): boolean {
    return this.phase >= FINISHED_VALUE
  }

  /** Whether a worker has claimed the call and has not finished it. */
  running(): boolean {
    return this.phase < FINISHED_VALUE && this.probeRunning()
  }

  cancelled(): boolean {
    return this.phase === CANCELLED
  }

  /**
   * Cancels the call if no worker has claimed it, or in any case with `kill`. The future is then done at once, for all
   * who wait for it.
   *
   * @returns Whether the future is cancelled now; also true when it was before.
   */
  cancel(options?: CancelOptions): boolean {
    validateOptions(options)
    const kill = options?.kill
    validateBoolean(kill, 'options.kill')
    // The hook may find that the call has just finished and settle this future itself.
    if (this.phase < FINISHED_VALUE && this.requestCancel(kill === true)) this.settleCancelled()
    return this.phase === CANCELLED
  }

  /**
   * A promise of the result. Rejects with the error of the call, the same object each time, with a `CancelledError`, or
   * with a `TimeoutError` when the wait runs out.
   */
  result(options?: WaitOptions): Promise<T> {
    let timeout: number | undefined
    try {
      timeout = timeoutOf(options)
    } catch (error) {
      return Promise.reject(error)
    }
    return this.promise(timeout, false) as Promise<T>
  }

  /**
   * A promise of the call's error, undefined when it succeeded. Rejects with a `CancelledError` or a `TimeoutError`
   * only, and may be dropped: it causes no `unhandledRejection`.
   */
  exception(options?: WaitOptions): Promise<unknown> {
    let timeout: number | undefined
    try {
      timeout = timeoutOf(options)
    } catch (error) {
      return Promise.reject(error)
    }
    const promise = this.promise(timeout, true)
    promise.catch(ignore)
    return promise
  }

  /**
   * The result, for which this thread is blocked: nothing else happens in it meanwhile. Throws what `result()` rejects
   * with.
   */
  resultSync(options?: WaitOptions): T {
    const timeout = timeoutOf(options)
    if (this.phase < FINISHED_VALUE) {
      this.blockUntilDone(timeout === undefined ? undefined : performance.now() + timeout)
    }
    if (this.phase < FINISHED_VALUE) throw this.timedOut(timeout)
    if (this.phase === FINISHED_VALUE) return this.stored as T
    throw this.storedOutcome()
  }

  /**
   * Calls `fn` with this future as soon as it is done: synchronously, in the order of registration, and before the
   * promise reactions of the same settling; at once if it is done already. What `fn` throws becomes a process warning.
   */
  addDoneCallback(fn: (future: Future<T>) => void): this {
    validateFunction(fn, 'fn')
    if (this.phase >= FINISHED_VALUE) runDoneCallback(fn, this)
    else this.addListener(fn)
    return this
  }

  /** As of a promise. */
  then<A = T, B = never>(
    onfulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onrejected?: ((reason: any) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return (this.promise(undefined, false) as Promise<T>).then(onfulfilled, onrejected)
  }

  /** As of a promise. */
  catch<B = never>(onrejected?: ((reason: any) => B | PromiseLike<B>) | null): Promise<T | B> {
    return (this.promise(undefined, false) as Promise<T>).catch(onrejected)
  }

  /** As of a promise. */
  finally(onfinally?: (() => void) | null): Promise<T> {
    return (this.promise(undefined, false) as Promise<T>).finally(onfinally)
  }

  get [Symbol.toStringTag](): string {
    return 'Future'
  }

  /** `<Future #7 state=finished returned number>`; never runs code of the result. */
  toString(): string {
    let ending = ''
    if (this.phase === FINISHED_VALUE) ending = ` returned ${typeName(this.stored)}`
    else if (this.phase === FINISHED_ERROR) ending = ` raised ${typeName(this.stored)}`
    return `<Future #${this.displayId()} state=${this.state}${ending}>`
  }

  [inspect.custom](): string {
    return this.toString()
  }

  /**
   * For executors: a call is about to run.
   *
   * @returns true, and the future is running now; false if it was cancelled and the call must not run.
   * @throws InvalidStateError if it runs already or is finished.
   */
  setRunningOrNotifyCancel(): boolean {
    if (this.phase === CANCELLED) return false
    if (this.phase !== PENDING || this.probeRunning()) throw this.invalidState()
    this.phase = RUNNING
    return true
  }

  /**
   * For executors: the call returned.
   *
   * @throws InvalidStateError if the future is done; its outcome stays.
   */
  setResult(value: T): void {
    if (!this.settleValue(value)) throw this.invalidState()
  }

  /**
   * For executors: the call threw, anything at all.
   *
   * @throws InvalidStateError if the future is done; its outcome stays.
   */
  setException(error: unknown): void {
    if (!this.settleError(error)) throw this.invalidState()
  }

  /** Whether a worker has claimed the call. Asked only of a future that is not done. */
  protected probeRunning(): boolean {
    return this.phase === RUNNING
  }

  /**
   * Takes the call back from wherever it waits or, with `kill`, stops it. Asked only of a future that is not done.
   *
   * @returns Whether the future is to be cancelled now.
   */
  protected requestCancel(_kill: boolean): boolean {
    return !this.probeRunning()
  }

  /**
   * Blocks this thread until the future is done or `performance.now()` reaches `deadline`. Asked only of a future that
   * is not done; a deadline in the past means to look once.
   */
  protected blockUntilDone(deadline: number | undefined): void {
    if (deadline !== undefined && deadline <= performance.now()) return
    throw new InvalidStateError(
      `${String(this)} cannot be waited for synchronously: ` +
        'it belongs to no executor that works while this thread is blocked',
    )
  }

  /** The number in {@link toString}. */
  protected displayId(): number {
    let id = displayIds.get(this)
    if (id === undefined) displayIds.set(this, (id = ++lastDisplayId))
    return id
  }

  /**
   * `setResult` that says whether it did anything, for executors whose call may have been cancelled meanwhile.
   *
   * @internal
   */
  settleValue(value: T): boolean {
    return this.settle(FINISHED_VALUE, value)
  }

  /** @internal */
  settleError(error: unknown): boolean {
    return this.settle(FINISHED_ERROR, error)
  }

  /**
   * Without an error one is made when somebody asks.
   *
   * @internal
   */
  settleCancelled(error?: CancelledError): boolean {
    return this.settle(CANCELLED, error)
  }

  /**
   * The value, or the error to throw, as `outcome` says. Only of a done future.
   *
   * @internal
   */
  storedOutcome(): unknown {
    if (this.phase === CANCELLED) this.stored ??= new CancelledError('The call was cancelled')
    return this.stored
  }

  /**
   * Tells `waiter` when this future is done, at once if it is.
   *
   * @internal
   */
  addWaiter(waiter: Waiter): void {
    if (this.phase >= FINISHED_VALUE) waiter.futureDone(this)
    else this.addListener(waiter)
  }

  /** @internal */
  removeWaiter(waiter: Waiter): void {
    const { listeners } = this
    if (listeners === waiter) this.listeners = undefined
    if (!Array.isArray(listeners)) return
    const index = listeners.indexOf(waiter)
    if (index >= 0) listeners.splice(index, 1)
    if (listeners.length === 0) this.listeners = undefined
  }

  private addListener(listener: Listener): void {
    const { listeners } = this
    if (listeners === undefined) this.listeners = listener
    else if (Array.isArray(listeners)) listeners.push(listener)
    else this.listeners = [listeners, listener]
  }

  private settle(phase: number, stored: unknown): boolean {
    if (this.phase >= FINISHED_VALUE) return false
    this.phase = phase
    this.stored = stored
    const { listeners } = this
    if (listeners !== undefined) {
      // Taken off first: what is registered from a callback finds the future done and runs at once, nested.
      this.listeners = undefined
      if (Array.isArray(listeners)) this.tellAll(listeners)
      else if (typeof listeners === 'function') runDoneCallback(listeners, this)
      else listeners.futureDone(this)
    }
    return true
  }

  private tellAll(listeners: readonly Listener[]): void {
    for (const listener of listeners) {
      if (typeof listener !== 'function') listener.futureDone(this)
    }
    for (const listener of listeners) {
      if (typeof listener === 'function') runDoneCallback(listener, this)
    }
  }

  /** Made when somebody asks for it, so that a future which nobody awaits costs no promise and rejects none. */
  private promise(timeout: number | undefined, wantsError: boolean): Promise<unknown> {
    if (this.phase < FINISHED_VALUE) {
      if (timeout !== undefined && timeout <= 0) return Promise.reject(this.timedOut(timeout))
      return new Promise((resolve, reject) => {
        const reader = new Reader(resolve, reject, wantsError)
        this.addListener(reader)
        if (timeout === undefined) return
        reader.timer = new Timer(timeout, () => {
          this.removeWaiter(reader)
          reject(this.timedOut(timeout))
        })
      })
    }
    if (this.phase === CANCELLED) return Promise.reject(this.storedOutcome())
    if (wantsError) return Promise.resolve(this.phase === FINISHED_ERROR ? this.stored : undefined)
    return this.phase === FINISHED_VALUE ? Promise.resolve(this.stored) : Promise.reject(this.stored)
  }

  private timedOut(timeout: number | undefined): TimeoutError {
    return new TimeoutError(`${String(this)} was not done within ${Math.max(0, timeout ?? 0)} ms`)
  }

  private invalidState(): InvalidStateError {
    return new InvalidStateError(`${this.state.toUpperCase()}: ${String(this)}`)
  }
}

/** The promise that somebody waits for. */
class Reader implements Waiter {
  timer: Timer | undefined = undefined
  private readonly resolve: (value: unknown) => void
  private readonly reject: (reason: unknown) => void
  private readonly wantsError: boolean

  constructor(resolve: (value: unknown) => void, reject: (reason: unknown) => void, wantsError: boolean) {
    this.resolve = resolve
    this.reject = reject
    this.wantsError = wantsError
  }

  futureDone(future: Future<unknown>): void {
    this.timer?.clear()
    const { outcome } = future
    if (outcome === 'cancelled' || (outcome === 'error' && !this.wantsError)) this.reject(future.storedOutcome())
    else this.resolve(outcome === 'error' || !this.wantsError ? future.storedOutcome() : undefined)
  }
}

function ignore(): void {}
