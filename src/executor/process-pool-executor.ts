// The executor over worker processes, the class that users hold.
//
//   submit(fn, …args) ──► CallFuture ──► PoolCore ──► native pool ══ shared memory ══► worker k: take, run, commit
//        ▲                                  │
//        └── settles ◄── decode ◄── drain ◄─┘   one callback on Node's event loop
//
// This class checks arguments and hands over to its `PoolCore`. Only users hold it: when they drop it without
// `shutdown()`, its calls still finish, and then its workers leave.

import { declareLocal } from '../codec/index.js'
import { CancelledError, TimeoutError, withLabel } from '../errors/index.js'
import type { Future } from '../futures/future.js'
import { type ReadyOptions, readySignal } from '../futures/wait-options.js'
import { RetryPolicy } from '../futures/retry-policy.js'
import { ChunkSource } from '../host/chunk-source.js'
import { type CallPlan, PoolCore } from '../host/core.js'
import { PoolEmitter, type ProcessPoolEvents } from '../host/events.js'
import { type NeededInitargs, type ProcessPoolOptions, resolveOptions } from '../host/options.js'
import type { PoolStats } from '../host/stats.js'
import type { MapCall, MapSource } from '../map/source.js'
import type { TaskFunction } from '../tasks/index.js'
import { Executor } from './executor.js'
import { applyRunOptions, cancelOnAbort, ownRunOptions, type RunOptions } from './run-options.js'
import { checkShutdown, type ShutdownOptions, withinTime } from './shutdown.js'

/** Closes the cores of executors that users have dropped: their calls finish, then they stop. */
const dropped = new FinalizationRegistry<PoolCore>((core) => core.close())

/**
 * Runs functions in worker processes.
 *
 * `I` are the parameters of the `initializer`, by which the compiler checks `initargs`; nothing else has this type.
 *
 * Workers are started when calls need them, and are used again. Unfinished calls keep the program alive; an idle
 * executor does not.
 *
 * @example
 * await using pool = new ProcessPoolExecutor({ maxWorkers: 4 })
 * const sum = await pool.submit((a: number, b: number) => a + b, 1, 2)
 */
export class ProcessPoolExecutor<I extends unknown[] = any> extends Executor {
  readonly #core: PoolCore
  readonly #emitter = new PoolEmitter()

