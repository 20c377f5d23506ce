// Errors of workers: deaths, broken executors, failed starts.

import { brand, type ErrorDetails, MillraceError } from './base.js'

/** The call that a worker was running at its death. */
export interface WorkerDeathTask {
  taskId: number
  /** The name of the task's function, if it has a name. */
  name: string
  /** The `label` that the caller gave to `run()`. */
  label?: string
}

/** The end of one worker process. `exitCode` and `signal` are both null when another party reaped the process. */
export interface WorkerDeath {
  pid: number
  exitCode: number | null
  signal: NodeJS.Signals | null
  /** The call that the worker was running; absent when the worker was idle. */
  task?: WorkerDeathTask
}

/**
 * The executor is broken and runs no further calls. All its unfinished futures have failed with this error, and each
 * later `submit()` throws it. Make a new executor, and submit again the calls that may run twice: each may have run in
 * part.
 */
export class BrokenExecutor extends MillraceError {
  static {
    brand(this, 'BrokenExecutor')
  }
  override readonly code: string = 'ERR_MILLRACE_BROKEN_EXECUTOR'
}

/** The details of a `BrokenProcessPool`. */
export interface BrokenProcessPoolDetails extends ErrorDetails {
  workers?: readonly WorkerDeath[]
}

/**
 * The pool is broken, because a worker died under `onWorkerDeath: 'break'`, an initializer failed (its error is the
 * `cause`), or workers died again and again before they could work. `workers` tells how each died and during which
 * call. Under `onWorkerDeath: 'isolate'` only the calls of the dead worker fail.
 */
export class BrokenProcessPool extends BrokenExecutor {
  static {
    brand(this, 'BrokenProcessPool')
  }
  override readonly code: string = 'ERR_MILLRACE_BROKEN_PROCESS_POOL'
  /** The workers whose deaths broke the pool; empty when no worker died. */
  readonly workers: readonly WorkerDeath[]

  constructor(message: string, details?: BrokenProcessPoolDetails) {
    super(message, details)
    this.workers = details?.workers ?? []
  }
}

/**
 * The details of a `WorkerDiedError`. `task` becomes part of the only entry of `workers`, unless `workers` is given.
 */
export interface WorkerDiedDetails extends WorkerDeath, BrokenProcessPoolDetails {
  hint?: string
}

/**
 * The worker that ran this call died, under `onWorkerDeath: 'isolate'`. This call fails, the worker is replaced, and
 * the pool goes on. The call may have run in part: repeat it only if that does no harm. `run({ retries })` repeats it
 * for you.
 */
export class WorkerDiedError extends BrokenProcessPool {
  static {
    brand(this, 'WorkerDiedError')
  }
  override readonly code: string = 'ERR_MILLRACE_WORKER_DIED'
  readonly pid: number
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  /** A likely reason for the death, if one is known: for instance that the machine ran out of memory. */
  declare readonly hint?: string

  constructor(message: string, details: WorkerDiedDetails) {
    const { pid, exitCode, signal, task, hint } = details
    const death: WorkerDeath = task === undefined ? { pid, exitCode, signal } : { pid, exitCode, signal, task }
    super(message, { ...details, workers: details.workers ?? [death] })
    this.pid = pid
    this.exitCode = exitCode
    this.signal = signal
    if (hint !== undefined) this.hint = hint
  }
}

/** The details of a `TaskMemoryError`. */
export interface TaskMemoryDetails extends WorkerDiedDetails {
  limit: number
  rss?: number | undefined
}

/**
 * The worker that ran this call grew beyond the option `hardMemoryLimit`, and was ended in the middle of the call. The
 * call may have run in part. Pass less data a call, let go of data that a call does not need any more, or raise the
 * limit.
 */
export class TaskMemoryError extends WorkerDiedError {
  static {
    brand(this, 'TaskMemoryError')
  }
  override readonly code: string = 'ERR_MILLRACE_TASK_MEMORY'
  /** The limit in bytes. */
  readonly limit: number
  /**
   * The resident bytes of the worker that were seen last. Undefined where V8 ended the worker, whose heap was full.
   */
  readonly rss: number | undefined

  constructor(message: string, details: TaskMemoryDetails) {
    super(message, details)
    this.limit = details.limit
    this.rss = details.rss
  }
}

/** The details of a `WorkerTerminatedError`. */
export interface WorkerTerminatedDetails extends ErrorDetails {
  pid: number
}

/**
 * The call was running when `terminateWorkers()`, `killWorkers()` or `shutdown({ kill: true })` ended its worker. The
 * call may have run in part.
 */
export class WorkerTerminatedError extends MillraceError {
  static {
    brand(this, 'WorkerTerminatedError')
  }
  override readonly code: string = 'ERR_MILLRACE_WORKER_TERMINATED'
  readonly pid: number

  constructor(message: string, details: WorkerTerminatedDetails) {
    super(message, details)
    this.pid = details.pid
  }
}

/**
 * A worker process could not be started, and the call was not accepted. `cause` has the `errno` and the `syscall`.
 * Usual reasons: the process limit (EAGAIN), too many open files (EMFILE), a `cwd` that does not exist (ENOENT).
 */
export class WorkerSpawnError extends MillraceError {
  static {
    brand(this, 'WorkerSpawnError')
  }
  override readonly code: string = 'ERR_MILLRACE_WORKER_SPAWN'
}
