// The base class of executors: `map` and the rest, over `submit`.

import { availableParallelism } from 'node:os'

import type { Future } from '../futures/future.js'
import { type ReadyOptions, readySignal } from '../futures/wait-options.js'
import { argumentLists } from '../map/input.js'
import { MapIterator } from '../map/iterator.js'
import { checkItems, checkMapOptions, type MapOptions, mapCall } from '../map/options.js'
import type { ItemOutcome } from '../map/outcome.js'
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
   * does not affect the others: see {@link MapIterator}. Input of any length, also an endless one, is read as far ahead
   * as `buffersize` says.
   *
   * @throws TypeError or RangeError for a wrong argument, and the errors of `submit` if the first call is not accepted.
   * A failure of the input comes behind the results of the items before it.
   *
   * @example
   * for await (const row of pool.map(parse, lines)) …
   * for await (const { status, item, reason } of pool.map(parse, lines, { settle: true })) …
   * const rows = await pool.map(parse, lines).toArray()
   */
  map<T, R>(
    fn: (item: T) => R,
    items: Iterable<T> | AsyncIterable<T>,
    options: MapOptions & { settle: true },
  ): MapIterator<ItemOutcome<T, Awaited<R>>>
  map<T, R>(
    fn: (item: T) => R,
    items: Iterable<T> | AsyncIterable<T>,
    options?: MapOptions & { settle?: false },
  ): MapIterator<Awaited<R>>
  map<T, R>(
    fn: (item: T) => R,
    items: Iterable<T> | AsyncIterable<T>,
    options?: MapOptions,
  ): MapIterator<Awaited<R> | ItemOutcome<T, Awaited<R>>>
  map(
    fn: (item: any) => unknown,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    options?: MapOptions,
  ): MapIterator<any> {
    validateFunction(fn, 'fn')
    checkItems(items)
    const checked = checkMapOptions(options)
    return MapIterator.start(this.mapSource(fn, mapCall(checked, false)), items, checked)
  }

  /** Does as {@link map} for a function of several arguments: each item is an array of arguments. */
  starmap<A extends unknown[], R>(
    fn: TaskFunction<A, R>,
    items: Iterable<Readonly<NoInfer<A>>> | AsyncIterable<Readonly<NoInfer<A>>>,
    options: MapOptions & { settle: true },
  ): MapIterator<ItemOutcome<A, Awaited<R>>>
  starmap<A extends unknown[], R>(
    fn: TaskFunction<A, R>,
    items: Iterable<Readonly<NoInfer<A>>> | AsyncIterable<Readonly<NoInfer<A>>>,
    options?: MapOptions & { settle?: false },
  ): MapIterator<Awaited<R>>
  starmap<A extends unknown[], R>(
    fn: TaskFunction<A, R>,
    items: Iterable<Readonly<NoInfer<A>>> | AsyncIterable<Readonly<NoInfer<A>>>,
    options?: MapOptions,
  ): MapIterator<Awaited<R> | ItemOutcome<A, Awaited<R>>>
  starmap(
    fn: TaskFunction<any[]>,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    options?: MapOptions,
  ): MapIterator<any> {
    validateFunction(fn, 'fn')
    checkItems(items)
    const checked = checkMapOptions(options)
    return MapIterator.start(this.mapSource(fn, mapCall(checked, true)), argumentLists(items), checked)
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
    for (const name of ['taskTimeout', 'grace'] as const) {
      const value = call[name]
      if (value !== undefined) throw invalidValue(`options.${name}`, 'absent: this executor cannot stop a call', value)
    }
    if (call.label !== undefined) {
      throw invalidValue('options.label', 'absent: this executor has no names for calls', call.label)
    }
    return new SingleCalls<R>(this, fn, call, availableParallelism())
  }
}
