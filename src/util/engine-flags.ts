// Flags of V8 that are set while the process runs.

import { builtin } from './builtins.js'

/** Whether V8's flags cannot be set any more: an attempt would end the process. */
const areFrozen = process.execArgv.some((option) => /^--freeze[-_]flags[-_]after[-_]init$/.test(option))

/**
 * Calls a function while a flag of V8 is set, then sets the flag back. Returns undefined, and calls nothing, where the
 * flags of this engine are frozen.
 */
export function withEngineFlag<T>(flag: string, flagBack: string, callback: () => T): T | undefined {
  if (areFrozen) return undefined
  const { setFlagsFromString } = builtin('node:v8')
  setFlagsFromString(flag)
  try {
    return callback()
  } finally {
    setFlagsFromString(flagBack)
  }
}
