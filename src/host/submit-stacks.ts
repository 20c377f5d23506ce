// The stacks of submissions, for the errors of calls.

import { quickMs } from '../util/clock.js'
import { recordStack, type Stacked } from '../util/stacks.js'

/**
 * Stacks recorded in each `PERIOD_MS`. To record a stack takes longer than the rest of a submission. A program that
 * makes few calls gets all stacks, a program that makes many gets the first of each burst.
 */
const PER_PERIOD = 100
const PERIOD_MS = 100

export class SubmitStacks {
  #left = PER_PERIOD
  #since = 0

  /** Records the stack outside of `caller`, the public method that the user called. Undefined above the limit. */
  record(caller: (...args: never[]) => unknown): Stacked | undefined {
    if (this.#left === 0) {
      const now = quickMs()
      if (now - this.#since < PERIOD_MS) return undefined
      this.#since = now
      this.#left = PER_PERIOD
    }
    this.#left--
    return recordStack(caller)
  }
}
