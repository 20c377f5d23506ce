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
      return new QueueFullError(`${maxQueue} calls wait already, which is maxQueue: await ready() and submit again`, {
        maxQueue,
      })
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

/** The error for a worker that the native pool could not start just now. */
export function spawnRefusal(native: NativePool): WorkerSpawnError {
  return spawnFailed(native.spawnFailureSyscall() ?? 'posix_spawn', native.spawnFailureErrno() ?? undefined)
}
