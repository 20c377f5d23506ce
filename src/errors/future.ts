// Errors of futures: cancelled, timed out, in the wrong state.

import { brand, type ErrorDetails, MillraceError } from './base.js'

/**
 * The call has no result: it was cancelled before it ran, or stopped by `cancel({ kill: true })` or an aborted signal.
 * The signal's reason is then the `cause`. Submit the call again if it is still wanted.
 */
export class CancelledError extends MillraceError {
  static {
    brand(this, 'CancelledError')
  }
  override readonly code: string = 'ERR_MILLRACE_CANCELLED'
}

/**
 * The time of a wait is over: of `result({ timeout })`, `exception`, `resultSync`, `asCompleted`, `map` or `shutdown`.
 * Only the wait has ended. The call goes on, and the program may wait again. To stop the call itself, use
 * `run({ timeout })` or `cancel({ kill: true })`.
 */
export class TimeoutError extends MillraceError {
  static {
    brand(this, 'TimeoutError')
  }
  override readonly code: string = 'ERR_MILLRACE_TIMEOUT'
}

/** The details of a `TaskTimeoutError`. */
export interface TaskTimeoutDetails extends ErrorDetails {
  timeout: number
  pid: number
}

/**
 * A call ran longer than its own `timeout` and was stopped together with its worker, which is replaced. The time counts
 * from the moment when a worker claims the call. Allow the call more time, or let the task listen to
 * `taskContext().signal` and give it a `grace` to clean up.
 */
export class TaskTimeoutError extends TimeoutError {
  static {
    brand(this, 'TaskTimeoutError')
  }
  override readonly code: string = 'ERR_MILLRACE_TASK_TIMEOUT'
  /** The time that the call was allowed, in milliseconds. */
  readonly timeout: number
  /** The process id of the stopped worker. */
  readonly pid: number

  constructor(message: string, details: TaskTimeoutDetails) {
    super(message, details)
    this.timeout = details.timeout
    this.pid = details.pid
  }
}

/**
 * The object's present state does not allow the operation: for instance settling a settled future. The object is
 * unchanged. The calling program has a mistake: only one party may settle a future.
 */
export class InvalidStateError extends MillraceError {
  static {
    brand(this, 'InvalidStateError')
  }
  override readonly code: string = 'ERR_MILLRACE_INVALID_STATE'
}
