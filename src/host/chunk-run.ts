// A chunk of a `map` until each of its items has an outcome: one call, and further calls for the items that were left
// over when a worker died, or gave a part of the chunk back.

import { QueueFullError, SerializationError } from '../errors/index.js'
import { Future, type Waiter } from '../futures/future.js'
import type { ChunkOutcome } from '../map/source.js'
import { Journal } from '../wire/index.js'
import type { CallFuture } from './call-future.js'

/** Makes the calls of a chunk. */
export interface PieceCalls<R> {
  /** Throws the errors of `submit`. */
  submit(items: readonly unknown[]): CallFuture<ChunkOutcome<R>>
  /** Takes back the items of a running call that have not begun. */
  cut(call: CallFuture<unknown>): void
  /** Resolves when the queue has room. */
  ready(): Promise<void>
  /** Counts items whose outcomes are known. */
  count(completed: number, failed: number): void
}

export class ChunkRun<R> extends Future<ChunkOutcome<R>> implements Waiter {
  readonly #calls: PieceCalls<R>
  #items: readonly unknown[]
  #call: CallFuture<ChunkOutcome<R>> | undefined
  /** The first item without an outcome. */
  #next = 0
  #values: R[] = []
  #errors: Map<number, unknown> | undefined
  #elapsed = 0
  /** Nobody wants the outcome of an item that has not begun. */
  #isGivenUp = false

  /** @throws The errors of `submit`. */
  constructor(calls: PieceCalls<R>, items: readonly unknown[]) {
    super()
    this.#calls = calls
    this.#items = items
    this.#submit()
  }

  #submit(): void {
    const to = this.#next + Journal.items
    const isWhole = this.#next === 0 && to >= this.#items.length
    this.#call = this.#calls.submit(isWhole ? this.#items : this.#items.slice(this.#next, to))
    this.#call.addWaiter(this)
  }

  futureDone(call: Future<unknown>): void {
    this.#call = undefined
    if (call.outcome === 'value') this.#take(call.storedOutcome() as ChunkOutcome<R>)
    else if (call.outcome === 'cancelled') this.settleCancelled()
    else if (this.#next === 0) this.#fail(call.storedOutcome())
    else this.#failRest(call.storedOutcome())
  }

  #take(outcome: ChunkOutcome<R>): void {
    const { values, errors, failure, elapsed = 0 } = outcome
    if (this.#next === 0 && failure === undefined && values.length === this.#items.length) {
      this.#items = []
      const failed = errors?.size ?? 0
      this.#calls.count(values.length - failed, failed)
      this.settleValue(outcome)
      return
    }
    this.#elapsed += elapsed
    const from = this.#next
    for (let index = 0; index < values.length; index++) this.#values.push(values[index]!)
    errors?.forEach((error, index) => this.#setError(from + index, error))
    if (failure !== undefined) {
      this.#setError(from + values.length, failure.error)
      this.#values.push(undefined as R)
    }
    this.#next = this.#values.length
    if (this.#next === from) {
      const message = 'A worker answered a chunk without the outcome of an item'
      return this.#failRest(new SerializationError(message, { stage: 'result' }))
    }
    this.#goOn()
  }

  /** Makes the next call, if items are left. */
  #goOn(): void {
    if (this.#next >= this.#items.length) return this.#succeed()
    if (this.#isGivenUp) return void this.settleCancelled()
    try {
      this.#submit()
    } catch (error) {
      if (!(error instanceof QueueFullError)) return this.#failRest(error)
      this.#calls.ready().then(
        () => this.#goOn(),
        (refusal: unknown) => this.#failRest(refusal),
      )
    }
  }

  #failRest(error: unknown): void {
    for (let index = this.#next; index < this.#items.length; index++) {
      this.#setError(index, error)
      this.#values.push(undefined as R)
    }
    this.#succeed()
  }

  #setError(index: number, error: unknown): void {
    ;(this.#errors ??= new Map()).set(index, error)
  }

  #succeed(): void {
    this.#items = []
    const failed = this.#errors?.size ?? 0
    this.#calls.count(this.#values.length - failed, failed)
    const outcome = { values: this.#values, elapsed: this.#elapsed }
    this.settleValue(this.#errors === undefined ? outcome : { ...outcome, errors: this.#errors })
  }

  #fail(error: unknown): void {
    this.#calls.count(0, this.#items.length)
    this.#items = []
    this.settleError(error)
  }

  protected override requestCancel(kill: boolean): boolean {
    this.#isGivenUp = true
    const call = this.#call
    if (call === undefined) return true
    const isOver = call.cancel({ kill })
    if (!isOver) this.#calls.cut(call)
    return isOver
  }
}
