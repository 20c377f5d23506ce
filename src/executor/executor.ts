// The base class of executors: `map` and the rest, over `submit`.

import { availableParallelism } from 'node:os'

import type { Future } from '../futures/future.js'
import { type ReadyOptions, readySignal } from '../futures/wait-options.js'
import { argumentLists } from '../map/input.js'
import { MapIterator, type MapOptions } from '../map/iterator.js'
import { checkItems, checkMapOptions } from '../map/options.js'
import { SingleCalls } from '../map/single-calls.js'
import type { MapCall, MapSource } from '../map/source.js'
import type { TaskFunction } from '../tasks/index.js'
import { invalidValue, validateFunction } from '../util/validate.js'

/** Options of {@link Executor.shutdown} that every executor has. */
export interface ExecutorShutdownOptions {
  /** Whether the promise resolves only when everything has ended. Default: true. */
  wait?: boolean
  /** Cancel the calls that have not begun. Default: false. */
  cancelFutures?: boolean
}

/**
 * The base class of executors. A subclass implements `submit` and `shutdown`, and settles the futures that it returns;
 * `map` and the other methods build on these two.
 *
 * @example
 * await using executor = new SomeExecutor()
 * const future = executor.submit(task, 1, 2)
 */
export abstract class Executor implements AsyncDisposable {
  /**
   * Calls `fn(...args)` somewhere else.
   *
   * @returns A future of the value that `fn` returns or resolves to.
   * @throws ShutdownError, BrokenExecutor or QueueFullError when the call is not accepted.
   */
  abstract submit<A extends unknown[], R>(fn: TaskFunction<A, R>, ...args: A): Future<Awaited<R>>

  /** Takes no more calls; accepted calls finish. May be called again, and from anywhere. */
  abstract shutdown(options?: ExecutorShutdownOptions): Promise<void>

  /** Resolves when `submit` has room for another call. */
  async ready(options?: ReadyOptions): Promise<void> {
    const signal = readySignal(options)
    if (signal?.aborted) throw signal.reason
  }

  /**
   * Calls `fn` with each item of an iterable, and yields the results in the order of the items. The failure of one item
   * does not affect the others: see {@link MapIterator}.
   *
   * Without `buffersize`, a synchronous iterable is read to its end at the call: an endless iterable needs a
   * `buffersize`.
   *
   * @throws TypeError or RangeError for a wrong argument, errors of the iterable while it is read here, and errors of
   * `submit`.
   */
  map<T, R>(fn: (item: T) => R, items: Iterable<T> | AsyncIterable<T>, options?: MapOptions): MapIterator<Awaited<R>> {
    validateFunction(fn, 'fn')
    checkItems(items)
    const checked = checkMapOptions(options)
    const source = this.mapSource<Awaited<R>>(fn, { spread: false, taskTimeout: checked.taskTimeout })
    return MapIterator.start(source, items, checked)
  }

  /** Does as {@link map} for a function of several arguments: each item is an array of arguments. */
  starmap<A extends unknown[], R>(
    fn: TaskFunction<A, R>,
    items: Iterable<Readonly<NoInfer<A>>> | AsyncIterable<Readonly<NoInfer<A>>>,
    options?: MapOptions,
  ): MapIterator<Awaited<R>> {
    validateFunction(fn, 'fn')
    checkItems(items)
    const checked = checkMapOptions(options)
    const source = this.mapSource<Awaited<R>>(fn, { spread: true, taskTimeout: checked.taskTimeout })
    return MapIterator.start(source, argumentLists(items), checked)
  }

  /** Calls `shutdown()`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown()
  }

  /**
   * The source that runs the calls of `map`. This one submits each item as a call of its own; an executor that can run
   * many items at once overrides this method.
   */
  protected mapSource<R>(fn: TaskFunction, call: MapCall): MapSource<unknown, R> {
    if (call.taskTimeout !== undefined) {
      throw invalidValue('options.taskTimeout', 'absent: this executor cannot stop a call', call.taskTimeout)
    }
    return new SingleCalls<R>(this, fn, call.spread, availableParallelism())
  }
}
