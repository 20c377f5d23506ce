// Garbage collections that V8 leaves out: in a worker without work, and where buffers are received one after another.
// A buffer keeps its memory until its collection, and a view of a lane keeps memory of the other side.

import { builtin } from '../util/builtins.js'
import { withEngineFlag } from '../util/engine-flags.js'

let collect: ((options?: { type: 'minor' }) => void) | undefined

/** Bytes of buffers that may be garbage in a worker without work. */
const TOLERATED_BYTES = 32 << 20

/** External memory in bytes after the last collection by `collectBuffers`. */
let keptBytes = 0

/** Most bytes of received buffers after which young garbage is collected: most of these buffers are garbage then. */
const YOUNG_BYTES = 32 << 20

/** A received buffer counts as so many bytes at least: a lane has a certain number of buffers to lend. */
const LEAST_BYTES = 128 << 10

/** Bytes of received buffers after which young garbage is collected no sooner than by `YOUNG_BYTES`. */
const RAMP_BYTES = 8 * YOUNG_BYTES

/** Bytes of all received buffers. */
let receivedBytes = 0

/** What {@link receivedBytes} is at the next collection of young garbage. */
let collectAt = 0

/** Collects all garbage, which takes some milliseconds. */
export function collectGarbage(): void {
  collect ??= collector()
  collect()
}

/** Collects all garbage if the memory of buffers has grown by more than `TOLERATED_BYTES` since the last time. */
export function collectBuffers(): void {
  const { getHeapStatistics } = builtin('node:v8')
  if (getHeapStatistics().external_memory <= keptBytes + TOLERATED_BYTES) return
  collectGarbage()
  keptBytes = getHeapStatistics().external_memory
}

/**
 * Whether V8 lets young garbage lie, however much memory it has allocated for the buffers in it: since V8 13.0, which
 * came with Node 24.
 */
const V8_LETS_YOUNG_GARBAGE_LIE = Number.parseInt(process.versions.v8, 10) >= 13

/**
 * Counts a received buffer, and collects young garbage after every 32 MiB; sooner at first, down to `sparing` MiB. What
 * is not collected yet keeps its memory, and the next buffer needs other memory: fresh one, which costs more than such
 * a collection. So a process that has received little uses little.
 *
 * Such a collection takes some tenths of a millisecond, and the freed memory is used again while it is warm. V8 on its
 * own would collect the whole heap, and that as often, on account of memory that V8 has not allocated (a `borrowed`
 * buffer's) and, since Node 24, of any memory outside of the heap.
 *
 * @param sparing - A buffer that is in use in two collections is moved to where only collections of the whole heap find
 * it. So there have to be some more bytes than are in use at a time.
 */
export function countReceived(bytes: number, borrowed: boolean, sparing: number): void {
  if (!borrowed && !V8_LETS_YOUNG_GARBAGE_LIE && receivedBytes > RAMP_BYTES) return
  receivedBytes += borrowed ? Math.max(bytes, LEAST_BYTES) : bytes
  if (receivedBytes < collectAt) return
  const first = collectAt === 0
  collectAt = receivedBytes + Math.min(YOUNG_BYTES, Math.max(sparing << 20, receivedBytes / 8))
  if (first) return
  collect ??= collector()
  collect({ type: 'minor' })
}

/** Finds the function `gc`: V8 gives it only to contexts that are made while the flag is set. */
function collector(): NonNullable<typeof collect> {
  if (globalThis.gc !== undefined) return globalThis.gc as NonNullable<typeof collect>
  // Without the function, garbage is collected when V8 likes.
  return (withEngineFlag('--expose-gc', '--no-expose-gc', newGlobal) ?? (() => {})) as NonNullable<typeof collect>
}

/** The function `gc` of a new context; undefined if there is none. */
function newGlobal(): unknown {
  try {
    return builtin('node:vm').runInNewContext('gc')
  } catch {
    return undefined
  }
}
