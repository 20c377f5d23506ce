// `map` for executors that have only `submit`: each item is a call of its own.

import { Future, type Waiter } from '../futures/future.js'
import type { TaskFunction } from '../tasks/index.js'
import type { ChunkOutcome, MapSource } from './source.js'

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
  private readonly spread: boolean

  constructor(executor: Submitter, fn: TaskFunction, spread: boolean, maxWorkers: number) {
    this.executor = executor
    this.fn = fn as TaskFunction<unknown[]>
    this.spread = spread
    this.maxWorkers = maxWorkers
  }

  submitChunk(items: unknown[]): Future<ChunkOutcome<R>> {
    const args = this.spread ? (items[0] as unknown[]) : items
    return new ChunkOfOne(this.executor.submit(this.fn, ...args) as Future<R>)
  }

  ready(): Promise<void> {
    return this.executor.ready()
  }
}

/** A call's future as the future of a chunk with one item. */
class ChunkOfOne<R> extends Future<ChunkOutcome<R>> implements Waiter {
  private readonly call: Future<R>

  constructor(call: Future<R>) {
    super()
    this.call = call
    call.addWaiter(this)
  }

  futureDone(call: Future<unknown>): void {
    if (call.outcome === 'value') this.settleValue({ values: [call.storedOutcome() as R] })
    else this.settleError(call.storedOutcome())
  }

  protected override requestCancel(kill: boolean): boolean {
    return this.call.cancel({ kill })
  }
}
