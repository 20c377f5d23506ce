// The shapes of a pool's statistics.

import type { WorkerDeathTask } from '../errors/index.js'

/** One worker process. */
export interface WorkerStats {
  pid: number
  /** The number of the worker, unique in its pool. */
  workerId: number
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
  /** Calls that no worker has claimed, wherever they wait. */
  queued: number
  /** Calls that a worker has claimed. */
  running: number
  /** Workers without a call. */
  idle: number
  /** Futures that ended with a value. */
  completed: number
  /** Futures that ended with an error. */
  failed: number
  /** Futures that were cancelled. */
  cancelled: number
  /** Workers that were started in place of others. */
  restarts: number
  workers: WorkerStats[]
}
