// The finalizer of a pool: it ends a pool that nobody has ended, when the pool is collected, in a pass of finalizers,
// and at the end of the process or thread.

import { Finalize } from '../finalizers/index.js'
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
export function watchOver(pool: Endable, life: PoolLife): Finalize<[WeakRef<Endable>, PoolLife]> {
  return new Finalize(pool, endPool, { args: [new WeakRef(pool), life], exitPriority: EXIT_PRIORITY })
}

function endPool(ref: WeakRef<Endable>, life: PoolLife): void {
  if (isEnding()) return life.processEnds()
  const pool = ref.deref()
  if (pool === undefined) life.dropped()
  else pool.terminate()
}
