// `Pool`, after `multiprocessing.Pool`, the class that users hold: jobs, their results, and a life of three states.
//
//   applyAsync(fn, args) ──► CallJob ─┐
//   mapAsync(fn, items)  ──► MapJob ──┼──► CallFuture ──► PoolCore: as for the executor
//   imap(fn, items)      ──► ImapJob ─┘
//
// The core knows nothing of this class. It is closed when the last job of a closed pool is over: until then maps and
// iterators may still have calls to submit. `jobs.ts` and `cleanup.ts` tell what happens when a pool is dropped.

import { inspect } from 'node:util'

import { declareLocal } from '../codec/index.js'
import { InvalidStateError } from '../errors/index.js'
import type { Entry } from '../finalizers/entry.js'
import { ChunkSource } from '../host/chunk-source.js'
import { PoolCore } from '../host/core.js'
import { PoolEmitter, type ProcessPoolEvents } from '../host/events.js'
import type { NeededInitargs } from '../host/options.js'
import type { PoolStats } from '../host/stats.js'
import { argumentLists, isAsyncIterable } from '../map/input.js'
import { plainCall } from '../map/source.js'
import { MAP_OPTIONS } from '../map/option-names.js'
import { checkItems, checkMapOptions, mapCall, type MapOptions } from '../map/options.js'
import type { ItemOutcome } from '../map/outcome.js'
import type { TaskFunction } from '../tasks/index.js'
import { type OptionNames, optionNames } from '../util/options.js'
import { framesOf, recordStack } from '../util/stacks.js'
import { invalidType, validateFunction, validateInteger } from '../util/validate.js'
import { AsyncResult, ownCallbacks, type ResultCallbacks } from './async-result.js'
import { CallJob } from './call-job.js'
import { watchOver } from './cleanup.js'
import { ImapIterator } from './imap-iterator.js'
import { ImapJob } from './imap-job.js'
import { Jobs } from './jobs.js'
import { PoolLife, terminated } from './life.js'
import { MapJob } from './map-job.js'
import { type PoolOptions, resolvePoolOptions } from './options.js'

export type { PoolOptions } from './options.js'

/** Options of {@link Pool.mapAsync} and {@link Pool.starmapAsync}. */
export interface MapAsyncOptions<T> extends ResultCallbacks<T> {
  /** The number of items that travel and run together, as one call. Default: such that each worker gets four chunks. */
  chunksize?: number
}

/** Options of {@link Pool.imap} and {@link Pool.imapUnordered}: those of `map`, but the method says the order. */
export type ImapOptions = Omit<MapOptions, 'ordered'>

const MAP_ASYNC_OPTIONS = optionNames<MapAsyncOptions<never>>('mapAsync() and starmapAsync()', {
  chunksize: true,
  callback: true,
  errorCallback: true,
})

const { ordered: _, ...ofImap } = MAP_OPTIONS
const IMAP_OPTIONS = optionNames<ImapOptions>('imap() and imapUnordered()', ofImap)

/** The arguments of a function, followed by `Rest`. The arguments may be left out if the function needs none. */
export type ArgumentsOf<A extends unknown[], Rest extends unknown[] = []> = [] extends A
  ? [args?: readonly [...A], ...rest: Rest]
  : [args: readonly [...A], ...rest: Rest]

type Method = (...args: never[]) => unknown

/**
 * A fixed number of worker processes, all started at once. A worker that leaves is replaced. After Python's
 * `multiprocessing.Pool`.
 *
 * `I` are the parameters of the `initializer`, by which the compiler checks `initargs`; nothing else has this type.
 *
 * A worker that dies fails only the job that it ran. `close()` and `join()` end a pool and let its jobs finish.
 * `terminate()`, which `await using` calls, ends it at once. Unfinished jobs keep the program alive; an idle pool does
 * not.
 *
 * @example
 * const pool = new Pool(4)
 * const squares = await pool.map((n: number) => n * n, [1, 2, 3])
 * for await (const text of pool.imapUnordered(render, pages)) …
 * pool.close()
 * await pool.join()
 */
export class Pool<I extends unknown[] = any> implements AsyncDisposable {
  readonly #core: PoolCore
  readonly #emitter = new PoolEmitter()
  readonly #life: PoolLife
  readonly #jobs: Jobs
  readonly #finalizer: Entry

