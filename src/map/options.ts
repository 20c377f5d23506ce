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
   * Items that travel and run together, as one call. `'auto'`: measured, so that a chunk keeps a worker busy for a few
   * milliseconds; chunks are then submitted as earlier ones are done. Default: 1.
   */
  chunksize?: number | 'auto'
  /**
   * Never read more items than this ahead of the consumer. Default: a synchronous iterable is read wholly at the call,
   * an asynchronous one 2 × `maxWorkers` chunks ahead.
   */
  buffersize?: number
  /**
   * Milliseconds, from the call of `map`, after which `next()` rejects with a `TimeoutError` if its item is not done;
   * what is left is cancelled then. Default: no limit.
   */
  timeout?: number
  /** Milliseconds that each call may run, a chunk being one call; see `run({ timeout })`. Default: no limit. */
  taskTimeout?: number
  /** Whether results come in the order of the input, or as they are done. Default: true. */
  ordered?: boolean
}

/**
 * The options, checked.
 *
 * @throws TypeError or RangeError that names the option.
 */
export function checkMapOptions(options: MapOptions | undefined): MapOptions {
  const timeout = timeoutOf(options)
  const { chunksize, buffersize, taskTimeout, ordered } = options ?? {}
  if (typeof chunksize === 'string') {
    if (chunksize !== 'auto') throw invalidValue('options.chunksize', "a whole number or 'auto'", chunksize)
  } else if (chunksize !== undefined) {
    validateInteger(chunksize, 'options.chunksize', 1)
  }
  if (buffersize !== undefined) validateInteger(buffersize, 'options.buffersize', 1)
  if (taskTimeout !== undefined) validateNumber(taskTimeout, 'options.taskTimeout', Number.MIN_VALUE)
  validateBoolean(ordered, 'options.ordered')
  return { chunksize, buffersize, timeout, taskTimeout: taskTimeout === Infinity ? undefined : taskTimeout, ordered }
}

/** @throws TypeError unless `items` can be iterated, synchronously or not. */
export function checkItems(items: unknown): void {
  if (isAsyncIterable(items)) return
  if (typeof (items as Partial<Iterable<unknown>> | null | undefined)?.[Symbol.iterator] === 'function') return
  throw invalidType('items', 'an iterable or an async iterable', items)
}
