// The wait for room in the queue of a pool, and the room that is kept for those who have waited.
//
// While somebody waits, a call of anybody else is refused. A waiter that is told has room for one call. A call does not
// say who submits it, but the order of microtasks does:
//
//   before, the reaction of the waiter, after
//
// `await ready()` and `ready().then(…)` go on in that reaction, and a call that is submitted there takes the room of
// this waiter. A waiter behind further promises, such as `Promise.race`, goes on later. Its room is kept until the end
// of the next turn of the event loop, and belongs to whoever submits first. Then it lapses.
//
// The native pool knows only the numbers, and refuses calls that have no room. So a call that is not refused costs
// nothing here: the count of accepted calls tells later which room was taken.

import type { NativePool } from '../native/index.js'
import { WaitWatch } from '../futures/wait-options.js'
import { Fifo } from '../util/fifo.js'
import { setImmediate } from '../util/globals.js'

interface Waiter {
  resolve(): void
  reject(error: unknown): void
  /** Ends when the waiter has room: what comes after that finds the wait over. */
  watch: WaitWatch | undefined
}

/** A resolved promise: its reactions are microtasks, also where a test replaces `queueMicrotask`. */
const resolved = Promise.resolve()

/** Turns of the event loop, the present one included, at whose end room lapses that nobody has taken. */
const TURNS_KEPT = 2

export class QueueRoom {
  readonly #native: NativePool
  /** Returns the number of calls that the pool has accepted so far. */
  readonly #accepted: () => number
  readonly #waiters = new Fifo<Waiter>()
  /** Waiters with room whose reactions are not over. */
  #told = 0
  /** Whether the reaction of a waiter runs that has not taken its room yet. */
  #reacting = false
  /** Room whose waiters have had their reaction: the turn with which each lapses, the earliest first. */
  readonly #kept: number[] = []
  /** The accepted calls before the present reaction, or when `#kept` was last looked at. */
  #mark = 0
  /** Turns of the event loop, counted while room is kept. */
  #turn = 0
  #counting = false

  constructor(native: NativePool, accepted: () => number) {
    this.#native = native
    this.#accepted = accepted
  }

  /**
   * Resolves when there is room for one call, which is kept for the caller. Rejects with the reason of `signal` when
   * that is aborted before; others are then next.
   */
  wait(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { resolve, reject, watch: undefined }
      this.#waiters.push(waiter)
      if (signal !== undefined) waiter.watch = this.#watch(waiter, signal)
      this.#serve()
    })
  }

  #watch(waiter: Waiter, signal: AbortSignal): WaitWatch {
    return new WaitWatch({ timeout: undefined, signal }, ignore, (reason) => {
      this.#waiters.remove(waiter)
      waiter.reject(reason)
      // The calls of others are not refused any more for the sake of this waiter.
      this.#serve()
    })
  }

  /** There is room. Returns true if some is left for calls of those who have not waited. */
  open(): boolean {
    this.#serve()
    const isFull = this.#native.isFull
    // Those who have not waited hear of room as soon as some is left for them.
    if (isFull) this.#native.awaitRoom()
    return !isFull
  }

  /**
   * For a call that was refused: takes room that is kept for it, or that is kept no more. False: there is none. Else
   * {@link taken} has to follow when the call was submitted once more.
   */
  take(): boolean {
    if (this.#reacting) {
      this.#reacting = false
      this.#told--
    } else {
      const kept = this.#kept.length
      this.#forgetTaken()
      if (this.#kept.shift() === undefined) {
        // An earlier call has taken the last room that was kept, and the native pool has not heard of that.
        if (kept > 0) this.#reserve()
        return kept > 0 && !this.#native.isFull
      }
    }
    // The call that follows is dealt with.
    this.#mark++
    this.#native.reserve(0, 0)
    return true
  }

  /** The call has its room. */
  taken(): void {
    this.#reserve()
  }

  /** Rejects all waits: there will be no room. */
  close(makeError: () => Error): void {
    for (let waiter = this.#waiters.shift(); waiter !== undefined; waiter = this.#waiters.shift()) {
      waiter.watch?.clear()
      waiter.reject(makeError())
    }
  }

  /** Gives the room that there is to waiters, in the order of their arrival. */
  #serve(): void {
    this.#forgetTaken()
    // First what was taken or has lapsed: else the native pool would not see the room.
    this.#reserve()
    while (this.#waiters.length > 0 && this.#native.hasRoom) {
      this.#tell(this.#waiters.shift()!)
      this.#reserve()
    }
    if (this.#waiters.length > 0) this.#native.awaitRoom()
  }

  #tell(waiter: Waiter): void {
    this.#told++
    waiter.watch?.clear()
    // A microtask later: `ready()` may not have returned yet, so the waiter has no reaction.
    void resolved.then(() => {
      void resolved.then(this.#before)
      waiter.resolve()
      void resolved.then(this.#after)
    })
  }

  readonly #before = (): void => {
    this.#forgetTaken()
    this.#reacting = true
  }

  readonly #after = (): void => {
    if (this.#reacting) {
      this.#reacting = false
      this.#told--
      // A call may have been accepted without this room, because there was other room.
      if (this.#accepted() === this.#mark) this.#keep()
    }
    this.#mark = this.#accepted()
    this.#serve()
  }

  #keep(): void {
    this.#kept.push(this.#turn + TURNS_KEPT)
    if (this.#counting) return
    this.#counting = true
    setImmediate(this.#turnOver)
  }

  readonly #turnOver = (): void => {
    this.#turn++
    this.#forgetTaken()
    while (this.#kept.length > 0 && this.#kept[0]! <= this.#turn) this.#kept.shift()
    this.#counting = this.#kept.length > 0
    if (this.#counting) setImmediate(this.#turnOver)
    this.#serve()
  }

  /** Whoever has submitted a call since the last look has taken the room that lapses first. */
  #forgetTaken(): void {
    const accepted = this.#accepted()
    if (accepted > this.#mark) this.#kept.splice(0, accepted - this.#mark)
    this.#mark = accepted
  }

  #reserve(): void {
    this.#native.reserve(this.#told + this.#kept.length, this.#waiters.length)
  }
}

function ignore(): void {}
