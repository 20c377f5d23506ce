// How `map` reaches the workers: whole chunks of items as single calls.

import { CallFuture } from './call-future.js'
import type { MapCall } from '../executor.js'
import type { Future } from '../future.js'
import type { ChunkOutcome, MapSource } from '../map/source.js'
import type { PoolCore } from './pool-core.js'
import { CallFlag } from '../wire.js'

/** Sends the items of one `map` or `starmap`. */
export class ChunkSource<R> implements MapSource<unknown, R> {
  readonly maxWorkers: number
  readonly chunked = true
  /** Holds the executor that a user may have let go of: the iterator still submits to it. */
  readonly #executor: { readonly map: (...args: never[]) => unknown }
  readonly #core: PoolCore
  readonly #task: unknown
  readonly #flags: number
  readonly #timeout: number | undefined

  /** @throws TypeError when the function cannot be a task. */
  constructor(
    executor: { readonly map: (...args: never[]) => unknown },
    core: PoolCore,
    task: unknown,
    call: MapCall,
    maxWorkers: number,
  ) {
    core.tasks.entry(task)
    this.#executor = executor
    this.#core = core
    this.#task = task
    this.maxWorkers = maxWorkers
    this.#flags = call.spread ? CallFlag.chunk : CallFlag.chunk | CallFlag.unary
    this.#timeout = call.taskTimeout
  }

  submitChunk(items: unknown[]): Future<ChunkOutcome<R>> {
    const core = this.#core
    core.assertOpen()
    const future = new CallFuture<ChunkOutcome<R>>(core, core.tasks.entry(this.#task), true)
    future.timeout = this.#timeout
    core.send(future, items, this.#flags, this.#executor.map)
    return future
  }

  ready(): Promise<void> {
    return this.#core.ready()
  }
}
