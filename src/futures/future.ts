// The future: the result of a call that may not be there yet.

import { inspect } from 'node:util'

import { CancelledError, InvalidStateError, TimeoutError } from '../errors/index.js'
import { nowMs } from '../util/clock.js'
import { optionNames, ownOptions } from '../util/options.js'
import { typeName } from '../util/type-name.js'
import { validateBoolean, validateFunction } from '../util/validate.js'
import { DoneCallback, runDoneCallback } from './done-callback.js'
import {
  type TimeoutOptions,
  type WaitLimits,
  waitLimits,
  type WaitOptions,
  waitTimeout,
  WaitWatch,
} from './wait-options.js'

export type { TimeoutOptions, WaitOptions } from './wait-options.js'

/** The state of a call. `'finished'`: the call returned or threw. */
export type FutureState = 'pending' | 'running' | 'cancelled' | 'finished'

/**
 * How a call ended; undefined before its end. Only the outcome tells a result of undefined from a thrown undefined.
 */
export type FutureOutcome = 'value' | 'error' | 'cancelled' | undefined

/** Options of {@link Future.cancel}. */
export interface CancelOptions {
  /** Stop the call also when it is running: its worker is ended and replaced. Default: false. */
  kill?: boolean
}

const CANCEL_OPTIONS = optionNames<CancelOptions>('cancel()', { kill: true })

/**
 * A part of this package that waits for futures. A future tells its waiters once, when it is settled and before its
 * callbacks run. `futureDone` must not throw, and may be called after the waiter was removed.
 *
 * @internal
 */
export interface Waiter {
  futureDone(future: Future<unknown>): void
}

type Listener = Waiter | DoneCallback<Future<any>>

// In this order: from FINISHED_VALUE on the future is done.
const PENDING = 0
const RUNNING = 1
const FINISHED_VALUE = 2
const FINISHED_ERROR = 3
const CANCELLED = 4

/** Numbers for futures without numbers of their own, given when such a future is printed first. */
const displayIds = new WeakMap<object, number>()
let lastDisplayId = 0

/**
 * The result of a call, which may not be there yet.
 *
 * A future can be awaited like a promise. Unlike a promise it tells its state and can be cancelled. It can also be
 * dropped: a failed future that nobody looks at causes no `unhandledRejection`.
 *
 * Executors make futures. An executor of your own calls {@link setRunningOrNotifyCancel} before it runs a call, and
 * then {@link setResult} or {@link setException}.
 */
export class Future<T> implements PromiseLike<T> {
  // The constructor assigns these: class fields would cost twice as much, and futures are made by the million.
  declare private phase: number
  /** The value, the error, or the `CancelledError` once somebody has asked for it. */
  declare private stored: unknown
  /** Undefined, one listener, or several in the order of their registration. */
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

  /** Whether the call has returned, thrown, or been cancelled. */
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
   * Cancels the call if no worker has claimed it; with `kill` in any case. The future is then done at once, for
   * everybody who waits for it.
   *
   * @returns Whether the future is cancelled now, also by an earlier call.
   */
  cancel(options?: CancelOptions): boolean {
    const { kill } = ownOptions(options, CANCEL_OPTIONS)
    validateBoolean(kill, 'options.kill')
    // The hook may find that the call has just finished, and settle this future with the call's outcome.
    if (this.phase < FINISHED_VALUE && this.requestCancel(kill === true)) this.settleCancelled()
    return this.phase === CANCELLED
  }

