// The reports of a pool about itself: statistics, and a list of its futures.

import type { NativePool } from '../native/index.js'
import { Date } from '../util/globals.js'
import type { CallFuture } from './call-future.js'
import { describeCall } from './failures/deaths.js'
import type { PoolStats, WorkerStats } from './stats.js'

/** Futures by call number. */
type Futures = readonly (CallFuture<unknown> | undefined)[]

/** The number of futures in a dump. More of them would tell no more. */
const DUMPED_FUTURES = 20

export function poolStats(
  native: NativePool,
  futures: Futures,
  { unfinished, paused }: { unfinished: number; paused: number },
  counts: Pick<PoolStats, 'completed' | 'failed' | 'cancelled' | 'items'>,
): PoolStats {
  const now = Date.now()
  const workers = native.workerStats().map((worker): WorkerStats => {
    const { pid, workerId, state, tasksDone, rss, running } = worker
    const task = typeof running === 'number' ? futures[running]?.describe() : undefined
    return {
      pid,
      workerId,
      state: state as WorkerStats['state'],
      ...(task === undefined ? {} : { task }),
      tasksDone,
      startedAt: new Date(now - worker.age),
      ...(typeof rss === 'number' ? { rss } : {}),
    }
  })
  const { queued } = native
  return {
    queued: queued + paused,
    // Not counted by workers: a call whose result nobody has read is claimed, too, and so the numbers add up.
    running: Math.max(0, unfinished - queued),
    idle: workers.filter(({ state }) => state === 'idle').length,
    ...counts,
    restarts: native.restarts,
    workers,
  }
}

/** One line for each of the first unfinished futures. */
export function dumpFutures(futures: Futures): string {
  return futures
    .filter((future) => future !== undefined)
    .slice(0, DUMPED_FUTURES)
    .map((future) => `  future ${describeCall(future.describe())}: ${future.state}\n`)
    .join('')
}
