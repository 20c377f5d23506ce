// `process.exit()` in a worker: an outcome of the calling task, and not a death.

import { builtin } from '../util/builtins.js'

/**
 * Has `onExit` called with the exit code before `process.exit()` ends the process. Returns a function that exits
 * without calling `onExit`. `process.reallyExit`, `abort` and signals are no exits in this sense: to the host they are
 * the worker's death.
 */
export function interceptExit(onExit: (code: number) => void): (code: number) => never {
  const exit = process.exit.bind(process)
  let exiting = false
  const intercepted = (code?: number | string | null): never => {
    // The assignment checks the code, as process.exit() does: for a bad code it throws, and nothing exits.
    if (code !== undefined && code !== null) process.exitCode = code
    if (!exiting) {
      // An 'exit' listener that calls process.exit() again must not report a second outcome.
      exiting = true
      onExit(Number(process.exitCode ?? 0))
    }
    return exit()
  }
  process.exit = intercepted as typeof process.exit
  // Named imports from 'node:process' are copies: this updates them.
  builtin('node:module').syncBuiltinESMExports()
  return (code) => {
    exiting = true
    return exit(code)
  }
}
