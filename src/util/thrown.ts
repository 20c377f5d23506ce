// What was thrown where nobody can catch it, as a process warning.

import { inspect } from './builtins.js'

/** The warning that says so: `detail` shows the error, `cause` is it. */
export function thrownWarning(message: string, error: unknown, code: string): Error {
  const warning = new Error(message, { cause: error })
  warning.name = 'MillraceWarning'
  return Object.assign(warning, { code, detail: show(error) })
}

/** What was thrown as text; it may be an object whose own `inspect` method throws. */
export function show(error: unknown): string {
  try {
    return inspect(error)
  } catch {
    return 'an error that cannot be shown'
  }
}
