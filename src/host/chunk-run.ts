// A chunk of a `map` until each of its items has an outcome.
//
// The chunk begins as one call, a *piece*. Further pieces follow for items that were left over when a worker died or
// gave a part of its piece back, that others can run while one item takes long, or that are repeated after a failure.
// No item is in two pieces at once.

import { CancelledError, SerializationError, ShutdownError } from '../errors/index.js'
import { Future, type Waiter } from '../futures/future.js'
import type { RetryPolicy } from '../futures/retry-policy.js'
import { endsMap } from '../map/ends.js'
import type { ChunkFuture, ChunkOutcome, MapEnd } from '../map/source.js'
import { Timer } from '../util/timer.js'
import { Journal } from '../wire/index.js'
import type { CallFuture } from './call-future.js'
import type { FurtherWork } from './further-work.js'
import type { PieceOutcome } from './piece-outcome.js'

/** How a piece is sent. */
export interface PiecePlan {
  /** The number of the attempt to run its items, from 1. */
  readonly attempt: number
  /** Whether the piece goes on with a chunk that was accepted. */
  readonly isFurther: boolean
}

/** Makes the calls of a chunk. */
export interface PieceCalls<R> {
  /** The number of workers. */
  readonly maxWorkers: number
  readonly retries: RetryPolicy | undefined
  /** The bytes of the last piece that was submitted. */
  readonly sentBytes: number
  /** Throws the errors of `submit`. */
  submit(items: readonly unknown[], plan: PiecePlan): CallFuture<PieceOutcome<R>>
  /** Whether a worker has claimed the call. */
  isRunning(call: CallFuture<unknown>): boolean
  /** Takes back the items of a running call that have not begun. Returns the number of items that stay. */
  cut(call: CallFuture<unknown>): number | undefined
  begin(run: ChunkRun<R>): void
  /** The run is over. Counts its items. */
  end(run: ChunkRun<R>, completed: number, failed: number): void
}

/**
 * So often may workers die in a row between the claim of a piece and its first item. Then that item fails: a piece may
 * be what ends its workers, by the task's module or by the size of its arguments.
 */
const MOST_UNBEGUN = 3

/** Items of a chunk that travel together. */
class Piece<R> implements Waiter {
  readonly run: ChunkRun<R>
  /** The places of the items in the chunk; undefined: `count` places from `first` on. */
  readonly places: readonly number[] | undefined
  readonly first: number
  /** The number of items that the call has to answer. */
  count: number
  readonly attempt: number
  /** How many workers have died in a row with these items, before one of the items began. */
  readonly unbegun: number
  call: CallFuture<PieceOutcome<R>> | undefined = undefined
  /** Whether the call was seen running. */
  wasRunning = false

  constructor(run: ChunkRun<R>, places: Places, attempt: number, unbegun = 0) {
    this.run = run
    this.places = 'places' in places ? places.places : undefined
    this.first = 'places' in places ? 0 : places.first
    this.count = 'places' in places ? places.places.length : places.count
    this.attempt = attempt
    this.unbegun = unbegun
  }

  place(index: number): number {
    return this.places === undefined ? this.first + index : this.places[index]!
  }

  /** The places of `count` items from the index `from` on. */
  part(from: number, count: number): Places {
    return this.places === undefined
      ? { first: this.first + from, count }
      : { places: this.places.slice(from, from + count) }
  }

  /** All items, each with the same error. */
  all(error: unknown): FailedItem[] {
    return Array.from({ length: this.count }, (_, index) => ({ place: this.place(index), error }))
  }

  futureDone(call: Future<unknown>): void {
    this.run.pieceDone(this, call)
  }
}

interface FailedItem {
  readonly place: number
  readonly error: unknown
}

type Places = { readonly first: number; readonly count: number } | { readonly places: readonly number[] }

export class ChunkRun<R> extends Future<ChunkOutcome<R>> implements ChunkFuture<R>, FurtherWork {
  /** Bytes of the items as they travel. */
  readonly bytes: number
  readonly #calls: PieceCalls<R>
  #items: readonly unknown[]
  readonly #pieces = new Set<Piece<R>>()
  /** Pauses before further attempts, with the pieces that follow. */
  readonly #pauses = new Map<Timer, { piece: Places; attempt: number }>()
  #values: R[] | undefined
  #errors: Map<number, unknown> | undefined
  #end: MapEnd | undefined
  #elapsed = 0
  /** Nobody wants the outcome of an item that has not begun. */
  #isGivenUp = false
  /** Above 0 while pieces are sent: one of them may be over at once, and is not the last. */
  #depth = 1

