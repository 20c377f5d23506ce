// Options of `map` and `starmap`, and their checks.

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

/** Options of `map` and `starmap`. */
export interface MapOptions {
  /**
   * The number of items that travel and run together, as one call. `'auto'`: measured, so that a chunk keeps a worker
   * busy for a few milliseconds; further chunks are then submitted when earlier ones are done. Default: 1.
   */
  chunksize?: number | 'auto'
  /**
   * The most items that are read ahead of the consumer. Default: a synchronous iterable is read to its end at the call,
   * an asynchronous iterable 2 × `maxWorkers` chunks ahead.
   */
  buffersize?: number
  /**
   * Milliseconds from the call of `map`. `next()` rejects with a `TimeoutError` when its item is not done by then, and
   * the remaining calls are cancelled. Default: no limit.
   */
  timeout?: number
  /** Milliseconds that each call may run, a chunk being one call; see `run({ timeout })`. Default: no limit. */
  taskTimeout?: number
  /** Whether results come in the order of the input (true), or as they are done (false). Default: true. */
  ordered?: boolean
}

const NAMES = optionNames<MapOptions>('map() and starmap()', {
  chunksize: true,
  buffersize: true,
  timeout: true,
  taskTimeout: true,
  ordered: true,
})

/**
 * Returns the checked options.
 *
 * @param names - The options that the calling function has. Default: all.
 * @throws TypeError or RangeError that names the option.
 */
export function checkMapOptions<T extends MapOptions>(
  options: T | undefined,
  names: OptionNames<T> = NAMES as unknown as OptionNames<T>,
): MapOptions {
  const { chunksize, buffersize, timeout, taskTimeout, ordered }: MapOptions = ownOptions(options, names)
  if (typeof chunksize === 'string') {
    if (chunksize !== 'auto') throw invalidValue('options.chunksize', "a whole number or 'auto'", chunksize)
  } else if (chunksize !== undefined) {
    validateInteger(chunksize, 'options.chunksize', 1)
  }
  if (buffersize !== undefined) validateInteger(buffersize, 'options.buffersize', 1)
  if (taskTimeout !== undefined) validateNumber(taskTimeout, 'options.taskTimeout', Number.MIN_VALUE)
  validateBoolean(ordered, 'options.ordered')
  return {
    chunksize,
    buffersize,
    timeout: timeoutOf(timeout),
    taskTimeout: taskTimeout === Infinity ? undefined : taskTimeout,
    ordered,
  }
}

/** @throws TypeError unless `items` is an iterable or an async iterable. */
export function checkItems(items: unknown): void {
  if (isAsyncIterable(items)) return
  if (typeof (items as Partial<Iterable<unknown>> | null | undefined)?.[Symbol.iterator] === 'function') return
  throw invalidType('items', 'an iterable or an async iterable', items)
}
