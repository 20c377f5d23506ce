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
  { kind: 'workerLost' | 'workerSilent' | 'signalRefused' | 'startFailed' | 'spawnFailed' | 'forkUnsafe' | 'stray' }
>

/**
 * The error of a `warning` event.
 *
 * @param taskName - The name of the task with a number.
 */
export function warningOf(event: SurvivedEvent, taskName: (index: number) => string | undefined): Error {
  switch (event.kind) {
    case 'workerLost':
      return idleWorkerDied(event.death)
    case 'workerSilent':
      return silentWorkerEnded(event, typeof event.lastTask === 'number' ? taskName(event.lastTask) : undefined)
    case 'signalRefused':
      return signalRefused(event.pid)
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

/** The error for a worker that this process may not signal. */
function signalRefused(pid: number): MillraceError {
  return new MillraceError(
    `The system does not let this process signal worker ${pid} (EPERM): most often the program has changed its user ` +
      'or group (process.setuid, setgid) after the worker was started. The worker is ended through its lifeline ' +
      'instead, without SIGTERM. Hint: change the user before the pool starts workers',
  )
}

/** The error for a worker that was ended because it did not come to its calls. */
function silentWorkerEnded(
  { death, silentMs }: Extract<NativeEvent, { kind: 'workerSilent' }>,
  lastTask: string | undefined,
): WorkerDiedError {
  const seconds = Math.round(silentMs / 1000)
  const last = lastTask === undefined ? '' : `The last task that it had finished was '${lastTask}'. `
  const hint =
    'an earlier task, the initializer or a module has left code behind that does not yield: look for timers and ' +
    'promise loops that never end; or the process was stopped (SIGSTOP)'
  return new WorkerDiedError(
    `Worker ${death.pid} ran no task and did not come to its calls for ${seconds} s: the pool has ended it. ` +
      `Its calls had not started, and none was lost. ${last}Hint: ${hint}`,
    { ...workerDeath(death), hint },
  )
}
