// The garbage collector, where it does not come by itself when it should: in a worker that has nothing to do, and where
// buffers are received one after another. Buffers keep memory until they are collected, and those that are views of a
// lane keep that of the other side.

import { builtin } from '../util/builtins.js'

let collect: ((options?: { type: 'minor' }) => void) | undefined

/** So much memory of buffers may be garbage in a worker that has nothing to do. */
const TOLERATED = 32 << 20

/** Memory of buffers that was not garbage when that was last looked at. */
let kept = 0

/** After so many bytes of buffers, young garbage is collected: what most of them are by then. */
const YOUNG = 32 << 20

/** Bytes of the buffers that were received since. */
let received = 0

/** Collects all garbage, which takes some milliseconds. */
export function collectGarbage(): void {
  collect ??= collector()
  collect()
}

/** Collects garbage if there may be much of it in buffers. */
export function collectBuffers(): void {
  const { getHeapStatistics } = builtin('node:v8')
  if (getHeapStatistics().external_memory <= kept + TOLERATED) return
  collectGarbage()
  kept = getHeapStatistics().external_memory
}

/**
 * Whether V8 leaves young garbage alone, however large the buffers are that it has allocated for it: since 13.0, of
 * Node 24.
 */
const WAITS = Number.parseInt(process.versions.v8, 10) >= 13

/**
 * Counts a buffer that was received, and collects young garbage if there were many. That takes some tenths of a
 * millisecond, and the memory is used again while it is warm. V8 itself collects all garbage, and that as often, for
 * the sake of memory that it has not allocated, which `borrowed` is, and lately of any outside of its heap.
 */
export function countReceived(bytes: number, borrowed: boolean): void {
  if (!borrowed && !WAITS) return
  received += bytes
  if (received < YOUNG) return
  received = 0
  collect ??= collector()
  collect({ type: 'minor' })
}

/** Only a context that is made while the flag is set has the function. */
function collector(): NonNullable<typeof collect> {
  if (globalThis.gc !== undefined) return globalThis.gc as NonNullable<typeof collect>
  const { setFlagsFromString } = builtin('node:v8')
  try {
    setFlagsFromString('--expose-gc')
    return builtin('node:vm').runInNewContext('gc') as NonNullable<typeof collect>
  } catch {
    // An engine whose flags are frozen comes by when it likes.
    return () => {}
  } finally {
    setFlagsFromString('--no-expose-gc')
  }
}
