// The executor over worker processes, as its users see it:
//
//   submit(fn, …args) ──► CallFuture ──► PoolCore ──► native pool ══ shared memory ══► worker k: take, run, post
//        ▲                                  │
//        └── settles ◄── decode ◄── drain ◄─┘   one callback on Node's event loop
//
// This class checks, and hands over to its `PoolCore`. Only users hold it: when they let go of it without `shutdown()`,
// its calls still finish, and then its workers leave.

import { EventEmitter } from 'node:events'

import { declareLocal } from '../codec/index.js'
import { CallFuture } from '../host/call-future.js'
import { ChunkSource } from '../host/chunk-source.js'
import { type BrokenProcessPool, CancelledError, TimeoutError } from '../errors/index.js'
import { Executor, type MapCall } from './executor.js'
import type { Future } from '../futures/future.js'
import type { MapSource } from '../map/source.js'
import { type ProcessPoolOptions, resolveOptions } from '../host/options.js'
import { PoolCore } from '../host/core.js'
import { applyRunOptions, cancelOnAbort, checkTransfer } from './run-options.js'
import { checkShutdown, withinTime } from './shutdown.js'
import type { PoolStats } from '../host/stats.js'
import type { TaskFunction } from '../tasks/index.js'
import { invalidType } from '../util/validate.js'

/** Options of {@link ProcessPoolExecutor.run}. */
export interface RunOptions {
  /** Cancels the call: at once if it waits, by stopping its worker if it runs. */
  signal?: AbortSignal
  /** Milliseconds that the call may run, from when a worker claims it. Default: no limit. */
  timeout?: number
  /** Milliseconds from the abort of `taskContext().signal` to SIGTERM when the call is stopped. Default: 0. */
  grace?: number
  /**
   * How often the call is repeated after its worker died (with `onWorkerDeath: 'isolate'`; else that breaks the executor) or
   * after `timeout`, which holds for each attempt. One attempt is over before the next one starts, behind all calls that wait;
   * the last one's error is the call's. What a task throws and `process.exit()` in it repeat nothing. The arguments are kept in
   * memory until the call is over. Default: 0.
   */
  retries?: number
  /** Names the call in errors, beside the task. */
  label?: string
  /**
   * ArrayBuffers that the call takes along, as `postMessage` does: detached here as soon as the call is taken. A {@link SharedBuffer}
   * is not copied. Not together with `retries`, if it is to move without a copy.
   */
  transfer?: readonly ArrayBuffer[]
}

/** Options of {@link ProcessPoolExecutor.shutdown}. */
export interface ShutdownOptions {
  /** Whether the promise resolves only when all workers are gone. Default: true. */
  wait?: boolean
  /** Cancels what no worker has claimed, before `shutdown()` returns. Default: false. */
  cancelFutures?: boolean
  /**
   * Rejects with a `TimeoutError` after so many milliseconds, and goes on draining; with `kill` it kills then and resolves.
   */
  timeout?: number
  /** Kills the workers and all that they started: at once, or when `timeout` has passed. Default: false. */
  kill?: boolean
}

/** Why a worker left. */
export type WorkerExitReason = 'shutdown' | 'recycled' | 'idle' | 'killed' | 'died' | 'failed-start'

/** The events of a {@link ProcessPoolExecutor}, with the arguments of their listeners. */
export interface ProcessPoolEvents {
  /** A worker process was started. */
  workerStart: [info: { pid: number; workerId: number }]
  /** A worker process has ended and is reaped. */
  workerExit: [
    info: {
      pid: number
      workerId: number
      exitCode: number | null
      signal: NodeJS.Signals | null
      reason: WorkerExitReason
    },
  ]
  /** A worker was started in the place of one that left. */
  workerReplace: [info: { oldPid: number; newPid: number; reason: WorkerExitReason }]
  /** The executor broke; once. */
  broken: [error: BrokenProcessPool]
  /** The queue has room again after it was full. */
  drain: []
  /** Something went wrong that the executor survives. Without a listener it is a process warning. */
  warning: [error: Error]
}

/** Cores of executors that users have let go of finish what they have, and stop. */
const dropped = new FinalizationRegistry<PoolCore>((core) => core.close())

/**
 * Runs functions in worker processes.
 *
 * Workers start as calls need them and are reused; an idle executor does not keep the program alive, unfinished calls do.
 *
 * @example
 * await using pool = new ProcessPoolExecutor({ maxWorkers: 4 })
 * const sum = await pool.submit((a: number, b: number) => a + b, 1, 2)
 */
export class ProcessPoolExecutor extends Executor {
  readonly #core: PoolCore
  readonly #emitter = new EventEmitter()

  /**
   * @throws TypeError or RangeError that names the wrong option; `SerializationError` when `initargs` cannot travel;
   * `NestingError` in a worker ten levels deep; `WorkerSpawnError` when the system has no descriptors or memory for a pool;
   * `UnsupportedPlatformError` where pools cannot run.
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
    const core = this.#core
    core.assertOpen()
    const future = new CallFuture<Awaited<R>>(core, core.tasks.entry(fn))
    core.send(future, args, 0, this.submit)
    return future
  }

  /**
   * {@link submit} with options.
   *
   * @throws As `submit`, and TypeError or RangeError that names a wrong option.
   */
  run<A extends unknown[], R>(fn: TaskFunction<A, R>, args: readonly [...A], options?: RunOptions): Future<Awaited<R>> {
    const core = this.#core
    core.assertOpen()
    const future = new CallFuture<Awaited<R>>(core, core.tasks.entry(fn))
    if (!Array.isArray(args)) throw invalidType('args', 'an array', args)
    applyRunOptions(future, options)
    const moving = checkTransfer(options?.transfer)
    const signal = options?.signal
    if (signal?.aborted) {
      core.cancelUnsent(future, new CancelledError('The signal is aborted already', { cause: signal.reason }))
      return future
    }
    core.send(future, args, 0, this.run, moving)
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
   * Takes no more calls, lets those that there are finish, and the workers leave. May be called again, and from anywhere.
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
    this.#emitter.on(event, listener as (...args: unknown[]) => void)
    return this
  }

  /** Adds a listener for one time. */
  once<K extends keyof ProcessPoolEvents>(event: K, listener: (...args: ProcessPoolEvents[K]) => void): this {
    this.#emitter.once(event, listener as (...args: unknown[]) => void)
    return this
  }

  /** Removes a listener. */
  off<K extends keyof ProcessPoolEvents>(event: K, listener: (...args: ProcessPoolEvents[K]) => void): this {
    this.#emitter.off(event, listener as (...args: unknown[]) => void)
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
