// Every error of the package. All constructors are `(message, details)`, and each key of `details` becomes the own
// property of the same name: `new Class(error.message, { ...error })` is a copy, which is how errors are rebuilt from
// another process.

import { MillraceError } from './base.js'
import {
  ForkUnsafeError,
  NestingError,
  PoolTerminatedError,
  QueueFullError,
  ShutdownError,
  UnsupportedPlatformError,
} from './executor.js'
import { CancelledError, InvalidStateError, TaskTimeoutError, TimeoutError } from './future.js'
import { RemoteError, SerializationError, TaskExitError, TaskLoadError } from './task.js'
import {
  BrokenExecutor,
  BrokenProcessPool,
  WorkerDiedError,
  WorkerSpawnError,
  WorkerTerminatedError,
} from './worker.js'

export { type ErrorDetails, MillraceError } from './base.js'
export * from './executor.js'
export * from './future.js'
export * from './task.js'
export * from './worker.js'

/** A class of this package as whoever rebuilds errors sees it: the fields are not checked. */
export type ErrorClass = new (message: string, details: never) => MillraceError

/** Every error class by its name, for rebuilding errors that arrive from another process. */
export const errorClasses: ReadonlyMap<string, ErrorClass> = new Map(
  Object.entries<ErrorClass>({
    MillraceError,
    BrokenExecutor,
    BrokenProcessPool,
    WorkerDiedError,
    CancelledError,
    TimeoutError,
    TaskTimeoutError,
    InvalidStateError,
    ShutdownError,
    QueueFullError,
    SerializationError,
    TaskLoadError,
    TaskExitError,
    RemoteError,
    WorkerSpawnError,
    NestingError,
    WorkerTerminatedError,
    PoolTerminatedError,
    ForkUnsafeError,
    UnsupportedPlatformError,
  }),
)
