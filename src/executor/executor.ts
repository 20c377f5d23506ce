import { availableParallelism } from 'node:os'

import type { Future } from '../futures/future.js'
import { argumentLists } from '../map/input.js'
import { MapIterator, type MapOptions } from '../map/iterator.js'
import { checkItems, checkMapOptions } from '../map/options.js'
import type { MapCall, MapSource } from '../map/source.js'
import { SingleCalls } from '../map/single-calls.js'
import type { TaskFunction } from '../tasks/index.js'
import { invalidValue, validateFunction } from '../util/validate.js'

/** Options of {@link Executor.shutdown} that every executor knows. */
export interface ExecutorShutdownOptions {
  /** Whether the promise resolves only when everything has ended. Default: true. */
  wait?: boolean
  /** Cancels the calls that have not begun. Default: false. */
  cancelFutures?: boolean
}

/**
 * What executors have in common. An executor implements `submit` and `shutdown`, with futures that it settles; `map`
 * and the rest follow from those.
 *
 * @example
 * await using executor = new SomeExecutor()
 * const future = executor.submit(task, 1, 2)
 */
export abstract class Executor implements AsyncDisposable {
  /**
   * Calls `fn(...args)` somewhere else.
   *
   * @throws ShutdownError, BrokenExecutor or QueueFullError when the call is not accepted.
   */
  abstract submit<A extends unknown[], R>(fn: TaskFunction<A, R>, ...args: A): Future<Awaited<R>>

  /** Takes no more calls, and lets those that there are finish. May be called again, and from anywhere. */
  abstract shutdown(options?: ExecutorShutdownOptions): Promise<void>

  /** Resolves when `submit` has room for another call. */
  ready(): Promise<void> {
    return Promise.resolve()
  }

  /**
   * Calls `fn` with each item of an iterable, and yields the results in the order of the items. One item's failure does
   * not concern the others: see {@link MapIterator}.
   *
   * A synchronous iterable is read at the call unless there is a `buffersize`; give one for an endless iterable.
   *
   * @throws What the iterable throws while it is read here, and what `submit` throws.
   */
  map<T, R>(fn: (item: T) => R, items: Iterable<T> | AsyncIterable<T>, options?: MapOptions): MapIterator<Awaited<R>> {
    validateFunction(fn, 'fn')
    checkItems(items)
    const checked = checkMapOptions(options)
    const source = this.mapSource<Awaited<R>>(fn, { spread: false, taskTimeout: checked.taskTimeout })
    return MapIterator.start(source, items, checked)
  }

  /** {@link map} for a function of several arguments: each item is an array of them. */
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

  /** `shutdown()`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown()
  }

  /**
   * How `map` runs its calls. The default submits each item by itself; an executor that can run many at once overrides
   * this.
   */
  protected mapSource<R>(fn: TaskFunction, call: MapCall): MapSource<unknown, R> {
    if (call.taskTimeout !== undefined) {
      throw invalidValue('options.taskTimeout', 'absent: this executor cannot stop a call', call.taskTimeout)
    }
    return new SingleCalls<R>(this, fn, call.spread, availableParallelism())
  }
}
