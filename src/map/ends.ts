// What ends a `map`, and what fails only an item.

import { isOfTask } from '../codec/error-rebuild.js'
import {
  BrokenExecutor,
  CancelledError,
  MillraceError,
  PoolTerminatedError,
  ShutdownError,
  WorkerDiedError,
  WorkerSpawnError,
} from '../errors/index.js'

/**
 * Whether an error of a call tells that an executor runs no items any more, or cannot: that is no fault of the item's.
 * What a task has thrown is always the item's, whatever its class.
 */
export function endsMap(error: unknown): boolean {
  if (!(error instanceof MillraceError)) return false
  const isEnd =
    error instanceof ShutdownError ||
    error instanceof CancelledError ||
    error instanceof PoolTerminatedError ||
    error instanceof WorkerSpawnError ||
    (error instanceof BrokenExecutor && !(error instanceof WorkerDiedError))
  return isEnd && !isOfTask(error)
}
