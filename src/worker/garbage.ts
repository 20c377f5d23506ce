// The garbage collector, for a worker that has nothing to do: arguments that are views of the lane keep the host's memory until
// they are collected, and an idle engine collects nothing.

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

let collect: (() => void) | undefined

/** Collects all garbage, which takes some milliseconds. */
export function collectGarbage(): void {
  collect ??= collector()
  collect()
}

/** Only a context that is made while the flag is set has the function. */
function collector(): () => void {
  if (globalThis.gc !== undefined) return globalThis.gc
  try {
    setFlagsFromString('--expose-gc')
    return runInNewContext('gc') as () => void
  } catch {
    // An engine whose flags are frozen comes by when it likes.
    return () => {}
  } finally {
    setFlagsFromString('--no-expose-gc')
  }
}
