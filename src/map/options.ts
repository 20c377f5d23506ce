// Options of `map` and `starmap`, and their checks.

import { RetryPolicy, type RetryOptions } from '../futures/retry-policy.js'
import { validateSignal } from '../util/abort.js'
import { type OptionNames, optionNames, ownOptions } from '../util/options.js'
import {
  invalidType,
  invalidValue,
  timeoutOf,
  validateBoolean,
  validateInteger,
  validateNumber,
} from '../util/validate.js'
import { isAsyncIterable } from './input.js'
import { MAP_OPTIONS } from './option-names.js'
import type { MapCall } from './source.js'

/** Options of `map` and `starmap`. */
export interface MapOptions {
  /**
   * The number of items that travel and run together, as one call. `'auto'`: measured, so that a chunk keeps a worker
   * busy for a few milliseconds, and at most 1024; a chunk that takes much longer is divided among the workers.
   * Default: `'auto'`.
   *
   * An item that fails, ends its worker or runs for too long does not harm the others of its chunk, whatever the size.
   */
  chunksize?: number | 'auto'
  /**
   * The most items that are read ahead of the consumer. Default: four chunks for each worker, and at least 64 items
   * for each; reading also stops at 64 MiB of encoded items, with any number here. `Infinity`: reading waits for
   * nothing but the workers; a synchronous iterable is read to its end at the call.
   */
  buffersize?: number
  /**
   * Milliseconds from the call of `map`. `next()` rejects with a `TimeoutError` when its item is not done by then, and
   * the remaining calls are cancelled. Default: no limit.
   */
  timeout?: number
  /**
   * Milliseconds that each item may run, from its own start. An item that runs longer fails with a `TaskTimeoutError`,
   * and its worker is stopped. Default: no limit.
   */
  taskTimeout?: number
  /** Whether results come in the order of the input (true), or as they are done (false). Default: true. */
  ordered?: boolean
  /**
   * Yield the outcome of each item, a failure like a value: see {@link ItemOutcome}. `next()` rejects only for what
   * ends the map. Default: false.
   */
  settle?: boolean
  /**
   * How often an item is repeated that fails: a number, after the death of its worker or its time-out, or
   * {@link RetryOptions}. The other items of its chunk wait for it and are not repeated. Default: 0.
   */
  retries?: number | RetryOptions
  /**
   * A signal whose abort ends the map: `next()` rejects with a `CancelledError` with the signal's reason as its
   * `cause`, and calls that run are stopped.
   */
  signal?: AbortSignal
  /**
   * Milliseconds between the abort of `taskContext().signal` and SIGTERM, when `taskTimeout` or `signal` stop a call.
   * Default: 0.
   */
  grace?: number
  /** A name for the calls in errors and in `taskContext()`, besides the name of the task. */
  label?: string
}

/** Checked options. */
export interface CheckedMapOptions extends Omit<MapOptions, 'retries'> {
  readonly retries: RetryPolicy | undefined
}

const NAMES = optionNames<MapOptions>('map() and starmap()', MAP_OPTIONS)

/**
 * Returns the checked options.
 *
 * @param names - The options that the calling function has. Default: all.
 * @throws TypeError or RangeError that names the option.
 */
export function checkMapOptions<T extends MapOptions>(
  options: T | undefined,
  names: OptionNames<T> = NAMES as unknown as OptionNames<T>,
): CheckedMapOptions {
  const own: MapOptions = ownOptions(options, names)
  const { chunksize, buffersize, timeout, taskTimeout, ordered, settle, retries, signal, grace, label } = own
  if (typeof chunksize === 'string') {
    if (chunksize !== 'auto') throw invalidValue('options.chunksize', "a whole number or 'auto'", chunksize)
  } else if (chunksize !== undefined) {
    validateInteger(chunksize, 'options.chunksize', 1)
  }
  if (buffersize !== undefined && buffersize !== Infinity) validateInteger(buffersize, 'options.buffersize', 1)
  if (taskTimeout !== undefined) validateNumber(taskTimeout, 'options.taskTimeout', Number.MIN_VALUE)
  validateBoolean(ordered, 'options.ordered')
  validateBoolean(settle, 'options.settle')
  if (signal !== undefined) validateSignal(signal, 'options.signal')
  if (grace !== undefined) validateNumber(grace, 'options.grace', 0)
  if (label !== undefined && typeof label !== 'string') throw invalidType('options.label', 'a string', label)
  return {
    chunksize: chunksize ?? 'auto',
    buffersize,
    timeout: timeoutOf(timeout),
    taskTimeout: taskTimeout === Infinity ? undefined : taskTimeout,
    ordered,
    settle,
    retries: RetryPolicy.of(retries),
    signal,
    grace,
    label,
  }
}

/** What an executor has to know of the options. */
export function mapCall(options: CheckedMapOptions, spread: boolean): MapCall {
  const { chunksize, taskTimeout, grace, retries, label } = options
  return { spread, divides: chunksize === 'auto', taskTimeout, grace, retries, label }
}

/** @throws TypeError unless `items` is an iterable or an async iterable. */
export function checkItems(items: unknown): void {
  if (isAsyncIterable(items)) return
  if (typeof (items as Partial<Iterable<unknown>> | null | undefined)?.[Symbol.iterator] === 'function') return
  throw invalidType('items', 'an iterable or an async iterable', items)
}
