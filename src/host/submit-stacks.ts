// Where calls were submitted, for the stacks of their errors.

/**
 * Recording a stack takes longer than the rest of a submit. So only this many are recorded each `PERIOD_MS`: all of
 * them in a program that makes few calls, the first of each burst in one that makes many.
 */
const PER_PERIOD = 100
const PERIOD_MS = 100

/** A recorded stack; formatted only when somebody reads it. */
export interface SubmitStack {
  stack?: string
}

export class SubmitStacks {
  #left = PER_PERIOD
  #since = 0

  /** The stack outside of `caller`, the public method that the user called; undefined when too many were recorded. */
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
