// The garbage collector, for a worker that has nothing to do: an idle engine collects nothing. Buffers keep memory until they are
// collected, and arguments that are views of the lane keep that of the host.

import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

let collect: (() => void) | undefined

/** So much memory of buffers may be garbage in a worker that has nothing to do. */
const TOLERATED = 32 << 20

/** Memory of buffers that was not garbage when that was last looked at. */
let kept = 0

/** Collects all garbage, which takes some milliseconds. */
export function collectGarbage(): void {
  collect ??= collector()
  collect()
}

/** Collects garbage if there may be much of it in buffers. */
export function collectBuffers(): void {
  if (getHeapStatistics().external_memory <= kept + TOLERATED) return
  collectGarbage()
  kept = getHeapStatistics().external_memory
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
