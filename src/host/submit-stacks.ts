// The stacks of submissions, for the errors of calls.

/**
 * Stacks recorded in each `PERIOD_MS`. To record a stack takes longer than the rest of a submission. A program that
 * makes few calls gets all stacks, a program that makes many gets the first of each burst.
 */
const PER_PERIOD = 100
const PERIOD_MS = 100

/** A recorded stack. V8 formats it only when somebody reads it. */
export interface SubmitStack {
  stack?: string
}

export class SubmitStacks {
  #left = PER_PERIOD
  #since = 0

  /** Records the stack outside of `caller`, the public method that the user called. Undefined above the limit. */
  record(caller: (...args: never[]) => unknown): SubmitStack | undefined {
    if (this.#left === 0) {
      const now = performance.now()
      if (now - this.#since < PERIOD_MS) return undefined
      this.#since = now
      this.#left = PER_PERIOD
    }
    this.#left--
    const recorded: SubmitStack = {}
    Error.captureStackTrace(recorded, caller)
    return recorded
  }
}

/** The frames of a recorded stack, without its heading. */
export function framesOf(recorded: SubmitStack | undefined): string | undefined {
  const stack = recorded?.stack
  return stack?.slice(stack.indexOf('\n') + 1)
}
