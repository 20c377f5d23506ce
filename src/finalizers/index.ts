// `Finalize` and the passes over finalizers, after Python's `multiprocessing.util.Finalize`.

import { AsyncResource } from 'node:async_hooks'
import { inspect } from 'node:util'

import type { Entry } from './entry.js'
import { registry } from './registry.js'
import { optionNames, ownOptions } from '../util/options.js'
import { invalidType, validateFunction, validateInteger, validateNumber } from '../util/validate.js'

/** Options of {@link Finalize}. */
export interface FinalizeOptions<A extends readonly unknown[] = readonly unknown[]> {
  /** The arguments of the callback. Default: none. */
  args?: readonly [...A]
  /**
   * A whole number. With it the callback also runs at the exit and in {@link runFinalizers}: higher numbers first, and
   * the newest first among equal numbers. Pools end their workers at 15. Without it (the default) the exit does not run
   * the callback.
   */
  exitPriority?: number
}

const NAMES = optionNames<FinalizeOptions>('Finalize', { args: true, exitPriority: true })

/** Options for a callback with arguments `A`: they may be left out when the callback needs no arguments. */
export type FinalizeOptionsFor<A extends readonly unknown[]> = [] extends A
  ? FinalizeOptions<A>
  : FinalizeOptions<A> & { args: readonly [...A] }

/**
 * Runs a callback at most once, at the first of these events: `call()`, the collection of an object, a pass of
 * {@link runFinalizers}, or the end of this process or thread. After Python's `multiprocessing.util.Finalize`.
 *
 * A finalizer belongs to the thread that made it. It stays registered although nobody keeps a reference to it.
 *
 * - A collection may come late or never. A callback that has to run needs an `exitPriority`.
 * - Neither the callback nor its arguments may hold the object, which would then never be collected. Nothing can detect
 *   this mistake. Pass the callback's needs (a path, a descriptor) in `args`.
 * - The callback runs in the async context in which the finalizer was made. So the stores of `AsyncLocalStorage` there
 *   may not hold the object either.
 * - At the exit, all callbacks with a priority of 0 and more are over before the first below 0 begins. The exit is: the
 *   event loop is empty, `process.exit()`, an uncaught error, the end of a `worker_threads` thread or of a Millrace
 *   worker. It is not: a killed process, a terminated thread. A callback at the exit has to be synchronous.
 * - An error of the callback becomes a process warning (`MILLRACE_FINALIZER`) and stops nothing; `call()` throws it
 *   instead. A promise that the callback returns to a pass that does not wait for it becomes such a warning, too.
 */
export class Finalize<A extends unknown[] = [], R = unknown> {
  readonly #entry: Entry

  /**
   * @param obj - The object whose collection runs the callback; null if only the exit matters.
   * @throws TypeError when `obj` is neither an object nor a function, or null without `options.exitPriority`; TypeError
   * or RangeError that names another wrong argument. Nothing is registered then.
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
    const { args = [], exitPriority } = ownOptions<FinalizeOptions>(options, NAMES)
    if (!Array.isArray(args)) throw invalidType('options.args', 'an array', args)
    if (exitPriority !== undefined) validateInteger(exitPriority, 'options.exitPriority', Number.MIN_SAFE_INTEGER)
    else if (obj === null) throw invalidType('options.exitPriority', 'given when "obj" is null', undefined)
    this.#entry = registry.add(obj, callback, [...args], exitPriority, new AsyncResource('MillraceFinalizer'))
  }

  /**
   * Runs the callback now, and returns or throws what the callback does. Does nothing and returns undefined when the
   * callback has run, was cancelled, or belongs to the process from which this one was forked.
   */
  call(): R | undefined {
    return this.#entry.take()?.() as R | undefined
  }

  /** Cancels the callback. Harmless when it has run or was cancelled before. */
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
 * Runs the finalizers of this thread that have an exit priority of at least `minPriority`. Finalizers that are
 * registered meanwhile wait for another pass.
 *
 * Without `minPriority` all finalizers with an exit priority run, also those that are registered meanwhile, until none
 * is left. Then those without an exit priority are cancelled, as at the exit. Finalizers that register others for ever
 * are stopped, with a warning.
 *
 * Pools are finalizers of priority 15: their running calls fail as terminated, their waiting calls are cancelled, and
 * they take no more calls. A minimum of 16 leaves pools alone.
 *
 * Callbacks may register, cancel and run finalizers, and do anything else.
 *
 * @throws TypeError or RangeError that names `minPriority`.
 */
export function runFinalizers(minPriority?: number): void {
  registry.run(checked(minPriority))
}

/**
 * Runs finalizers as {@link runFinalizers} does, but waits for the promise of each callback before it calls the next:
 * for clean-up that cannot be synchronous, at the end of a program that ends by itself. The promise never rejects for
 * an error of a callback.
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