  /**
   * @throws TypeError or RangeError that names the wrong option; `SerializationError` when `initargs` cannot travel;
   * `NestingError` in a worker ten levels deep; `WorkerSpawnError` when the system has no descriptors or memory for a
   * pool; `UnsupportedPlatformError` where pools cannot run.
   */
  constructor(options?: ProcessPoolOptions<I> & NeededInitargs<I>) {
    super()
    this.#core = new PoolCore(resolveOptions(options), this.#emitter)
    dropped.register(this, this.#core)
  }

  /**
   * Calls `fn(...args)` in a worker process.
   *
   * @returns A future of the value that `fn` returns or resolves to. Arguments that cannot travel fail the future.
   * @throws `ShutdownError`, `BrokenProcessPool`, `QueueFullError`, `WorkerSpawnError` (no worker could be started) or
   * `TypeError` (`fn` cannot be a task). Then nothing of the call is kept.
   */
  override submit<A extends unknown[], R>(fn: TaskFunction<A, R>, ...args: A): Future<Awaited<R>> {
    return this.#core.call(fn, args, { caller: this.submit, flags: 0, moving: undefined, prepare: undefined })
  }

  /**
   * Calls `fn(...args)` in a worker process as {@link submit} does, with options for this call. Arguments may be left
   * out where the function needs none.
   *
   * @throws As `submit`; TypeError or RangeError that names a wrong option.
   */
  run<A extends unknown[], R>(fn: TaskFunction<A, R>, args: readonly [...A], options?: RunOptions): Future<Awaited<R>>
  run<R>(fn: TaskFunction<[], R>, args?: undefined, options?: RunOptions): Future<Awaited<R>>
  run<R>(fn: TaskFunction<never[], R>, args: readonly unknown[] = [], options?: RunOptions): Future<Awaited<R>> {
    const core = this.#core
    core.assertOpen()
    const own = ownRunOptions(options)
    const { signal, transfer: moving } = own
    const policy = RetryPolicy.of(own.retries)
    const plan: CallPlan = {
      caller: this.run,
      flags: 0,
      moving,
      prepare: (unsent) => {
        applyRunOptions(unsent, own, policy)
        if (!signal?.aborted) return
        const error = new CancelledError('The signal is aborted already', { cause: signal.reason })
        core.cancelUnsent(unsent, withLabel(error, unsent.label))
      },
    }
    const future =
      policy === undefined || policy.isPlain
        ? core.call<Awaited<R>>(fn, args, plan)
        : core.callRepeatedly<Awaited<R>>(fn, args, plan, policy)
    if (signal !== undefined) cancelOnAbort(future, signal)
    return future
  }

  /**
   * See `SharedBuffer.allocate()`.
   *
   * @internal
   */
  allocateBlock(bytes: number): ArrayBuffer | null {
    this.#core.assertOpen()
    return this.#core.allocate(bytes)
  }

  /**
   * Takes no more calls. Accepted calls finish, then the workers leave. May be called again, and from anywhere.
   *
   * @returns A promise that resolves when all workers are gone; with `wait: false` at once.
   */
  override async shutdown(options?: ShutdownOptions): Promise<void> {
    const { wait = true, cancelFutures = false, timeout, kill = false } = checkShutdown(options)
    const core = this.#core
    core.close()
    // `close()` came first: so the callback of a cancelled future cannot submit another call.
    if (cancelFutures) core.cancelWaiting()
    if (kill && timeout === undefined) core.terminate(true)
    if (!wait) return
    if (timeout === undefined || timeout === Infinity) return core.stopped()
    if (await withinTime(core.stopped(), timeout)) return
    if (!kill) throw new TimeoutError(`The executor was not shut down within ${timeout} ms; it goes on draining`)
    core.terminate(true)
    await core.stopped()
  }

  /**
   * Stops everything by SIGTERM, and after 5 s by SIGKILL. Running calls fail with `WorkerTerminatedError`, waiting
   * calls are cancelled.
   */
  async terminateWorkers(): Promise<void> {
    this.#core.terminate(false)
    await this.#core.stopped()
  }

  /** Stops everything by SIGKILL. Running calls fail with `WorkerTerminatedError`, waiting calls are cancelled. */
  async killWorkers(): Promise<void> {
    this.#core.terminate(true)
    await this.#core.stopped()
  }

  /**
   * Resolves when the queue has room for a call, in the order of the calls of this method; see the option `maxQueue`.
   * The room is kept for the call that follows until the end of the next turn of the event loop.
   *
   * Rejects with the reason of `options.signal` when that is aborted; those who wait behind are then next.
   */
  override ready(options?: ReadyOptions): Promise<void> {
    // No async function: the room is given to the reaction of this very promise.
    try {
      return this.#core.ready(readySignal(options))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Numbers of calls and workers, present and past. */
  stats(): PoolStats {
    return this.#core.stats()
  }

  /** Rings, states and process ids as text, for the search why nothing happens. */
  dumpState(): string {
    return this.#core.dump()
  }

  /** Lets unfinished calls keep the event loop alive. This is the default. */
  ref(): this {
    this.#core.setReferenced(true)
    return this
  }

  /** Lets nothing of this executor keep the event loop alive. */
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

  /** Makes each chunk of items a single call. */
  protected override mapSource<R>(fn: TaskFunction, call: MapCall): MapSource<unknown, R> {
    return new ChunkSource<R>(this.#core, fn, call, { maxWorkers: this.#core.size, caller: this.map, holder: this })
  }
}

declareLocal(ProcessPoolExecutor.prototype, 'is a ProcessPoolExecutor: executors cannot be passed between processes')
