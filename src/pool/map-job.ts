// The job of a `map`.

import type { Future, Waiter } from '../futures/future.js'
import { type FeederHost, SyncFeeder } from '../map/feeder.js'
import { ArrayInput } from '../map/input.js'
import { indexed } from '../map/outcome.js'
import { Pace } from '../map/pace.js'
import type { ChunkFuture, ChunkOutcome, MapSource } from '../map/source.js'
import type { AsyncResult } from './async-result.js'
import { Job, type Jobs } from './jobs.js'

/** Chunks for each worker by default. This is Python's rule. */
const CHUNKS_PER_WORKER = 4

/** A `map` of a pool. It is over when all its chunks are, and fails with its first error. */
export class MapJob<R> extends Job implements FeederHost<R> {
  readonly #result: AsyncResult<R[]>
  readonly #values: R[]
  readonly #errors: unknown[] = []
  #accepted = 0
  #inFlight = 0
  #feeder: SyncFeeder<unknown, R> | undefined

  constructor(jobs: Jobs, count: number, result: AsyncResult<R[]>) {
    super(jobs)
    this.#result = result
    this.#values = new Array<R>(count)
  }

  /**
   * Submits the items, as far as the queue has room.
   *
   * @param items - Become this object's own.
   * @throws Errors of `source.submitChunk`. The job is over then, and its result has no outcome.
   */
  start(source: MapSource<unknown, R>, items: unknown[], chunksize: number | undefined): void {
    const { maxWorkers } = source
    const size = chunksize ?? Math.max(1, Math.ceil(items.length / (CHUNKS_PER_WORKER * maxWorkers)))
    const pace = new Pace({ chunksize: size, buffersize: Infinity, maxWorkers })
    this.#feeder = new SyncFeeder(source, pace, this, new ArrayInput(items))
    try {
      this.#feeder.start(false)
    } catch (error) {
      this.end()
      throw error
    }
  }

  accept(future: ChunkFuture<R>, { length }: readonly unknown[]): void {
    const part = new Part(this, this.#accepted)
    this.#accepted += length
    this.#inFlight++
    future.addWaiter(part)
  }

  inputEnded(failure?: { error: unknown }): void {
    if (failure !== undefined) this.#errors.push(failure.error)
    this.#endIfDone()
  }

  partDone(first: number, future: Future<unknown>): void {
    this.#inFlight--
    if (future.outcome === 'value') this.#store(first, future.storedOutcome() as ChunkOutcome<R>)
    else this.#errors.push(future.storedOutcome())
    this.#endIfDone()
  }

  abort(error: unknown): void {
    void this.#feeder?.close()
    this.#result.fail(error)
    this.end()
  }

  #store(first: number, { values, errors, end }: ChunkOutcome<R>): void {
    for (let index = 0; index < values.length; index++) this.#values[first + index] = values[index]!
    for (const index of [...(errors?.keys() ?? [])].sort((a, b) => a - b)) {
      const error = errors!.get(index)
      if (end === undefined || error !== end) this.#errors.push(indexed(error, first + index))
    }
    // Told once: the items have no errors of their own.
    if (end !== undefined) this.#errors.push(end.error)
  }

  #endIfDone(): void {
    if (this.#inFlight > 0 || !this.#feeder?.ended) return
    if (this.#errors.length > 0) this.#result.fail(this.#errors[0], this.#errors)
    else this.#result.succeed(this.#values)
    this.end()
  }
}

/** The waiter of one chunk, with the index of the chunk's first item. */
class Part<R> implements Waiter {
  readonly #job: MapJob<R>
  readonly #first: number

  constructor(job: MapJob<R>, first: number) {
    this.#job = job
    this.#first = first
  }

  futureDone(future: Future<unknown>): void {
    this.#job.partDone(this.#first, future)
  }
}
