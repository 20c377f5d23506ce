// The calls of a pool that are between two attempts: `when` decides on them, or they are in a pause. No worker, and no
// native code, knows of them meanwhile.

import { nowMs } from '../util/clock.js'
import { Timer } from '../util/timer.js'
import type { CallFuture } from './call-future.js'
import type { RepeatedCall, Repeater } from './repeated-call.js'

type AnyCall = RepeatedCall<unknown>

/** What becomes of a call after its pause, or without one. */
export interface RepeatsOwner {
  /** Makes the next attempt, or fails the call. */
  resend(call: AnyCall): void
  /** The call is over: counts it and settles it. */
  fail(call: AnyCall, error: unknown): void
  /** The call is cancelled: counts it. */
  countCancelled(): void
}

export class Repeats implements Repeater {
  readonly #owner: RepeatsOwner
  /** When the pause of each call ends, by `nowMs()`. Infinity: `when` is deciding at this moment. */
  readonly #between = new Map<CallFuture<unknown>, number>()
  #referenced = true
  /** The pool makes no further attempt. */
  #isOver = false

  constructor(owner: RepeatsOwner) {
    this.#owner = owner
  }

  /** How many calls are between two attempts. */
  get size(): number {
    return this.#between.size
  }

  /** The calls between two attempts. */
  calls(): IterableIterator<CallFuture<unknown>> {
    return this.#between.keys()
  }

  has(call: CallFuture<unknown>): boolean {
    return this.#between.has(call)
  }

  /** Whether `when` is deciding on a call at this moment. */
  isDeciding(call: CallFuture<unknown>): boolean {
    return this.#between.get(call) === Infinity
  }

  decide(call: AnyCall, error: unknown): void {
    if (this.#isOver) return this.#owner.fail(call, error)
    // From here on the call can be cancelled: `when` runs code of the user's.
    this.#between.set(call, Infinity)
    let pause: number | undefined
    try {
      pause = call.pauseAfter(error)
    } catch (thrown) {
      error = thrown
    }
    if (!this.#between.has(call)) return
    if (pause === undefined || this.#isOver) return this.fail(call, error)
    call.earlier++
    if (pause === 0) return this.#resume(call)
    this.#between.set(call, nowMs() + pause)
    call.pause = new Timer(pause, () => this.#resume(call))
    if (!this.#referenced) call.pause.unref()
  }

  #resume(call: AnyCall): void {
    this.#remove(call)
    this.#owner.resend(call)
  }

  /** Removes a call. Returns false if it is not between two attempts. */
  #remove(call: CallFuture<unknown>): boolean {
    if (!this.#between.delete(call)) return false
    const { pause } = call as AnyCall
    pause?.clear()
    ;(call as AnyCall).pause = undefined
    return true
  }

  fail(call: AnyCall, error: unknown): void {
    if (this.#remove(call)) this.#owner.fail(call, error)
  }

  cancel(call: CallFuture<unknown>): boolean {
    if (!this.#remove(call)) return false
    this.#owner.countCancelled()
    return true
  }

  /** When the next pause ends, by `nowMs()`; Infinity when there is none. */
  get nextDue(): number {
    let next = Infinity
    for (const due of this.#between.values()) next = Math.min(next, due)
    return next
  }

  /** Makes the attempts whose pauses are over: for a thread that is blocked, where timers do not run. */
  resumeDue(): void {
    const now = nowMs()
    for (const [call, due] of this.#between) {
      if (due <= now) this.#resume(call as AnyCall)
    }
  }

  /** Whether pauses hold the event loop. */
  setReferenced(referenced: boolean): void {
    this.#referenced = referenced
    for (const call of this.#between.keys()) {
      const { pause } = call as AnyCall
      if (referenced) pause?.ref()
      else pause?.unref()
    }
  }

  /** From now on a failed attempt is the last one of its call. */
  stop(): void {
    this.#isOver = true
  }

  /** In a fork: the calls are the parent's. */
  leaveBehind(): void {
    this.stop()
    for (const call of this.#between.keys()) this.#remove(call)
  }
}
