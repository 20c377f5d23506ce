// The finalizer of a pool: it ends a pool that nobody has ended, when the pool is collected, in a pass of finalizers,
// and at the end of the process or thread.

import type { Entry } from '../finalizers/entry.js'
import { registry } from '../finalizers/registry.js'
import { EXIT_PRIORITY, isEnding } from '../host/exit.js'
import type { PoolLife } from './life.js'

/** A pool, as its finalizer sees it. */
interface Endable {
  terminate(): unknown
}

/**
 * Makes the finalizer of a pool, which does not hold the pool. A pool registers it after the finalizer of its workers,
 * so that it runs before that one: unfinished jobs fail while the workers are still there.
 */
export function watchOver(pool: Endable, life: PoolLife): Entry {
  // Without an async context: its stores may hold the pool.
  return registry.add(pool, endPool, [new WeakRef(pool), life], EXIT_PRIORITY)
}

function endPool(ref: WeakRef<Endable>, life: PoolLife): void {
  if (isEnding()) return life.processEnds()
  const pool = ref.deref()
  if (pool === undefined) life.dropped()
  else pool.terminate()
}
