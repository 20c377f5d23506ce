// Stacks of errors. V8 makes their text when somebody reads it, by `Error.prepareStackTrace` if a program has set that:
// code of the program, which may throw or return anything.

/** An object whose stack is recorded. */
export interface Stacked {
  stack?: string
}

const { captureStackTrace } = Error as Partial<typeof Error>

/** Records the stack outside of `caller`. */
export function recordStack(caller: Function): Stacked {
  const recorded: Stacked = {}
  captureStackTrace?.(recorded, caller)
  return recorded
}

/** The text of a stack; undefined when there is none. */
export function stackOf(stacked: Stacked): string | undefined {
  try {
    const { stack } = stacked
    return typeof stack === 'string' ? stack : undefined
  } catch {
    return undefined
  }
}

/** The frames of a recorded stack, without its heading; undefined when there are none. */
export function framesOf(recorded: Stacked | undefined): string | undefined {
  const stack = recorded && stackOf(recorded)
  const end = stack?.indexOf('\n') ?? -1
  return end < 0 ? undefined : stack!.slice(end + 1)
}

/**
 * Makes errors that have no stacks yet. V8 records none when the limit is no number, and then nothing calls the
 * program's hook.
 */
export function withoutStacks(make: () => void): void {
  const limit = Object.getOwnPropertyDescriptor(Error, 'stackTraceLimit')
  // A program may have frozen the built-in objects: then the limit cannot be set.
  const isSet = Reflect.set(Error, 'stackTraceLimit', undefined)
  try {
    make()
  } finally {
    if (isSet && limit === undefined) Reflect.deleteProperty(Error, 'stackTraceLimit')
    else if (isSet) Object.defineProperty(Error, 'stackTraceLimit', limit!)
  }
}
