// Garbage collections that V8 leaves out: in a worker without work, and where buffers are received one after another.
// A buffer keeps its memory until its collection, and a view of a lane keeps memory of the other side.

import { builtin } from '../util/builtins.js'

let collect: ((options?: { type: 'minor' }) => void) | undefined

/** Bytes of buffers that may be garbage in a worker without work. */
const TOLERATED = 32 << 20

/** Bytes of buffers that survived the last collection of all garbage here. */
let kept = 0

/** Bytes of received buffers after which young garbage is collected: most of these buffers are garbage by then. */
const YOUNG = 32 << 20

/** Bytes of the buffers that were received since the last collection of young garbage. */
let received = 0

/** Collects all garbage, which takes some milliseconds. */
export function collectGarbage(): void {
  collect ??= collector()
  collect()
}

/** Collects all garbage if the memory of buffers has grown by more than `TOLERATED` since the last time. */
export function collectBuffers(): void {
  const { getHeapStatistics } = builtin('node:v8')
  if (getHeapStatistics().external_memory <= kept + TOLERATED) return
  collectGarbage()
  kept = getHeapStatistics().external_memory
}

/**
 * Whether V8 lets young garbage lie, however much memory it has allocated for the buffers in it: since V8 13.0, which
 * came with Node 24.
 */
const WAITS = Number.parseInt(process.versions.v8, 10) >= 13

/**
 * Counts a received buffer, and collects young garbage after every 32 MiB.
 *
 * Such a collection takes some tenths of a millisecond, and the freed memory is used again while it is warm. V8 on its
 * own would collect the whole heap, and that as often, on account of memory that V8 has not allocated (a `borrowed`
 * buffer's) and, since Node 24, of any memory outside of the heap.
 */
export function countReceived(bytes: number, borrowed: boolean): void {
  if (!borrowed && !WAITS) return
  received += bytes
  if (received < YOUNG) return
  received = 0
  collect ??= collector()
  collect({ type: 'minor' })
}

/** Finds the function `gc`: V8 gives it only to contexts that are made while the flag is set. */
function collector(): NonNullable<typeof collect> {
  if (globalThis.gc !== undefined) return globalThis.gc as NonNullable<typeof collect>
  const { setFlagsFromString } = builtin('node:v8')
  try {
    setFlagsFromString('--expose-gc')
    return builtin('node:vm').runInNewContext('gc') as NonNullable<typeof collect>
  } catch {
    // The flags of this engine are frozen: its garbage is collected when V8 likes.
    return () => {}
  } finally {
    setFlagsFromString('--no-expose-gc')
  }
}
