// The source that connects `map` with a pool: each chunk of items is a call, or several.

import type { RetryPolicy } from '../futures/retry-policy.js'
import type { ChunkFuture, MapCall, MapSource } from '../map/source.js'
import { clearInterval, setInterval } from '../util/globals.js'
import { CallFlag, HostFlag } from '../wire/index.js'
import type { CallFuture } from './call-future.js'
import { ChunkRun, type PieceCalls, type PiecePlan } from './chunk-run.js'
import type { PoolCore } from './core.js'
import type { FurtherWork } from './further-work.js'
import type { PieceOutcome } from './piece-outcome.js'

/** How a source makes its calls. */
export interface ChunkCalls {
  /** The most workers that run the items. */
  maxWorkers: number
  /** The public method that the user called: stacks of errors begin outside of it. */
  caller: (...args: never[]) => unknown
  /** Kept alive until the last chunk is done: the user may have dropped the executor, and items wait for submission. */
  holder?: object
  /** Called once, when the last chunk is done or nobody wants its outcome. */
  whenFinished?: () => void
}

/**
 * Milliseconds between two looks at the chunks that run, while chunks are divided. A chunk is meant to run for 4 ms;
 * one that two looks find running is divided.
 */
const LOOK_MS = 25

/** Submits the items of one `map` or `starmap`. */
export class ChunkSource<R> implements MapSource<unknown, R>, PieceCalls<R>, FurtherWork {
  readonly chunked = true
  readonly #core: PoolCore
  readonly #task: unknown
  readonly #flags: number
  readonly #call: MapCall
  #calls: ChunkCalls
  /** The chunks under way. */
  readonly #runs = new Set<ChunkRun<R>>()
  #looks: NodeJS.Timeout | undefined
  #isHolding = false

  /** @throws TypeError when the function cannot be a task. */
  constructor(core: PoolCore, task: unknown, call: MapCall, calls: ChunkCalls) {
    core.tasks.entry(task)
    this.#core = core
    this.#task = task
    const timed = call.taskTimeout === undefined ? 0 : CallFlag.timed
    this.#flags = CallFlag.chunk | (call.spread ? 0 : CallFlag.unary) | timed
    this.#call = call
    this.#calls = calls
  }

  get maxWorkers(): number {
    return this.#calls.maxWorkers
  }

  get retries(): RetryPolicy | undefined {
    return this.#call.retries
  }

  get sentBytes(): number {
    return this.#core.sentBytes
  }

  submitChunk(items: readonly unknown[]): ChunkFuture<R> {
    return new ChunkRun(this, items)
  }

  submit(items: readonly unknown[], { attempt, isFurther }: PiecePlan): CallFuture<PieceOutcome<R>> {
    const { taskTimeout, grace = 0, label } = this.#call
    return this.#core.call(this.#task, items, {
      flags: isFurther || (this.#isHolding && this.#core.isClosing) ? this.#flags | HostFlag.further : this.#flags,
      caller: this.#calls.caller,
      moving: undefined,
      prepare: (future) => {
        future.timeout = taskTimeout
        future.grace = grace
        future.label = label
        future.earlier = attempt - 1
      },
    })
  }

  isRunning(call: CallFuture<unknown>): boolean {
    return this.#core.isRunning(call)
  }

  cut(call: CallFuture<unknown>): number | undefined {
    return this.#core.cut(call)
  }

  begin(run: ChunkRun<R>): void {
    this.#core.begin(run)
    if (this.#call.divides !== true) return
    this.#runs.add(run)
    // Without a hold on the event loop: the chunks that run have one, unless the pool is not to hold it.
    this.#looks ??= setInterval(() => this.#look(), LOOK_MS).unref()
  }

  end(run: ChunkRun<R>, completed: number, failed: number): void {
    this.#core.countItems(completed, failed)
    this.#runs.delete(run)
    this.#core.end(run)
  }

  ready(): Promise<void> {
    return this.#core.ready()
  }

  refusal(): Error | undefined {
    return this.#core.refusal()
  }

  /** Until everything that was read is submitted, a closed pool keeps its workers. */
  hold(isHolding: boolean): void {
    this.#isHolding = isHolding
    if (isHolding) this.#core.begin(this)
    else this.#core.end(this)
  }

  /** Nothing waits here for a time: submissions tell of the end. */
  abandon(): void {}

  finished(): void {
    const { maxWorkers, caller, whenFinished } = this.#calls
    this.#calls = { maxWorkers, caller }
    whenFinished?.()
  }

  #look(): void {
    // In a fork of the pool's process the chunks are the parent's, and so is the memory in which they would be divided.
    if (this.#core.isStopped) this.#runs.clear()
    if (this.#runs.size === 0) {
      clearInterval(this.#looks)
      this.#looks = undefined
    }
    for (const run of this.#runs) run.divide()
  }
}
