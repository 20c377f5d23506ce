// process.exit() inside a worker: an outcome of the task that calls it, and not a death.

import { syncBuiltinESMExports } from 'node:module'

/**
 * Has `onExit` called with the exit code before the process ends by `process.exit()`. `process.reallyExit`, `abort` and
 * signals are not exits in this sense: the host sees them as the worker's death.
 */
export function interceptExit(onExit: (code: number) => void): (code: number) => never {
  const exit = process.exit.bind(process)
  let exiting = false
  const intercepted = (code?: number | string | null): never => {
    // Assigning validates, as process.exit() does: a bad code throws at the call and nothing exits.
    if (code !== undefined && code !== null) process.exitCode = code
    if (!exiting) {
      // An 'exit' listener that calls process.exit() again must not report a second outcome.
      exiting = true
      onExit(Number(process.exitCode ?? 0))
    }
    return exit()
  }
  process.exit = intercepted as typeof process.exit
  // What a module imports by name from 'node:process' is a copy.
  syncBuiltinESMExports()
  return (code) => {
    exiting = true
    return exit(code)
  }
}
