// Process warnings about errors that no caller can catch.

import { show } from './text.js'

/** The warning about a thrown error: `cause` is the error, `detail` shows the error as text. */
export function thrownWarning(message: string, error: unknown, code: string): Error {
  const warning = new Error(message, { cause: error })
  warning.name = 'MillraceWarning'
  return Object.assign(warning, { code, detail: show(error) })
}
