// The executor over worker processes, as its users see it:
//
//   submit(fn, …args) ──► CallFuture ──► PoolCore ──► native pool ══ shared memory ══► worker k: take, run, post
//        ▲                                  │
//        └── settles ◄── decode ◄── drain ◄─┘   one callback on Node's event loop
//
// This class checks, and hands over to its `PoolCore`. Only users hold it: when they let go of it without `shutdown()`,
// its calls still finish, and then its workers leave.

import { declareLocal } from '../codec/index.js'
import { ChunkSource } from '../host/chunk-source.js'
import { CancelledError, TimeoutError } from '../errors/index.js'
import { PoolEmitter, type ProcessPoolEvents } from '../host/events.js'
import { Executor } from './executor.js'
import type { Future } from '../futures/future.js'
import type { MapCall, MapSource } from '../map/source.js'
import { type ProcessPoolOptions, resolveOptions } from '../host/options.js'
import { PoolCore } from '../host/core.js'
import { applyRunOptions, cancelOnAbort, type RunOptions } from './run-options.js'
import { checkShutdown, type ShutdownOptions, withinTime } from './shutdown.js'
import type { PoolStats } from '../host/stats.js'
import type { TaskFunction } from '../tasks/index.js'

/** Cores of executors that users have let go of finish what they have, and stop. */
const dropped = new FinalizationRegistry<PoolCore>((core) => core.close())

/**
 * Runs functions in worker processes.
 *
 * Workers start as calls need them and are reused; an idle executor does not keep the program alive, unfinished calls
 * do.
 *
 * @example
 * await using pool = new ProcessPoolExecutor({ maxWorkers: 4 })
 * const sum = await pool.submit((a: number, b: number) => a + b, 1, 2)
 */
export class ProcessPoolExecutor extends Executor {
  readonly #core: PoolCore
  readonly #emitter = new PoolEmitter()

  /**
   * @throws TypeError or RangeError that names the wrong option; `SerializationError` when `initargs` cannot travel;
   * `NestingError` in a worker ten levels deep; `WorkerSpawnError` when the system has no descriptors or memory for a
   * pool; `UnsupportedPlatformError` where pools cannot run.
   */
  constructor(options?: ProcessPoolOptions) {
    super()
    this.#core = new PoolCore(resolveOptions(options), this.#emitter)
    dropped.register(this, this.#core)
  }

  /**
   * Calls `fn(...args)` in a worker process.
   *
   * @returns A future of what it returns or resolves to. Arguments that cannot travel fail the future.
   * @throws `ShutdownError`, `BrokenProcessPool`, `QueueFullError`, `WorkerSpawnError` (no worker could be started) or
   * `TypeError` (`fn` cannot be a task): then nothing of the call is kept.
   */
  override submit<A extends unknown[], R>(fn: TaskFunction<A, R>, ...args: A): Future<Awaited<R>> {
    return this.#core.call(fn, args, { caller: this.submit })
  }

  /**
   * {@link submit} with options.
   *
   * @throws As `submit`, and TypeError or RangeError that names a wrong option.
   */
  run<A extends unknown[], R>(fn: TaskFunction<A, R>, args: readonly [...A], options?: RunOptions): Future<Awaited<R>> {
    const core = this.#core
    const future = core.call<Awaited<R>>(fn, args, {
      caller: this.run,
      moving: options?.transfer,
      prepare: (unsent) => {
        applyRunOptions(unsent, options)
        const signal = options?.signal
        if (!signal?.aborted) return
        core.cancelUnsent(unsent, new CancelledError('The signal is aborted already', { cause: signal.reason }))
      },
    })
    if (options?.signal !== undefined) cancelOnAbort(future, options.signal)
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
   * Takes no more calls, lets those that there are finish, and the workers leave. May be called again, and from
   * anywhere.
   *
   * @returns A promise that resolves when all workers are gone, or with `wait: false` at once.
   */
  override async shutdown(options?: ShutdownOptions): Promise<void> {
    const { wait = true, cancelFutures = false, timeout, kill = false } = checkShutdown(options)
    const core = this.#core
    core.close()
    // Closed first: a callback of a cancelled future cannot submit in its place.
    if (cancelFutures) core.cancelWaiting()
    if (kill && timeout === undefined) core.terminate(true)
    if (!wait) return
    if (timeout === undefined || timeout === Infinity) return core.stopped()
    if (await withinTime(core.stopped(), timeout)) return
    if (!kill) throw new TimeoutError(`The executor was not shut down within ${timeout} ms; it goes on draining`)
    core.terminate(true)
    await core.stopped()
  }

  /** Stops everything by SIGTERM, and by SIGKILL after 5 s: running calls fail with `WorkerTerminatedError`. */
  async terminateWorkers(): Promise<void> {
    this.#core.terminate(false)
    await this.#core.stopped()
  }

  /** Stops everything by SIGKILL: running calls fail with `WorkerTerminatedError`, others are cancelled. */
  async killWorkers(): Promise<void> {
    this.#core.terminate(true)
    await this.#core.stopped()
  }

  /** Resolves when the queue has room for a call; see the option `maxQueue`. */
  override ready(): Promise<void> {
    return this.#core.ready()
  }

  /** What the pool does and has done. */
  stats(): PoolStats {
    return this.#core.stats()
  }

  /** Rings, states and process ids as text, for somebody who wants to know why nothing happens. */
  dumpState(): string {
    return this.#core.dump()
  }

  /** Unfinished calls keep the event loop alive: the default. */
  ref(): this {
    this.#core.setReferenced(true)
    return this
  }

  /** Nothing of this executor keeps the event loop alive. */
  unref(): this {
    this.#core.setReferenced(false)
    return this
  }

  /** Adds a listener. */
  on<K extends keyof ProcessPoolEvents>(event: K, listener: (...args: ProcessPoolEvents[K]) => void): this {
    this.#emitter.on(event, listener)
    return this
  }

  /** Adds a listener for one time. */
  once<K extends keyof ProcessPoolEvents>(event: K, listener: (...args: ProcessPoolEvents[K]) => void): this {
    this.#emitter.once(event, listener)
    return this
  }

  /** Removes a listener. */
  off<K extends keyof ProcessPoolEvents>(event: K, listener: (...args: ProcessPoolEvents[K]) => void): this {
    this.#emitter.off(event, listener)
    return this
  }

  /** {@link off} under the name that `events.once()` uses. */
  removeListener<K extends keyof ProcessPoolEvents>(event: K, listener: (...args: ProcessPoolEvents[K]) => void): this {
    return this.off(event, listener)
  }

  /** Chunks of items travel as single calls. */
  protected override mapSource<R>(fn: TaskFunction, call: MapCall): MapSource<unknown, R> {
    return new ChunkSource<R>(this.#core, fn, call, { maxWorkers: this.#core.size, caller: this.map, holder: this })
  }
}

declareLocal(ProcessPoolExecutor.prototype, 'is a ProcessPoolExecutor: executors cannot be passed between processes')
