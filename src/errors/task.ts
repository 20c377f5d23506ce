import { brand, type ErrorDetails, MillraceError } from './base.js'

/** The fields of a `SerializationError`. */
export interface SerializationDetails extends ErrorDetails {
  stage: 'arguments' | 'result'
  path?: string
}

/**
 * The arguments or the result of a call cannot be encoded or decoded: a function, a symbol, a promise, a throwing
 * getter. Only that call fails. `path` points at the offending value; send something that can be cloned instead.
 */
export class SerializationError extends MillraceError {
  static {
    brand(this, 'SerializationError')
  }
  override readonly code: string = 'ERR_MILLRACE_SERIALIZATION'
  readonly stage: 'arguments' | 'result'
  /** For example `args[0].rows[3].fn` or `result.x`; undefined when decoding failed. */
  readonly path: string | undefined

  constructor(message: string, details: SerializationDetails) {
    super(message, details)
    this.stage = details.stage
    this.path = details.path
  }
}

/**
 * The worker could not load the task's module, or the module has no such export; the `cause` is the loader's error.
 * Every call to it fails at once until the module is repaired; a new pool is not needed then.
 */
export class TaskLoadError extends MillraceError {
  static {
    brand(this, 'TaskLoadError')
  }
  override readonly code: string = 'ERR_MILLRACE_TASK_LOAD'
}

/** The fields of a `TaskExitError`. */
export interface TaskExitDetails extends ErrorDetails {
  exitCode: number
}

/** The task called `process.exit()`. Only this call fails; the worker is replaced. Throw an error or return instead. */
export class TaskExitError extends MillraceError {
  static {
    brand(this, 'TaskExitError')
  }
  override readonly code: string = 'ERR_MILLRACE_TASK_EXIT'
  readonly exitCode: number

  constructor(message: string, details: TaskExitDetails) {
    super(message, details)
    this.exitCode = details.exitCode
  }
}

/** What is known of an error in the process where it was thrown. */
export interface RemoteOrigin {
  name: string
  stack: string
  pid: number
}

/** The fields of a `RemoteError`. */
export interface RemoteErrorDetails extends ErrorDetails {
  remote: RemoteOrigin
  /** The original's own `code`, whatever its type. */
  code?: unknown
}

/**
 * Stands for an error of a class that this process does not know. Its `name`, `message`, `code`, own fields and `cause`
 * are the original's: compare `name` or `code` where you would have used `instanceof`.
 */
export class RemoteError extends MillraceError {
  static {
    brand(this, 'RemoteError')
  }
  /** The original's own `code`, which need not be a string then; else `ERR_MILLRACE_REMOTE`. */
  override readonly code: string
  readonly remote: RemoteOrigin

  constructor(message: string, details: RemoteErrorDetails) {
    super(message, details)
    this.code = 'code' in details && details.code !== undefined ? (details.code as string) : 'ERR_MILLRACE_REMOTE'
    this.remote = details.remote
    Object.defineProperty(this, 'name', { value: details.remote.name, writable: true, configurable: true })
  }
}
