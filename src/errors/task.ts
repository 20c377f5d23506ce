// Errors of tasks: values that cannot travel, modules that do not load, exits, errors of unknown classes.

import { brand, type ErrorDetails, MillraceError } from './base.js'

/** The details of a `SerializationError`. */
export interface SerializationDetails extends ErrorDetails {
  stage: 'arguments' | 'result'
  path?: string
}

/**
 * The arguments or the result of a call cannot be encoded or decoded: for instance a function, a symbol, a promise, or
 * an object with a getter that throws. Only this call fails. `path` leads to the value: send one that can be cloned.
 */
export class SerializationError extends MillraceError {
  static {
    brand(this, 'SerializationError')
  }
  override readonly code: string = 'ERR_MILLRACE_SERIALIZATION'
  readonly stage: 'arguments' | 'result'
  /** The path to the value, for example `args[0].rows[3].fn` or `result.x`; undefined when decoding failed. */
  readonly path: string | undefined

  constructor(message: string, details: SerializationDetails) {
    super(message, details)
    this.stage = details.stage
    this.path = details.path
  }
}

/**
 * The worker could not load the task's module, or the module has no such export. `cause` is the loader's error. Every
 * call of the task fails at once until the module is repaired; the pool need not be replaced for that.
 */
export class TaskLoadError extends MillraceError {
  static {
    brand(this, 'TaskLoadError')
  }
  override readonly code: string = 'ERR_MILLRACE_TASK_LOAD'
}

/** The details of a `TaskExitError`. */
export interface TaskExitDetails extends ErrorDetails {
  exitCode: number
}

/**
 * The task called `process.exit()`. Only this call fails, and the worker is replaced. A task should throw or return.
 */
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

/** The facts about an error in the process that threw it. */
export interface RemoteOrigin {
  name: string
  stack: string
  pid: number
}

/** The details of a `RemoteError`. */
export interface RemoteErrorDetails extends ErrorDetails {
  remote: RemoteOrigin
  /** The original error's own `code`, of whatever type. */
  code?: unknown
}

/**
 * Stands for an error of a class that this process does not know. `name`, `message`, `code`, `cause` and own fields are
 * those of the original error: compare `name` or `code` instead of using `instanceof`.
 */
export class RemoteError extends MillraceError {
  static {
    brand(this, 'RemoteError')
  }
  /** The original error's own `code`, of whatever type; `ERR_MILLRACE_REMOTE` where the original had none. */
  override readonly code: string
  readonly remote: RemoteOrigin

  constructor(message: string, details: RemoteErrorDetails) {
    super(message, details)
    this.code = 'code' in details && details.code !== undefined ? (details.code as string) : 'ERR_MILLRACE_REMOTE'
    this.remote = details.remote
    Object.defineProperty(this, 'name', { value: details.remote.name, writable: true, configurable: true })
  }
}
