// Executors that run everything in this thread, for tests of the common part of all executors.

import { QueueFullError, ShutdownError } from '../../src/errors/index.js'
import { Executor, type ExecutorShutdownOptions } from '../../src/executor/executor.js'
import { Future } from '../../src/futures/future.js'
import type { ChunkFuture, ChunkOutcome, MapSource } from '../../src/map/source.js'
import type { TaskFunction } from '../../src/tasks/index.js'

interface Call {
  future: Future<unknown>
  run: () => unknown
}

/** Runs one call in each turn of the event loop, or when a test says so. `maxQueue` bounds the queue. */
export class LocalExecutor extends Executor {
  readonly waiting: Call[] = []
  submitted = 0
  private readonly manual: boolean
  private readonly maxQueue: number
  private roomWaiters: (() => void)[] = []
  private closed = false
  private scheduled = false

  constructor({ manual = false, maxQueue = Infinity }: { manual?: boolean; maxQueue?: number } = {}) {
    super()
    this.manual = manual
    this.maxQueue = maxQueue
  }

  override submit<A extends unknown[], R>(fn: TaskFunction<A, R>, ...args: A): Future<Awaited<R>> {
    if (this.closed) throw new ShutdownError('cannot schedule new futures after shutdown')
    if (this.waiting.length >= this.maxQueue) throw new QueueFullError('full', { maxQueue: this.maxQueue })
    const future = new Future<Awaited<R>>()
    this.waiting.push({ future, run: () => fn(...args) })
    this.submitted++
    this.schedule()
    return future
  }

  override async ready(): Promise<void> {
    while (!this.closed && this.waiting.length >= this.maxQueue) {
      await new Promise<void>((resolve) => this.roomWaiters.push(resolve))
    }
  }

  override async shutdown(options: ExecutorShutdownOptions = {}): Promise<void> {
    this.closed = true
    if (options.cancelFutures) for (const { future } of this.waiting.splice(0)) future.cancel()
    while (this.waiting.length > 0) await this.step()
  }

  /** Runs the oldest call, unless it was cancelled. */
  async step(): Promise<void> {
    const call = this.waiting.shift()
    for (const wake of this.roomWaiters.splice(0)) wake()
    if (!call?.future.setRunningOrNotifyCancel()) return
    try {
      call.future.setResult(await call.run())
    } catch (error) {
      call.future.setException(error)
    }
  }

  private schedule(): void {
    if (this.manual || this.scheduled || this.waiting.length === 0) return
    this.scheduled = true
    setImmediate(() => {
      this.scheduled = false
      void this.step()
      this.schedule()
    })
  }
}

/** A task of `LocalChunks`. */
export type ItemTask<T, R> = (item: T) => R

/** Takes whole chunks, and settles each a turn later, or when a test says so. */
export class LocalChunks<T, R> implements MapSource<unknown, R> {
  readonly chunked = true
  readonly maxWorkers: number
  readonly chunks: (readonly T[])[] = []
  /** The bytes that an item pretends to take. */
  itemBytes = 0
  readonly futures: Future<ChunkOutcome<R>>[] = []
  /** The milliseconds that a chunk of `items` items pretends to have taken. */
  elapsed: ((items: number) => number) | undefined = undefined
  manual = false
  /** Errors that the next submissions throw, one after the other. */
  refusals: unknown[] = []
  readyCalls = 0
  private readonly task: ItemTask<T, R>

  constructor(task: ItemTask<T, R>, maxWorkers = 2) {
    this.task = task
    this.maxWorkers = maxWorkers
  }

  submitChunk(items: readonly T[]): ChunkFuture<R> {
    if (this.refusals.length > 0) throw this.refusals.shift()
    const future = new Future<ChunkOutcome<R>>()
    if (this.itemBytes > 0) Object.assign(future, { bytes: items.length * this.itemBytes })
    this.chunks.push(items)
    this.futures.push(future)
    if (!this.manual) setImmediate(() => this.settle(future, items))
    return future
  }

  async ready(): Promise<void> {
    this.readyCalls++
  }

  /** Runs a chunk, unless it was cancelled. */
  settle(future: Future<ChunkOutcome<R>>, items: readonly T[]): void {
    if (!future.setRunningOrNotifyCancel()) return
    const values: R[] = []
    const errors = new Map<number, unknown>()
    for (const [index, item] of items.entries()) {
      try {
        values[index] = this.task(item)
      } catch (error) {
        values[index] = undefined as R
        errors.set(index, error)
      }
    }
    const elapsed = this.elapsed?.(items.length)
    future.setResult({ values, ...(errors.size > 0 ? { errors } : {}), ...(elapsed === undefined ? {} : { elapsed }) })
  }

  /** Runs the chunk with this index. */
  finish(index: number): void {
    this.settle(this.futures[index]!, this.chunks[index]!)
  }
}
