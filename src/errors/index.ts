// All errors of the package, and a table of their classes.
//
// Each constructor takes `(message, details)`, and each key of `details` becomes the own property of the same name. So
// `new Class(error.message, { ...error })` is a copy of an error. Errors from another process are rebuilt in this way.

import { MillraceError } from './base.js'
import { BindingError } from './binding.js'
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
  TaskMemoryError,
  WorkerDiedError,
  WorkerSpawnError,
  WorkerTerminatedError,
} from './worker.js'

export { type ErrorDetails, MillraceError, withLabel } from './base.js'
export * from './binding.js'
export * from './executor.js'
export * from './future.js'
export * from './task.js'
export * from './worker.js'

/** An error class of this package for code that rebuilds errors: without a check of `details`. */
export type ErrorClass = new (message: string, details: never) => MillraceError

/** Each error class by its name, for rebuilding errors from another process. */
export const errorClasses: ReadonlyMap<string, ErrorClass> = new Map(
  Object.entries<ErrorClass>({
    MillraceError,
    BrokenExecutor,
    BrokenProcessPool,
    WorkerDiedError,
    TaskMemoryError,
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
    BindingError,
  }),
)
