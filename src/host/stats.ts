// The shapes of a pool's statistics.

import type { WorkerDeathTask } from '../errors/index.js'

/** One worker process. */
export interface WorkerStats {
  pid: number
  /** The number of the worker, unique in its pool. */
  workerId: number
  /** `'leaving'`: it was asked to leave, is being stopped, or has left and is not reaped yet. */
  state: 'starting' | 'idle' | 'busy' | 'leaving'
  /** The call that the worker is running. */
  task?: WorkerDeathTask
  /** The number of calls that the worker has finished. */
  tasksDone: number
  /** The time of the worker's start. */
  startedAt: Date
  /** Resident memory in bytes, where the system tells. */
  rss?: number
}

/** Numbers about a pool, present and past; see {@link ProcessPoolExecutor.stats}. */
export interface PoolStats {
  /** Calls that no worker has claimed, wherever they wait: also those in a pause before their next attempt. */
  queued: number
  /**
   * Calls that a worker has claimed and whose futures are not done. The futures of all calls so far are `queued +
   * running + completed + failed + cancelled`.
   */
  running: number
  /** Workers without a call. */
  idle: number
  /** Futures that ended with a value. */
  completed: number
  /** Futures that ended with an error, whatever the reason. */
  failed: number
  /** Futures that were cancelled. */
  cancelled: number
  /** Items of maps that ended with a value, or with an error. The chunks in which they travel count as calls above. */
  items: { completed: number; failed: number }
  /** Workers that were started in place of others. */
  restarts: number
  workers: WorkerStats[]
}
