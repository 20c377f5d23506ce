// Callbacks that run once, when an object is collected, or else at the end: `multiprocessing.util.Finalize`.

import { inspect } from 'node:util'

import type { Entry } from './entry.js'
import { registry } from './registry.js'
import { invalidType, validateFunction, validateInteger, validateNumber, validateOptions } from '../util/validate.js'

/** Options of {@link Finalize}. */
export interface FinalizeOptions<A extends readonly unknown[] = readonly unknown[]> {
  /** What the callback is called with. Default: nothing. */
  args?: readonly [...A]
  /**
   * A whole number: the callback also runs at the exit, and in {@link runFinalizers}, those with a higher number first
   * and the newest first among equals. Pools end their workers at 15. Default: none, and the exit is no reason to call
   * it.
   */
  exitPriority?: number
}

/** The options of a callback that takes such arguments: they may be left out if it can do without. */
export type FinalizeOptionsFor<A extends readonly unknown[]> = [] extends A
  ? FinalizeOptions<A>
  : FinalizeOptions<A> & { args: readonly [...A] }

/**
 * Has a callback run at most once, by whatever comes first: `call()`, the collection of an object, a pass of
 * {@link runFinalizers}, or the end of this process or thread. After Python's `multiprocessing.util.Finalize`.
 *
 * It belongs to the thread that made it, and needs no reference to it to stay.
 *
 * - A collection may come late or never. What has to happen needs an `exitPriority`.
 * - Neither the callback nor its arguments may hold the object: it would never be collected, and nothing can notice
 *   that.
 *   Pass what the callback needs (a path, a descriptor) in `args`.
 * - At the exit, those of 0 and more are over before any below 0 begins. That is when the event loop has drained, after
 *   `process.exit()`, an uncaught error, and the end of a `worker_threads` thread or of a Millrace worker; not when the
 *   process is killed, nor when a thread is terminated. What runs then has to be synchronous.
 * - What it throws, but for `call()`, is a process warning (`MILLRACE_FINALIZER`) and stops nothing. So is a promise
 *   that it
 *   returns to a pass that does not wait for it.
 */
export class Finalize<A extends unknown[] = [], R = unknown> {
  readonly #entry: Entry

  /**
   * @param obj - What the callback comes after; null if only the exit matters.
   * @throws TypeError when `obj` is neither an object nor a function, or null without `options.exitPriority`; TypeError
   * or
   *   RangeError that names another wrong argument. Nothing is registered then.
   */
  constructor(
    obj: object | null,
    callback: (...args: A) => R,
    options: FinalizeOptionsFor<A> & { exitPriority: number },
  )
  constructor(
    obj: object,
    callback: (...args: A) => R,
    ...options: [] extends A ? [options?: FinalizeOptionsFor<A>] : [options: FinalizeOptionsFor<A>]
  )
  constructor(obj: object | null, callback: (...args: A) => R, options?: FinalizeOptions<A>) {
    if (typeof obj !== 'object' && typeof obj !== 'function')
      throw invalidType('obj', 'an object, a function or null', obj)
    validateFunction(callback, 'callback')
    validateOptions(options)
    const { args = [], exitPriority } = options ?? {}
    if (!Array.isArray(args)) throw invalidType('options.args', 'an array', args)
    if (exitPriority !== undefined) validateInteger(exitPriority, 'options.exitPriority', Number.MIN_SAFE_INTEGER)
    else if (obj === null) throw invalidType('options.exitPriority', 'given when "obj" is null', undefined)
    this.#entry = registry.add(obj, callback, [...args], exitPriority)
  }

  /**
   * Runs the callback now, unless it has run or was cancelled: what it returns or throws. Undefined if it does not run;
   * also in a process that was forked from the one that made it.
   */
  call(): R | undefined {
    return this.#entry.take()?.() as R | undefined
  }

  /** The callback will not run. Harmless after it did, and when repeated. */
  cancel(): void {
    this.#entry.cancel()
  }

  /** Whether the callback may still run. */
  stillActive(): boolean {
    return this.#entry.active
  }

  [inspect.custom](): string {
    return this.#entry.describe()
  }
}

/**
 * Runs what is registered in this thread with an exit priority of at least `minPriority`; what is registered meanwhile
 * stays for another time.
 *
 * Without `minPriority` it runs all, also what is registered meanwhile, until none is left, and forgets what has no
 * exit priority, as the exit does. A callback that registers others for ever is stopped, with a warning.
 *
 * Pools are finalizers of priority 15: their running calls fail as terminated, those that wait are cancelled, and they
 * take no more. Leave them alone by a minimum of 16.
 *
 * Callbacks may do anything, such as register, cancel or run finalizers.
 *
 * @throws TypeError or RangeError that names `minPriority`.
 */
export function runFinalizers(minPriority?: number): void {
  registry.run(checked(minPriority))
}

/**
 * As {@link runFinalizers}, and waits for the promise that a callback returns before the next one is called: for
 * clean-up that cannot be synchronous, at the end of a program that ends by itself. Never rejects for what a callback
 * does.
 *
 * @throws TypeError or RangeError that names `minPriority`.
 */
export function runFinalizersAsync(minPriority?: number): Promise<void> {
  return registry.runAsync(checked(minPriority))
}

function checked(minPriority: number | undefined): number | undefined {
  if (minPriority !== undefined) validateNumber(minPriority, 'minPriority')
  return minPriority
}
