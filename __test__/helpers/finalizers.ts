// Helpers of the tests of finalizers.

import { Finalize } from 'millrace'

/** Makes finalizers that note in `calls` when they run. */
export function spy(): {
  calls: string[]
  made: (name: string, exitPriority: number, obj?: object) => Finalize<[string], number>
} {
  const calls: string[] = []
  const say = (name: string): number => calls.push(name)
  return {
    calls,
    made: (name, exitPriority, obj) => new Finalize(obj ?? null, say, { args: [name], exitPriority }),
  }
}

/** The error of a call with a wrong argument. */
export function argumentError(run: () => unknown): { type: string; code: unknown; message: string } | undefined {
  try {
    run()
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) {
      const { code } = error as NodeJS.ErrnoException
      return { type: error instanceof TypeError ? 'TypeError' : 'RangeError', code, message: error.message }
    }
    throw error
  }
  return undefined
}
