// The one place where it is registered what becomes of a pool that nobody ends: when it is collected, when a pass of
// finalizers comes by, and when its process, or thread, ends.

import { Finalize } from '../finalizers/index.js'
import { EXIT_PRIORITY, isEnding } from '../host/exit.js'
import type { PoolLife } from './life.js'

/** What ends a pool that is there still. */
interface Endable {
  terminate(): unknown
}

/**
 * The finalizer of a pool, which does not hold it. It comes before that of the workers if these have started: then what
 * is unfinished fails while they are there.
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
