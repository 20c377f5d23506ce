import { brand, type ErrorDetails, MillraceError } from './base.js'

/**
 * The executor was shut down and takes no further calls; futures handed out before keep working. Make a new executor.
 */
export class ShutdownError extends MillraceError {
  static {
    brand(this, 'ShutdownError')
  }
  override readonly code: string = 'ERR_MILLRACE_SHUTDOWN'
}

/** The fields of a `QueueFullError`. */
export interface QueueFullDetails extends ErrorDetails {
  maxQueue: number
}

/** `maxQueue` calls wait already; this one was not accepted. Wait for `ready()` and submit again. */
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

/**
 * `Pool.terminate()` ended the pool while this result was outstanding. Use `close()` and `join()` to let work finish.
 */
export class PoolTerminatedError extends MillraceError {
  static {
    brand(this, 'PoolTerminatedError')
  }
  override readonly code: string = 'ERR_MILLRACE_POOL_TERMINATED'
}

/** The fields of a `NestingError`. */
export interface NestingDetails extends ErrorDetails {
  depth: number
}

/**
 * A worker of a pool made a pool, whose worker made a pool, and so on, too deep. Nearly always a task module makes a
 * pool when it is loaded; make it in a function, or only where `isWorker` is false.
 */
export class NestingError extends MillraceError {
  static {
    brand(this, 'NestingError')
  }
  override readonly code: string = 'ERR_MILLRACE_NESTING'
  /** How deep the refused pool would have been. */
  readonly depth: number

  constructor(message: string, details: NestingDetails) {
    super(message, details)
    this.depth = details.depth
  }
}

/** The fields of a `ForkUnsafeError`. */
export interface ForkUnsafeDetails extends ErrorDetails {
  reasons: readonly string[]
}

/** This process cannot be forked safely; `reasons` says why. Use the start method 'spawn' or 'forkserver'. */
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

/** The fields of an `UnsupportedPlatformError`. */
export interface UnsupportedPlatformDetails extends ErrorDetails {
  missing: readonly string[]
}

/**
 * There is no binary for this platform, or the kernel lacks a feature that has no fallback: `missing` names what.
 * Install the package with its optional dependencies, or use a supported platform.
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
