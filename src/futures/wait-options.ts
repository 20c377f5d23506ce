// Options of waits, their check, and what ends a wait before its time.

import { type AbortReaction, offAbort, onAbort, validateSignal } from '../util/abort.js'
import { optionNames, ownOptions } from '../util/options.js'
import { Timer } from '../util/timer.js'
import { timeoutOf } from '../util/validate.js'

/** Options of every operation that waits for a time. */
export interface TimeoutOptions {
  /** Milliseconds; with 0 or less, only the present state counts. Limits the wait, not the call. Default: no limit. */
  timeout?: number
}

/** Options of every operation that waits. */
export interface WaitOptions extends TimeoutOptions {
  /**
   * A signal that ends the wait, not the call: the wait rejects with the signal's reason, as `fetch` does. With a
   * signal that is aborted already a wait rejects in any case.
   */
  signal?: AbortSignal
}

/** Options of `ready()`. */
export interface ReadyOptions {
  /** A signal that ends the wait: it rejects with the signal's reason, also if the signal is aborted already. */
  signal?: AbortSignal
}

const TIMEOUT_NAMES = optionNames<TimeoutOptions>('a wait', { timeout: true })
const NAMES = optionNames<WaitOptions>('a wait', { timeout: true, signal: true })

/**
 * The time limit of a wait in milliseconds; undefined for none.
 *
 * @throws TypeError or RangeError that names the option.
 */
export function waitTimeout(options: TimeoutOptions | undefined): number | undefined {
  return options === undefined ? undefined : timeoutOf(ownOptions(options, TIMEOUT_NAMES).timeout)
}

/** What may end a wait: milliseconds, and a signal. */
export interface WaitLimits {
  readonly timeout: number | undefined
  readonly signal: AbortSignal | undefined
}

const NO_LIMITS: WaitLimits = { timeout: undefined, signal: undefined }

/**
 * The checked options of a wait.
 *
 * @throws TypeError or RangeError that names the option.
 */
export function waitLimits(options: WaitOptions | undefined): WaitLimits {
  return options === undefined ? NO_LIMITS : checkLimits(ownOptions(options, NAMES))
}

/** @throws TypeError or RangeError that names the option. */
export function checkLimits({ timeout, signal }: WaitOptions): WaitLimits {
  if (signal !== undefined) validateSignal(signal, 'options.signal')
  return { timeout: timeoutOf(timeout), signal }
}

const READY_NAMES = optionNames<ReadyOptions>('ready()', { signal: true })

/**
 * The signal of a `ready()`.
 *
 * @throws TypeError that names the option.
 */
export function readySignal(options: ReadyOptions | undefined): AbortSignal | undefined {
  return checkLimits(ownOptions(options, READY_NAMES)).signal
}

/** Watches a time limit and a signal while somebody waits. */
export class WaitWatch implements AbortReaction {
  private readonly timer: Timer | undefined
  private readonly signal: AbortSignal | undefined
  private readonly abort: (reason: unknown) => void

  /** The signal is not aborted. `expire` is called at the end of the time, `abort` with the signal's reason. */
  constructor({ timeout, signal }: WaitLimits, expire: () => void, abort: (reason: unknown) => void) {
    this.timer = timeout === undefined ? undefined : new Timer(timeout, () => this.finish(expire))
    this.signal = signal
    this.abort = abort
    if (signal !== undefined) onAbort(signal, this)
  }

  aborted(reason: unknown): void {
    this.finish(() => this.abort(reason))
  }

  private finish(end: () => void): void {
    this.clear()
    end()
  }

  /** The wait is over. */
  clear(): void {
    this.timer?.clear()
    if (this.signal !== undefined) offAbort(this.signal, this)
  }
}