  /** @throws The errors of `submit`. */
  constructor(calls: PieceCalls<R>, items: readonly unknown[]) {
    super()
    this.#calls = calls
    this.#items = items
    const { length } = items
    const sent = Math.min(length, Journal.items)
    const first = this.#send(new Piece<R>(this, { first: 0, count: sent }, 1), false)
    this.bytes = calls.sentBytes
    calls.begin(this)
    // A chunk may be larger than a call.
    for (let from = sent; from < length; from += Journal.items) {
      this.#goOn({ first: from, count: Math.min(Journal.items, length - from) }, 1)
    }
    this.#depth--
    first.call!.addWaiter(first)
  }

  /** Submits a piece. The caller adds the waiter, which may be told at once. Throws the errors of `submit`. */
  #send(piece: Piece<R>, isFurther: boolean): Piece<R> {
    const items = this.#items
    const { places, first, count, attempt } = piece
    const isWhole = places === undefined && count === items.length
    const sent = isWhole
      ? items
      : places === undefined
        ? items.slice(first, first + count)
        : places.map((place) => items[place])
    piece.call = this.#calls.submit(sent, { attempt, isFurther })
    this.#pieces.add(piece)
    return piece
  }

  /** Submits a further piece. Errors of the submission are those of its items. */
  #goOn(places: Places, attempt: number, unbegun = 0): void {
    const piece = new Piece<R>(this, places, attempt, unbegun)
    try {
      this.#send(piece, true)
    } catch (error) {
      const isClosed = error instanceof ShutdownError
      const cancelled = 'The item has not run: its pool was ended'
      return this.#fail(piece, 0, isClosed ? new CancelledError(cancelled, { cause: error }) : error)
    }
    piece.call!.addWaiter(piece)
  }

  /** A piece has an outcome. */
  pieceDone(piece: Piece<R>, call: Future<unknown>): void {
    this.#pieces.delete(piece)
    this.#depth++
    if (call.outcome === 'value') this.#take(piece, call.storedOutcome() as PieceOutcome<R>)
    else if (!this.#isGivenUp) this.#lost(piece, call.storedOutcome())
    this.#depth--
    this.#settleIfOver()
  }

  /** None of a piece's items has an outcome of its own. */
  #lost(piece: Piece<R>, error: unknown): void {
    const { count, attempt } = piece
    if (endsMap(error)) return this.#fail(piece, 0, error)
    const isTooLarge = error instanceof SerializationError && error.stage === 'arguments'
    if (!isTooLarge || count === 1) return this.#failed(piece.all(error), attempt)
    // Each item may be small enough.
    const half = count >> 1
    this.#goOn(piece.part(0, half), attempt)
    this.#goOn(piece.part(half, count - half), attempt)
  }

  #take(piece: Piece<R>, outcome: PieceOutcome<R>): void {
    const { values, errors, failure, elapsed = 0 } = outcome
    const { count } = piece
    this.#elapsed += elapsed
    if (count === this.#items.length && values.length === count && this.#values === undefined && !this.#repeats) {
      this.#values = values as R[]
      this.#errors = errors
      return
    }
    const all = (this.#values ??= new Array<R>(this.#items.length))
    const answered = Math.min(values.length, count)
    const failed: FailedItem[] = []
    for (let index = 0; index < answered; index++) {
      const place = piece.place(index)
      if (errors?.has(index) === true) failed.push({ place, error: errors.get(index) })
      else all[place] = values[index]!
    }
    let next = answered
    const unbegun = failure?.isInnocent === true ? piece.unbegun + 1 : 0
    if (unbegun > 0 && unbegun < MOST_UNBEGUN && !this.#isGivenUp) {
      return this.#goOn(piece.part(0, count), piece.attempt, unbegun)
    }
    if (failure !== undefined && next < count) failed.push({ place: piece.place(next++), error: failure.error })
    if (failed.length > 0) this.#failed(failed, piece.attempt)
    if (next === count) return
    if (next === 0) {
      const message = 'A worker answered a chunk without the outcome of an item'
      return this.#failed(piece.all(new SerializationError(message, { stage: 'result' })), piece.attempt)
    }
    if (!this.#isGivenUp) this.#goOn(piece.part(next, count - next), piece.attempt, unbegun)
  }

  get #repeats(): boolean {
    return this.#calls.retries !== undefined
  }

  /** Items have failed in an attempt: those that the policy repeats are sent again after their pauses. */
  #failed(failed: readonly FailedItem[], attempt: number): void {
    const { retries } = this.#calls
    const again = new Map<number, number[]>()
    for (const { place, error } of failed) {
      let reason = error
      if (retries !== undefined && !this.#isGivenUp) {
        try {
          const pause = retries.pause(error, attempt)
          if (pause !== undefined) {
            const together = again.get(pause)
            if (together === undefined) again.set(pause, [place])
            else together.push(place)
            continue
          }
        } catch (thrown) {
          reason = thrown
        }
      }
      this.#setError(place, reason)
    }
    for (const [pause, places] of again) this.#pause(pause, { places }, attempt + 1)
  }

  #pause(milliseconds: number, piece: Places, attempt: number): void {
    if (milliseconds === 0) return this.#goOn(piece, attempt)
    const timer = new Timer(milliseconds, () => {
      this.#pauses.delete(timer)
      this.#goOn(piece, attempt)
      this.#settleIfOver()
    })
    this.#pauses.set(timer, { piece, attempt })
  }

  /** The items of a piece from the index `from` on have no outcome but `error`. */
  #fail(piece: Piece<R>, from: number, error: unknown): void {
    if (endsMap(error)) this.#end ??= { error }
    const mark = endsMap(error) ? this.#end : error
    for (let index = from; index < piece.count; index++) this.#setError(piece.place(index), mark)
  }

  #setError(place: number, error: unknown): void {
    ;(this.#errors ??= new Map()).set(place, error)
  }

  #settleIfOver(): void {
    if (this.#depth > 0 || this.#pieces.size > 0 || this.#pauses.size > 0 || this.done()) return
    if (this.#isGivenUp) {
      this.#calls.end(this, 0, 0)
      this.settleCancelled()
      return
    }
    const { length } = this.#items
    this.#items = []
    const values = (this.#values ??= new Array<R>(length))
    const errors = this.#errors
    const end = this.#end
    let failed = 0
    let lost = 0
    if (errors !== undefined) {
      if (end !== undefined) for (const error of errors.values()) if (error === end) lost++
      failed = errors.size - lost
    }
    this.#calls.end(this, length - failed - lost, failed)
    const elapsed = this.#elapsed
    this.settleValue({ values, errors, end, elapsed })
  }

  /**
   * Gives items that have not begun to other workers, if a piece was running at the last look and is still running. To
   * be called from time to time.
   */
  divide(): void {
    this.#depth++
    for (const piece of this.#pieces) {
      const { call, count, attempt } = piece
      // Of a piece without the items that cannot travel, the places of the others are not known here.
      if (call === undefined || count === 1 || call.refused !== undefined || !this.#calls.isRunning(call)) continue
      if (!piece.wasRunning) {
        piece.wasRunning = true
        continue
      }
      const kept = this.#calls.cut(call)
      if (kept === undefined || kept >= count) continue
      piece.count = kept
      const rest = count - kept
      const parts = Math.min(rest, this.#calls.maxWorkers)
      for (let part = 0; part < parts; part++) {
        const from = Math.floor((rest * part) / parts)
        const to = Math.floor((rest * (part + 1)) / parts)
        this.#goOn(piece.part(kept + from, to - from), attempt)
      }
    }
    this.#depth--
    this.#settleIfOver()
  }

  abandon(makeError: () => Error): void {
    for (const [timer, { piece, attempt }] of this.#pauses) {
      timer.clear()
      this.#fail(new Piece<R>(this, piece, attempt), 0, makeError())
    }
    this.#pauses.clear()
    this.#settleIfOver()
  }

  protected override requestCancel(kill: boolean): boolean {
    this.#isGivenUp = true
    for (const timer of this.#pauses.keys()) timer.clear()
    this.#pauses.clear()
    this.#depth++
    for (const { call } of this.#pieces) {
      if (call?.cancel({ kill }) === false) this.#calls.cut(call)
    }
    this.#depth--
    this.#settleIfOver()
    return this.#pieces.size === 0
  }
}
