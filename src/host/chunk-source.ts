// The source that connects `map` with a pool: each chunk of items is one call.

import type { Future } from '../futures/future.js'
import type { ChunkOutcome, MapCall, MapSource } from '../map/source.js'
import { CallFlag } from '../wire/index.js'
import type { CallFuture } from './call-future.js'
import { ChunkRun, type PieceCalls } from './chunk-run.js'
import type { PoolCore } from './core.js'

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

/** Submits the items of one `map` or `starmap`. */
export class ChunkSource<R> implements MapSource<unknown, R>, PieceCalls<R> {
  readonly chunked = true
  readonly #core: PoolCore
  readonly #task: unknown
  readonly #flags: number
  readonly #timeout: number | undefined
  #calls: ChunkCalls

  /** @throws TypeError when the function cannot be a task. */
  constructor(core: PoolCore, task: unknown, call: MapCall, calls: ChunkCalls) {
    core.tasks.entry(task)
    this.#core = core
    this.#task = task
    const timed = call.taskTimeout === undefined ? 0 : CallFlag.timed
    this.#flags = CallFlag.chunk | (call.spread ? 0 : CallFlag.unary) | timed
    this.#timeout = call.taskTimeout
    this.#calls = calls
  }

  get maxWorkers(): number {
    return this.#calls.maxWorkers
  }

  submitChunk(items: unknown[]): Future<ChunkOutcome<R>> {
    return new ChunkRun(this, items)
  }

  submit(items: readonly unknown[]): CallFuture<ChunkOutcome<R>> {
    return this.#core.call(this.#task, items, {
      flags: this.#flags,
      caller: this.#calls.caller,
      moving: undefined,
      prepare: (future) => (future.timeout = this.#timeout),
    })
  }

  cut(call: CallFuture<unknown>): void {
    this.#core.cut(call)
  }

  ready(): Promise<void> {
    return this.#core.ready()
  }

  count(completed: number, failed: number): void {
    this.#core.countItems(completed, failed)
  }

  finished(): void {
    const { maxWorkers, caller, whenFinished } = this.#calls
    this.#calls = { maxWorkers, caller }
    whenFinished?.()
  }
}
