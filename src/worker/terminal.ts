// The terminal of the program, on which a worker's output appears.

import { native } from '../native/index.js'

/**
 * From now on this process leaves the modes of its terminal alone when it ends: they are the program's. Nothing is
 * written to the standard streams after the last step of `process.exit()`.
 */
export function leaveTerminalAlone(): void {
  const inner = process as unknown as { reallyExit(code?: number): never }
  const { reallyExit } = inner
  inner.reallyExit = (code) => {
    native.letGoOfTerminal()
    return reallyExit.call(process, code)
  }
}
