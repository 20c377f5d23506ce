// Errors of executors and pools that refuse calls, or cannot exist.

import { brand, type ErrorDetails, MillraceError } from './base.js'

/** The executor is shut down and takes no further calls. Earlier futures still settle. Make a new executor. */
export class ShutdownError extends MillraceError {
  static {
    brand(this, 'ShutdownError')
  }
  override readonly code: string = 'ERR_MILLRACE_SHUTDOWN'
}

/** The details of a `QueueFullError`. */
export interface QueueFullDetails extends ErrorDetails {
  maxQueue: number
}

/**
 * Every worker has a call and `maxQueue` calls wait already, or others wait for room: the executor refused this call.
 * Await `ready()`, then submit again.
 */
export class QueueFullError extends MillraceError {
  static {
    brand(this, 'QueueFullError')
  }
  override readonly code: string = 'ERR_MILLRACE_QUEUE_FULL'
  readonly maxQueue: number

  constructor(message: string, details: QueueFullDetails) {
    super(message, details)
    this.maxQueue = details.maxQueue
  }
}

/** `Pool.terminate()` ended the pool before this result was there. To let work finish, use `close()` and `join()`. */
export class PoolTerminatedError extends MillraceError {
  static {
    brand(this, 'PoolTerminatedError')
  }
  override readonly code: string = 'ERR_MILLRACE_POOL_TERMINATED'
}

/** The details of a `NestingError`. */
export interface NestingDetails extends ErrorDetails {
  depth: number
}

/**
 * Pools were made in workers of pools, too many levels deep. Nearly always a task module makes a pool when it is
 * loaded: make the pool inside of a function, or only where `isWorker` is false.
 */
export class NestingError extends MillraceError {
  static {
    brand(this, 'NestingError')
  }
  override readonly code: string = 'ERR_MILLRACE_NESTING'
  /** The level that the refused pool would have had. */
  readonly depth: number

  constructor(message: string, details: NestingDetails) {
    super(message, details)
    this.depth = details.depth
  }
}

/** The details of a `ForkUnsafeError`. */
export interface ForkUnsafeDetails extends ErrorDetails {
  reasons: readonly string[]
}

/** The process cannot be forked safely, for `reasons`. Use the start method `'spawn'` or `'forkserver'`. */
export class ForkUnsafeError extends MillraceError {
  static {
    brand(this, 'ForkUnsafeError')
  }
  override readonly code: string = 'ERR_MILLRACE_FORK_UNSAFE'
  readonly reasons: readonly string[]

  constructor(message: string, details: ForkUnsafeDetails) {
    super(message, details)
    this.reasons = details.reasons
  }
}

/** The details of an `UnsupportedPlatformError`. */
export interface UnsupportedPlatformDetails extends ErrorDetails {
  missing: readonly string[]
}

/**
 * Pools cannot run here: the system lacks a feature that has no fallback, or the executable of this process would run
 * the program again as a worker. `missing` names what is missing. That no binary is loaded is a `BindingError`.
 */
export class UnsupportedPlatformError extends MillraceError {
  static {
    brand(this, 'UnsupportedPlatformError')
  }
  override readonly code: string = 'ERR_MILLRACE_UNSUPPORTED_PLATFORM'
  readonly missing: readonly string[]

  constructor(message: string, details: UnsupportedPlatformDetails) {
    super(message, details)
    this.missing = details.missing
  }
}
