// The errors of `warning` events: failures that a pool survives.

import { MillraceError, WorkerDiedError, WorkerSpawnError } from '../../errors/index.js'
import type { NativeDeath, NativeEvent } from '../../native/index.js'
import { capital } from '../../util/text.js'
import { describeDeath, workerDeath } from './deaths.js'
import { breakCause, forkUnsafe } from './pool.js'
import { spawnFailed } from './system.js'

/** The error of a `warning` event. */
export function warningOf(event: NativeEvent): Error {
  const cause = breakCause(event)
  const details = cause === undefined ? {} : { cause }
  const message = cause instanceof Error ? `: ${cause.message}` : ''
  const death = event.deaths?.[0]
  switch (event.kind) {
    case 'workerLost':
      return idleWorkerDied(death!)
    case 'startFailed':
      return new WorkerSpawnError(
        `Worker ${death?.pid} ended before it was ready${message}; ` +
          (event.again ? 'another attempt is made' : 'the pool goes on with fewer'),
        details,
      )
    case 'spawnFailed':
      return spawnFailed(event.syscall ?? 'posix_spawn', event.errno)
    case 'forkUnsafe':
      return forkUnsafe('The fork server', event.reasons ?? '', 'Workers are spawned instead')
    default:
      return new MillraceError(
        `Worker ${event.pid} reports an error that belongs to no task, and leaves after its current one${message}`,
        details,
      )
  }
}

/** The error for a worker that died while it was idle. */
function idleWorkerDied(death: NativeDeath): WorkerDiedError {
  return new WorkerDiedError(
    `${capital(describeDeath(death))} died while it was idle; no call was lost`,
    workerDeath(death),
  )
}
