// The shape of what a pool tells of itself.

import type { WorkerDeathTask } from '../errors/index.js'

/** One worker process. */
export interface WorkerStats {
  pid: number
  /** Its number in the pool. */
  workerId: number
  state: 'starting' | 'idle' | 'busy' | 'leaving'
  /** The call that it runs. */
  task?: WorkerDeathTask
  /** Calls that it has finished. */
  tasksDone: number
  /** When it was started. */
  startedAt: Date
  /** Resident bytes, where the system tells. */
  rss?: number
}

/** What a pool does and has done; see {@link ProcessPoolExecutor.stats}. */
export interface PoolStats {
  /** Calls that no worker has claimed, wherever they wait. */
  queued: number
  /** Calls that a worker has claimed. */
  running: number
  /** Workers with nothing to do. */
  idle: number
  /** Futures that ended with a value. */
  completed: number
  /** Futures that failed, for whatever reason. */
  failed: number
  /** Futures that were cancelled. */
  cancelled: number
  /** Workers started in the place of others. */
  restarts: number
  workers: WorkerStats[]
}
