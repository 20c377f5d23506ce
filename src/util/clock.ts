// The clocks. The functions behind them are taken when the package is loaded: fake timers replace those that a program
// sees, and a time limit by a fake clock would be none.

import { builtin } from './builtins.js'

const { hrtime, uptime } = process

/**
 * Milliseconds by a clock that only goes forward. The first use of `performance` would cost the start of a worker a
 * millisecond.
 */
export function monotonicMs(): number {
  return uptime() * 1000
}

let origin: number | undefined

/** The same clock with the origin of `performance.now()`, by which futures of a program's own understand deadlines. */
export function nowMs(): number {
  return uptime() * 1000 + (origin ??= builtin('node:perf_hooks').performance.now() - uptime() * 1000)
}

/** As `monotonicMs` in half of the time, for what is done once a call. More fake timers know the function behind it. */
export function quickMs(): number {
  const [seconds, nanoseconds] = hrtime()
  return seconds * 1e3 + nanoseconds / 1e6
}