  /**
   * A promise of the result. It rejects with the error of the call (the same object each time), with a
   * `CancelledError`, with a `TimeoutError` when the time of the wait is over, or with the reason of `options.signal`.
   */
  result(options?: WaitOptions): Promise<T> {
    if (options === undefined) return this.promise(false) as Promise<T>
    try {
      return this.promise(false, waitLimits(options)) as Promise<T>
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * A promise of the call's error; undefined when the call succeeded. It rejects only with a `CancelledError`, with a
   * `TimeoutError`, or with the reason of `options.signal`. A program may drop it: it causes no `unhandledRejection`.
   */
  exception(options?: WaitOptions): Promise<unknown> {
    let limits: WaitLimits
    try {
      limits = waitLimits(options)
    } catch (error) {
      return Promise.reject(error)
    }
    const promise = this.promise(true, limits)
    promise.catch(ignore)
    return promise
  }

  /**
   * Waits for the result and blocks this thread: no other code of the thread runs meanwhile. Throws the errors with
   * which `result()` rejects.
   */
  resultSync(options?: TimeoutOptions): T {
    const timeout = waitTimeout(options)
    if (this.phase < FINISHED_VALUE) {
      this.blockUntilDone(timeout === undefined ? undefined : nowMs() + timeout)
    }
    if (this.phase < FINISHED_VALUE) throw this.timedOut(timeout)
    if (this.phase === FINISHED_VALUE) return this.stored as T
    throw this.storedOutcome()
  }

  /**
   * Calls `fn` with this future as soon as the future is done; at once if it is done already. Callbacks are called
   * synchronously, in the order of registration, before promise reactions to the same future, and each in the async
   * context in which it was registered. An error of `fn` becomes a process warning.
   */
  addDoneCallback(fn: (future: Future<T>) => void): this {
    validateFunction(fn, 'fn')
    if (this.phase >= FINISHED_VALUE) runDoneCallback(fn, this)
    else this.addListener(new DoneCallback(fn))
    return this
  }

  /** As `Promise.prototype.then`. */
  then<A = T, B = never>(
    onfulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onrejected?: ((reason: any) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return (this.promise(false) as Promise<T>).then(onfulfilled, onrejected)
  }

  /** As `Promise.prototype.catch`. */
  catch<B = never>(onrejected?: ((reason: any) => B | PromiseLike<B>) | null): Promise<T | B> {
    return (this.promise(false) as Promise<T>).catch(onrejected)
  }

  /** As `Promise.prototype.finally`. */
  finally(onfinally?: (() => void) | null): Promise<T> {
    return (this.promise(false) as Promise<T>).finally(onfinally)
  }

  get [Symbol.toStringTag](): string {
    return 'Future'
  }

  /** For example `<Future #7 state=finished returned number>`. Runs no code of the result's. */
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
   * For executors: tells that a call is about to run.
   *
   * @returns true, and the future is running now; false when the future is cancelled and the call must not run.
   * @throws InvalidStateError when the future is running or finished.
   */
  setRunningOrNotifyCancel(): boolean {
    if (this.phase === CANCELLED) return false
    if (this.phase !== PENDING || this.probeRunning()) throw this.invalidState()
    this.phase = RUNNING
    return true
  }

  /**
   * For executors: settles the future with the value that the call returned.
   *
   * @throws InvalidStateError when the future is done: its outcome stays.
   */
  setResult(value: T): void {
    if (!this.settleValue(value)) throw this.invalidState()
  }

  /**
   * For executors: settles the future with the error that the call threw, which may be any value.
   *
   * @throws InvalidStateError when the future is done: its outcome stays.
   */
  setException(error: unknown): void {
    if (!this.settleError(error)) throw this.invalidState()
  }

  /** Whether a worker has claimed the call. Called only while the future is not done. */
  protected probeRunning(): boolean {
    return this.phase === RUNNING
  }

  /**
   * Takes the call back from wherever it waits; with `kill` also stops a running call. Called only while the future is
   * not done.
   *
   * @returns Whether the future has to be cancelled now.
   */
  protected requestCancel(_kill: boolean): boolean {
    return !this.probeRunning()
  }

  /**
   * Blocks this thread until the future is done or `performance.now()` reaches `deadline`. With a deadline in the past
   * only the present state counts. Called only while the future is not done.
   */
  protected blockUntilDone(deadline: number | undefined): void {
    if (deadline !== undefined && deadline <= nowMs()) return
    throw new InvalidStateError(
      `${String(this)} cannot be waited for synchronously: ` +
        'it belongs to no executor that works while this thread is blocked',
    )
  }

  /** The number that {@link toString} shows. */
  protected displayId(): number {
    let id = displayIds.get(this)
    if (id === undefined) displayIds.set(this, (id = ++lastDisplayId))
    return id
  }

  /**
   * Settles as `setResult` does, and returns whether the future was open: an executor's call may be cancelled
   * meanwhile.
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
   * Settles as cancelled. Without `error` a `CancelledError` is made when somebody asks for it.
   *
   * @internal
   */
  settleCancelled(error?: CancelledError): boolean {
    return this.settle(CANCELLED, error)
  }

  /**
   * The value, or the error to throw, depending on `outcome`. Only for a future that is done.
   *
   * @internal
   */
  storedOutcome(): unknown {
    if (this.phase === CANCELLED) this.stored ??= this.makeCancelledError()
    return this.stored
  }

  /** The error of a call that was cancelled without a reason. Called when somebody asks for the error. */
  protected makeCancelledError(): CancelledError {
    return new CancelledError('The call was cancelled')
  }

  /**
   * Has `waiter` told when this future is done, at once if it is done already.
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
      // Removed first: a callback that registers another finds the future done, and the other is called at once,
      // nested.
      this.listeners = undefined
      if (Array.isArray(listeners)) this.tellAll(listeners)
      else listeners.futureDone(this)
    }
    return true
  }

  private tellAll(listeners: readonly Listener[]): void {
    for (const listener of listeners) {
      if (!(listener instanceof DoneCallback)) listener.futureDone(this)
    }
    for (const listener of listeners) {
      if (listener instanceof DoneCallback) listener.futureDone(this)
    }
  }

  /** Made when somebody asks: a future that nobody awaits costs no promise, and rejects none. */
  private promise(wantsError: boolean, limits?: WaitLimits): Promise<unknown> {
    if (limits?.signal?.aborted) return Promise.reject(limits.signal.reason)
    if (this.phase < FINISHED_VALUE) {
      const timeout = limits?.timeout
      if (timeout !== undefined && timeout <= 0) return Promise.reject(this.timedOut(timeout))
      return new Promise((resolve, reject) => {
        const reader = new Reader(resolve, reject, wantsError)
        this.addListener(reader)
        if (limits === undefined || (timeout === undefined && limits.signal === undefined)) return
        const giveUp = (error: unknown): void => {
          this.removeWaiter(reader)
          reject(error)
        }
        reader.watch = new WaitWatch(limits, () => giveUp(this.timedOut(timeout)), giveUp)
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

/** The waiter that settles a promise of `result()` or `exception()`. */
class Reader implements Waiter {
  watch: WaitWatch | undefined = undefined
  private readonly resolve: (value: unknown) => void
  private readonly reject: (reason: unknown) => void
  private readonly wantsError: boolean

  constructor(resolve: (value: unknown) => void, reject: (reason: unknown) => void, wantsError: boolean) {
    this.resolve = resolve
    this.reject = reject
    this.wantsError = wantsError
  }

  futureDone(future: Future<unknown>): void {
    this.watch?.clear()
    const { outcome } = future
    if (outcome === 'cancelled' || (outcome === 'error' && !this.wantsError)) this.reject(future.storedOutcome())
    else this.resolve(outcome === 'error' || !this.wantsError ? future.storedOutcome() : undefined)
  }
}

function ignore(): void {}
