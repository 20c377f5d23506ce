import { brand, type ErrorDetails, MillraceError } from './base.js'

/**
 * The future was cancelled before its call ran, or the call was stopped by `cancel({ kill: true })` or an aborted
 * signal, whose reason is then the `cause`. The call has no result; submit it again if it is still wanted.
 */
export class CancelledError extends MillraceError {
  static {
    brand(this, 'CancelledError')
  }
  override readonly code: string = 'ERR_MILLRACE_CANCELLED'
}

/**
 * A wait ran out: `result({ timeout })`, `exception`, `resultSync`, `asCompleted`, `map` or `shutdown`. Only the
 * waiting ended; the task goes on, and one may wait again. To stop the task itself use `run({ timeout })` or
 * `cancel({ kill: true })`.
 */
export class TimeoutError extends MillraceError {
  static {
    brand(this, 'TimeoutError')
  }
  override readonly code: string = 'ERR_MILLRACE_TIMEOUT'
}

/** The fields of a `TaskTimeoutError`. */
export interface TaskTimeoutDetails extends ErrorDetails {
  timeout: number
  pid: number
}

/**
 * A call ran longer than its own `timeout` and was stopped, together with its worker, which is replaced. The clock
 * starts when a worker claims the call. Allow it more time, or make the task listen to `taskContext().signal` and give
 * it a
 * `grace` in which to clean up.
 */
export class TaskTimeoutError extends TimeoutError {
  static {
    brand(this, 'TaskTimeoutError')
  }
  override readonly code: string = 'ERR_MILLRACE_TASK_TIMEOUT'
  /** Milliseconds that the call was allowed. */
  readonly timeout: number
  /** The worker that was stopped. */
  readonly pid: number

  constructor(message: string, details: TaskTimeoutDetails) {
    super(message, details)
    this.timeout = details.timeout
    this.pid = details.pid
  }
}

/**
 * An operation that the object's present state does not allow, such as settling a settled future. The object is
 * unchanged. It is a mistake in the calling program: only one party may settle a future.
 */
export class InvalidStateError extends MillraceError {
  static {
    brand(this, 'InvalidStateError')
  }
  override readonly code: string = 'ERR_MILLRACE_INVALID_STATE'
}
