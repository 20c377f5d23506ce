// `map` for executors that have only `submit`: each item is a call of its own.

import { Future, type Waiter } from '../futures/future.js'
import type { TaskFunction } from '../tasks/index.js'
import { Timer } from '../util/timer.js'
import { endsMap } from './ends.js'
import type { ChunkFuture, ChunkOutcome, MapCall, MapSource } from './source.js'

/** The methods of an executor that are used here. */
interface Submitter {
  submit(fn: TaskFunction<unknown[]>, ...args: unknown[]): Future<unknown>
  ready(): Promise<void>
}

export class SingleCalls<R> implements MapSource<unknown, R> {
  readonly chunked = false
  readonly maxWorkers: number
  private readonly executor: Submitter
  private readonly fn: TaskFunction<unknown[]>
  private readonly call: MapCall

  constructor(executor: Submitter, fn: TaskFunction, call: MapCall, maxWorkers: number) {
    this.executor = executor
    this.fn = fn as TaskFunction<unknown[]>
    this.call = call
    this.maxWorkers = maxWorkers
  }

  submitChunk(items: readonly unknown[]): ChunkFuture<R> {
    const args = this.call.spread ? (items[0] as unknown[]) : items
    return new ChunkOfOne(() => this.executor.submit(this.fn, ...args) as Future<R>, this.call)
  }

  ready(): Promise<void> {
    return this.executor.ready()
  }
}

/** The calls of one item as the future of a chunk with one item. */
class ChunkOfOne<R> extends Future<ChunkOutcome<R>> implements Waiter {
  private readonly submit: () => Future<R>
  private readonly plan: MapCall
  private call: Future<R> | undefined
  private attempt = 1
  /** The pause before the next attempt. */
  private pause: Timer | undefined = undefined

  /** @throws The errors of `submit`. */
  constructor(submit: () => Future<R>, plan: MapCall) {
    super()
    this.submit = submit
    this.plan = plan
    this.call = submit()
    this.call.addWaiter(this)
  }

  futureDone(call: Future<unknown>): void {
    this.call = undefined
    if (call.outcome === 'value') this.settleValue({ values: [call.storedOutcome() as R] })
    else this.failed(call.storedOutcome())
  }

  private failed(error: unknown): void {
    try {
      const pause = endsMap(error) ? undefined : this.plan.retries?.pause(error, this.attempt)
      if (pause === undefined) this.settleError(error)
      else this.pause = new Timer(pause, () => this.repeat())
    } catch (thrown) {
      this.settleError(thrown)
    }
  }

  private repeat(): void {
    this.pause = undefined
    this.attempt++
    try {
      this.call = this.submit()
    } catch (error) {
      this.settleError(error)
      return
    }
    this.call.addWaiter(this)
  }

  protected override requestCancel(kill: boolean): boolean {
    this.pause?.clear()
    return this.call === undefined || this.call.cancel({ kill })
  }
}
