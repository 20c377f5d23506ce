// The errors of `warning` events: failures that a pool survives.

import { decodeError } from '../../codec/index.js'
import { MillraceError, WorkerDiedError, WorkerSpawnError } from '../../errors/index.js'
import type { NativeDeath, NativeEvent } from '../../native/index.js'
import { capital } from '../../util/text.js'
import { describeDeath, workerDeath } from './deaths.js'
import { breakError, forkUnsafe } from './pool.js'
import { spawnFailed } from './system.js'

/** Events of failures that a pool survives. */
export type SurvivedEvent = Extract<
  NativeEvent,
  { kind: 'workerLost' | 'startFailed' | 'spawnFailed' | 'forkUnsafe' | 'stray' }
>

/** The error of a `warning` event. */
export function warningOf(event: SurvivedEvent): Error {
  switch (event.kind) {
    case 'workerLost':
      return idleWorkerDied(event.death)
    case 'startFailed': {
      const cause = breakError(event.cause, [event.death])
      return new WorkerSpawnError(
        `Worker ${event.death.pid} ended before it was ready${because(cause)}; ` +
          (event.again ? 'another attempt is made' : 'the pool goes on with fewer'),
        cause === undefined ? {} : { cause },
      )
    }
    case 'spawnFailed':
      return spawnFailed(event.syscall, event.errno)
    case 'forkUnsafe':
      return forkUnsafe('The fork server', event.reasons, 'Workers are spawned instead')
    case 'stray': {
      const { pid, report } = event
      const cause = decodeError(report.codec, report.bytes, { pid })
      return new MillraceError(
        `Worker ${pid} reports an error that belongs to no task, and leaves after its current one${because(cause)}`,
        { cause },
      )
    }
  }
}

function because(cause: unknown): string {
  return cause instanceof Error ? `: ${cause.message}` : ''
}

/** The error for a worker that died while it was idle. */
function idleWorkerDied(death: NativeDeath): WorkerDiedError {
  return new WorkerDiedError(
    `${capital(describeDeath(death))} died while it was idle; no call was lost`,
    workerDeath(death),
  )
}
