// Why the native pool took no call, as errors.

import {
  BrokenProcessPool,
  QueueFullError,
  SerializationError,
  ShutdownError,
  type WorkerSpawnError,
} from '../../errors/index.js'
import { spawnFailed } from './system.js'
import type { NativePool } from '../../native/index.js'
import { Refused } from '../../wire/index.js'

/** The error for a refused call of so many bytes. */
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

/** Why the native pool could not start a worker just now. */
export function spawnRefusal(native: NativePool): WorkerSpawnError {
  return spawnFailed(native.spawnFailureSyscall() ?? 'posix_spawn', native.spawnFailureErrno() ?? undefined)
}
