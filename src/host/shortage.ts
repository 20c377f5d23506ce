// Want of descriptors, processes or memory. Before a pool gives up for that, pools that nobody holds any more give back
// what they have. V8 alone would not collect such a pool soon: its objects are small, and its workers are no objects.

import { collectGarbage } from '../memory/garbage.js'
import { native, type NativePool } from '../native/index.js'
import { monotonicMs } from '../util/clock.js'
import { asSystemError, errnoName, poolFailed } from './failures/system.js'
import { type OpenPool, openPools } from './own-forks.js'

/** Memory that V8 is told of for each worker. An idle worker keeps some more of its own. */
const WORKER_BYTES = 16 << 20

/** Memory that V8 is told of for each pool, for its descriptors: there are fewer of them than there is memory. */
const POOL_BYTES = 4 << 20

/** A collection takes some milliseconds. After one that has found no pool, the next one waits for so long. */
const COLLECT_EVERY_MS = 1000

/** How long the thread waits for workers that leave. Most take some tens of milliseconds. */
const LONGEST_WAIT_MS = 1000

/** After a wait in vain nobody waits for so long: these workers do not leave. */
const NO_WAIT_MS = 10_000

/** The first of the workers that leave is looked for in one pool after the other, so long in each. */
const LOOK_MS = 5

/** Errors by which the system says that there is no more of something that a pool gives back. */
const SHORTAGES = new Set(['EMFILE', 'ENFILE', 'EAGAIN', 'ENOMEM', 'ENOSPC'])

let collectNext = -Infinity
let waitNext = -Infinity

/** Whether an error of a system call tells of a shortage that dropped pools can end. */
export function isShortage(code: string | undefined): boolean {
  return code !== undefined && SHORTAGES.has(code)
}

/**
 * Collects garbage, and closes the pools that nobody holds any more. Their workers leave later.
 *
 * @returns Whether something was given back, or workers are about to leave.
 */
export function closeDropped(): boolean {
  let found = false
  const now = monotonicMs()
  if (now >= collectNext) {
    collectGarbage()
    for (const pool of openPools) if (pool.closeIfDropped()) found = true
    if (!found) collectNext = now + COLLECT_EVERY_MS
  }
  return found || leaving().length > 0
}

/**
 * Does as {@link closeDropped}, and waits until one of the workers is gone. It blocks this thread, as else the caller
 * fails. No user code runs.
 *
 * @returns Whether something was given back: it is worth to try again.
 */
function giveBack(): boolean {
  if (!closeDropped()) return false
  const pools = leaving()
  if (pools.length === 0) return true
  const start = monotonicMs()
  if (start < waitNext) return false
  while (monotonicMs() - start < LONGEST_WAIT_MS) {
    // All of them, so that the next attempt finds all that there is.
    if (pools.map((pool) => pool.reap(LOOK_MS)).includes(true)) return true
  }
  waitNext = monotonicMs() + NO_WAIT_MS
  return false
}

function leaving(): OpenPool[] {
  return [...openPools].filter((pool) => pool.isLeaving)
}

/**
 * Makes a pool, again and again as long as others give something back.
 *
 * @throws WorkerSpawnError for want of descriptors or memory.
 */
export function whileThereIsMore<T>(make: () => T): T {
  for (;;) {
    try {
      return make()
    } catch (error) {
      if (isShortage(asSystemError(error)?.code) && giveBack()) continue
      throw poolFailed(error)
    }
  }
}

/** What V8 was told of one pool. */
export class PoolMemory {
  #bytes = 0

  /** Tells V8 how many workers the pool has; undefined: the pool is gone. */
  set(workers: number | undefined): void {
    const bytes = workers === undefined ? 0 : POOL_BYTES + workers * WORKER_BYTES
    if (bytes === this.#bytes) return
    native.adjustExternalMemory(bytes - this.#bytes)
    this.#bytes = bytes
  }
}

/** A pool could not start a worker: whether something was given back, so that it is worth to try again. */
export function givesBack(pool: NativePool): boolean {
  return isShortage(errnoName(pool.spawnFailureErrno() ?? undefined)) && giveBack()
}
