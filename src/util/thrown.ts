// What was thrown where nobody can catch it, as a process warning.

import { show } from './text.js'

/** The warning that says so: `detail` shows the error, `cause` is it. */
export function thrownWarning(message: string, error: unknown, code: string): Error {
  const warning = new Error(message, { cause: error })
  warning.name = 'MillraceWarning'
  return Object.assign(warning, { code, detail: show(error) })
}
