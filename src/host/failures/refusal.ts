// The errors of calls that the native pool has refused.

import {
  BrokenProcessPool,
  QueueFullError,
  SerializationError,
  ShutdownError,
  type WorkerSpawnError,
} from '../../errors/index.js'
import type { NativePool } from '../../native/index.js'
import { Refused } from '../../wire/index.js'
import { spawnFailed } from './system.js'

/** The error for a refused call with a payload of `bytes` bytes. */
export function refusalError(
  reason: number,
  native: NativePool,
  { bytes, maxQueue, broken }: { bytes: number; maxQueue: number; broken: (() => BrokenProcessPool) | undefined },
): Error {
  switch (reason) {
    case Refused.queueFull:
      return new QueueFullError(queueFull(maxQueue), { maxQueue })
    case Refused.spawn:
      return spawnRefusal(native)
    case Refused.tooLarge:
      return new SerializationError(`The arguments take ${bytes} bytes, more than a lane can hold`, {
        stage: 'arguments',
      })
    case Refused.broken:
      return broken?.() ?? new BrokenProcessPool('The process pool is broken')
    default:
      return new ShutdownError('cannot schedule new futures after shutdown')
  }
}

/** For example "All workers are busy, and 3 calls wait already (maxQueue: 3): …". */
function queueFull(maxQueue: number): string {
  const waiting =
    maxQueue === 0 ? 'no call may wait' : `${maxQueue} ${maxQueue === 1 ? 'call waits' : 'calls wait'} already`
  return (
    `All workers are busy, and ${waiting} (maxQueue: ${maxQueue}), or the room is kept for others who await ready(): ` +
    'await ready() and submit again'
  )
}

/** The error for a worker that the native pool could not start just now. */
export function spawnRefusal(native: NativePool): WorkerSpawnError {
  return spawnFailed(native.spawnFailureSyscall() ?? 'posix_spawn', native.spawnFailureErrno() ?? undefined)
}