  /**
   * Starts all workers, or none.
   *
   * @param processes - The number of workers. Default: the number of processors that this process may use, within the
   * CPU quota of its control group.
   * @throws TypeError or RangeError that names the wrong argument; `WorkerSpawnError` when a worker cannot be started
   * (then none is left running); `SerializationError` when `initargs` cannot travel; `NestingError` in a worker ten
   * levels deep; `UnsupportedPlatformError` where pools cannot run.
   */
  constructor(processes?: number, options?: PoolOptions<I> & NeededInitargs<I>) {
    this.#core = new PoolCore(resolvePoolOptions(processes, options), this.#emitter)
    this.#core.startAll()
    const life = (this.#life = new PoolLife(this.#core, framesOf(recordStack(Pool)) ?? ''))
    this.#jobs = new Jobs(this, (count) => {
      life.unfinished = count
      if (count === 0 && life.state === 'CLOSE') life.core.close()
    })
    this.#finalizer = watchOver(this, life)
  }

  /**
   * Calls `fn(...args)` in a worker.
   *
   * @returns A promise of the value that `fn` returns or resolves to. It also rejects with the errors that
   * {@link applyAsync} throws.
   */
  async apply<A extends unknown[], R>(fn: TaskFunction<A, R>, ...[args]: ArgumentsOf<A>): Promise<Awaited<R>> {
    return this.#call(fn, args, undefined, this.apply)
  }

  /**
   * Calls `fn(...args)` in a worker.
   *
   * @returns The result of the call. Arguments that cannot travel fail the result.
   * @throws `InvalidStateError` (the pool is closed or terminated), `BrokenProcessPool`, `QueueFullError` (see
   * `maxQueue`), `WorkerSpawnError`; TypeError when `fn` is no task, `args` no array or a callback no function. Then
   * nothing of the call is kept.
   */
  applyAsync<A extends unknown[], R>(
    fn: TaskFunction<A, R>,
    ...[args, callbacks]: ArgumentsOf<A, [callbacks?: ResultCallbacks<Awaited<R>>]>
  ): AsyncResult<Awaited<R>> {
    return this.#call(fn, args, callbacks, this.applyAsync)
  }

  /**
   * Calls `fn` with each item.
   *
   * @param chunksize - The number of items that travel and run together. Default: such that each worker gets four
   * chunks.
   * @returns A promise of the results in the order of the items. It waits for all chunks, then rejects with the first
   * error if there was one. {@link mapAsync} gives all errors, {@link imap} also the results besides them.
   */
  async map<T, R>(fn: (item: T) => R, items: Iterable<T>, chunksize?: number): Promise<Awaited<R>[]> {
    if (chunksize !== undefined) validateInteger(chunksize, 'chunksize', 1)
    return this.#map<R>(fn, false, items, { chunksize }, this.map)
  }

  /**
   * Calls `fn` with each item as {@link map} does, and returns at once. The iterable is read to its end first.
   *
   * @throws Errors of the iterable, and errors as of {@link applyAsync} except `QueueFullError`: chunks wait for room.
   */
  mapAsync<T, R>(
    fn: (item: T) => R,
    items: Iterable<T>,
    options?: MapAsyncOptions<Awaited<R>[]>,
  ): AsyncResult<Awaited<R>[]> {
    return this.#map<R>(fn, false, items, options, this.mapAsync)
  }

  /** Does as {@link map} for a function of several arguments: each item is an array of arguments. */
  async starmap<A extends unknown[], R>(
    fn: TaskFunction<A, R>,
    items: Iterable<Readonly<NoInfer<A>>>,
    chunksize?: number,
  ): Promise<Awaited<R>[]> {
    if (chunksize !== undefined) validateInteger(chunksize, 'chunksize', 1)
    return this.#map<R>(fn, true, items, { chunksize }, this.starmap)
  }

  /** Does as {@link mapAsync} for a function of several arguments: each item is an array of arguments. */
  starmapAsync<A extends unknown[], R>(
    fn: TaskFunction<A, R>,
    items: Iterable<Readonly<NoInfer<A>>>,
    options?: MapAsyncOptions<Awaited<R>[]>,
  ): AsyncResult<Awaited<R>[]> {
    return this.#map<R>(fn, true, items, options, this.starmapAsync)
  }

  /**
   * Calls `fn` with each item, and yields the results in the order of the items, as they come. The input may be
   * asynchronous and endless: it is read `buffersize` items ahead of the consumer. An error of the input is raised
   * behind the results of the items before it.
   *
   * @throws As {@link applyAsync}.
   */
  imap<T, R>(
    fn: (item: T) => R,
    items: Iterable<T> | AsyncIterable<T>,
    options: ImapOptions & { settle: true },
  ): ImapIterator<ItemOutcome<T, Awaited<R>>>
  imap<T, R>(
    fn: (item: T) => R,
    items: Iterable<T> | AsyncIterable<T>,
    options?: ImapOptions & { settle?: false },
  ): ImapIterator<Awaited<R>>
  imap<T, R>(
    fn: (item: T) => R,
    items: Iterable<T> | AsyncIterable<T>,
    options?: ImapOptions,
  ): ImapIterator<Awaited<R> | ItemOutcome<T, Awaited<R>>>
  imap(
    fn: (item: any) => unknown,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    options?: ImapOptions,
  ): ImapIterator<any> {
    return this.#imap(fn, items, options, true, this.imap)
  }

  /** Does as {@link imap}, but yields each result as soon as it is there. */
  imapUnordered<T, R>(
    fn: (item: T) => R,
    items: Iterable<T> | AsyncIterable<T>,
    options: ImapOptions & { settle: true },
  ): ImapIterator<ItemOutcome<T, Awaited<R>>>
  imapUnordered<T, R>(
    fn: (item: T) => R,
    items: Iterable<T> | AsyncIterable<T>,
    options?: ImapOptions & { settle?: false },
  ): ImapIterator<Awaited<R>>
  imapUnordered<T, R>(
    fn: (item: T) => R,
    items: Iterable<T> | AsyncIterable<T>,
    options?: ImapOptions,
  ): ImapIterator<Awaited<R> | ItemOutcome<T, Awaited<R>>>
  imapUnordered(
    fn: (item: any) => unknown,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    options?: ImapOptions,
  ): ImapIterator<any> {
    return this.#imap(fn, items, options, false, this.imapUnordered)
  }

  /** Takes no more jobs. Unfinished jobs finish, then the workers leave. May be called again. */
  close(): void {
    const life = this.#life
    if (life.state !== 'RUN') return
    life.state = 'CLOSE'
    if (life.unfinished === 0) this.#core.close()
  }

  /**
   * Kills the workers and all processes that they started. Every unfinished job fails with `PoolTerminatedError` before
   * this method returns; an iterator first yields the results that are there. May be called again, and from anywhere.
   *
   * @returns A promise that resolves when the workers are gone.
   */
  terminate(): Promise<void> {
    const life = this.#life
    if (life.state !== 'TERMINATE') {
      life.state = 'TERMINATE'
      this.#finalizer.cancel()
      // Results that are there are delivered first. A map that has failed in part still gets the pool's error.
      this.#core.terminate(true)
      this.#jobs.abort(terminated)
      this.#core.failAll(terminated)
    }
    return this.#core.stopped()
  }

  /**
   * Waits until the workers of a closed or terminated pool are gone. For that, the inputs of iterators are read to
   * their ends, whether their results are taken or not. If there are many results, take them first.
   *
   * @returns A promise that resolves when the workers are gone; it rejects with `InvalidStateError` while the pool
   * runs.
   */
  async join(): Promise<void> {
    if (this.#life.state === 'RUN') throw new InvalidStateError('Pool is still running')
    this.#jobs.readOn()
    await this.#core.stopped()
  }

  /** Calls `terminate()`, for `await using`. If unfinished jobs are lost by that, a process warning tells. */
  async [Symbol.asyncDispose](): Promise<void> {
    const warning = this.#life.jobsLost('The pool was disposed of')
    const gone = this.terminate()
    if (warning !== undefined) process.emitWarning(warning)
    await gone
  }

  /**
   * Resolves when the queue has room for a call, in the order of the calls of this method; see the option `maxQueue`.
   * The room is kept for the call that follows until the end of the next turn of the event loop.
   */
  ready(): Promise<void> {
    try {
      this.#assertRunning()
    } catch (error) {
      return Promise.reject(error)
    }
    return this.#core.ready()
  }

  /** Numbers of calls and workers, present and past. A chunk of a map counts as one call. */
  stats(): PoolStats {
    return this.#core.stats()
  }

  /** Rings, states and process ids as text, for the search why nothing happens. */
  dumpState(): string {
    return `${this}\n${this.#core.dump()}`
  }

  /** Lets unfinished jobs keep the event loop alive. This is the default. */
  ref(): this {
    this.#core.setReferenced(true)
    return this
  }

  /** Lets nothing of this pool keep the event loop alive. */
  unref(): this {
    this.#core.setReferenced(false)
    return this
  }

  /** Adds a listener. */
  on<K extends keyof ProcessPoolEvents>(event: K, listener: (...args: ProcessPoolEvents[K]) => void): this {
    this.#emitter.on(event, listener)
    return this
  }

  /** Adds a listener that is called at most once. */
  once<K extends keyof ProcessPoolEvents>(event: K, listener: (...args: ProcessPoolEvents[K]) => void): this {
    this.#emitter.once(event, listener)
    return this
  }

  /** Removes a listener. */
  off<K extends keyof ProcessPoolEvents>(event: K, listener: (...args: ProcessPoolEvents[K]) => void): this {
    this.#emitter.off(event, listener)
    return this
  }

  /** Does as {@link off}, under the name that `events.once()` uses. */
  removeListener<K extends keyof ProcessPoolEvents>(event: K, listener: (...args: ProcessPoolEvents[K]) => void): this {
    return this.off(event, listener)
  }

  get [Symbol.toStringTag](): string {
    return 'Pool'
  }

  /** For example `<Pool state=RUN pool_size=4>`. */
  toString(): string {
    return this.#life.toString()
  }

  [inspect.custom](): string {
    return this.toString()
  }

  #assertRunning(): void {
    if (this.#life.state !== 'RUN') throw new InvalidStateError('Pool not running')
    this.#core.assertOpen()
  }

  #call<R>(
    fn: TaskFunction<any[], R>,
    args: readonly unknown[] = [],
    callbacks: ResultCallbacks<Awaited<R>> | undefined,
    caller: Method,
  ): AsyncResult<Awaited<R>> {
    this.#assertRunning()
    const own = ownCallbacks(callbacks)
    const plan = { caller, flags: 0, moving: undefined, prepare: undefined }
    const future = this.#core.call<Awaited<R>>(fn, args, plan)
    const result = AsyncResult.make<Awaited<R>>(own)
    new CallJob(this.#jobs, future, result)
    return result
  }

  #map<R>(
    fn: Method,
    spread: boolean,
    items: Iterable<unknown>,
    options: MapAsyncOptions<Awaited<R>[]> | undefined,
    caller: Method,
  ): AsyncResult<Awaited<R>[]> {
    this.#assertRunning()
    validateFunction(fn, 'fn')
    const own = ownCallbacks(options, MAP_ASYNC_OPTIONS as OptionNames<MapAsyncOptions<Awaited<R>[]>>)
    const { chunksize } = own
    if (chunksize !== undefined) validateInteger(chunksize, 'options.chunksize', 1)
    checkItems(items)
    if (isAsyncIterable(items)) throw invalidType('items', 'an iterable, not an asynchronous one: use imap()', items)
    const source = new ChunkSource<Awaited<R>>(this.#core, fn, plainCall(spread), {
      maxWorkers: this.#core.size,
      caller,
    })
    const list = [...((spread ? argumentLists(items) : items) as Iterable<unknown>)]
    // The iterable's code may have closed the pool.
    this.#assertRunning()
    const result = AsyncResult.make<Awaited<R>[]>(own)
    new MapJob<Awaited<R>>(this.#jobs, list.length, result).start(source, list, chunksize)
    return result
  }

  #imap(
    fn: Method,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    options: ImapOptions | undefined,
    ordered: boolean,
    caller: Method,
  ): ImapIterator<any> {
    this.#assertRunning()
    validateFunction(fn, 'fn')
    checkItems(items)
    const checked = { ...checkMapOptions(options, IMAP_OPTIONS), ordered }
    const core = this.#core
    const job = new ImapJob<unknown>(this.#jobs)
    const results = job.start(
      (calls) => new ChunkSource(core, fn, mapCall(checked, false), { ...calls, maxWorkers: core.size, caller }),
      items,
      checked,
    )
    return ImapIterator.over(results)
  }
}

declareLocal(Pool.prototype, 'is a Pool: pool objects cannot be passed between processes')
