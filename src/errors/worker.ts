import { brand, type ErrorDetails, MillraceError } from './base.js'

/** The call that a worker was running when it died. */
export interface WorkerDeathTask {
  taskId: number
  /** The task function's name, as far as it has one. */
  name: string
  /** The `label` given to `run()`. */
  label?: string
}

/** How one worker process ended. `exitCode` and `signal` are both null when another party reaped the process. */
export interface WorkerDeath {
  pid: number
  exitCode: number | null
  signal: NodeJS.Signals | null
  /** Absent when the worker was idle. */
  task?: WorkerDeathTask
}

/**
 * An executor can no longer run calls, whatever its kind. Every unfinished future failed with it, and later `submit()`
 * throws it. Make a new executor, and submit again what is safe to run twice: a call may have run in part.
 */
export class BrokenExecutor extends MillraceError {
  static {
    brand(this, 'BrokenExecutor')
  }
  override readonly code: string = 'ERR_MILLRACE_BROKEN_EXECUTOR'
}

/** The fields of a `BrokenProcessPool`. */
export interface BrokenProcessPoolDetails extends ErrorDetails {
  workers?: readonly WorkerDeath[]
}

/**
 * A worker died abruptly under `onWorkerDeath: 'break'`, an initializer failed (its error is the `cause`), or workers
 * kept dying before they could work. `workers` says which, how, and what each was running: look there for the culprit.
 * With
 * `onWorkerDeath: 'isolate'` only the calls of the dead worker fail.
 */
export class BrokenProcessPool extends BrokenExecutor {
  static {
    brand(this, 'BrokenProcessPool')
  }
  override readonly code: string = 'ERR_MILLRACE_BROKEN_PROCESS_POOL'
  /** The workers whose death broke the pool; empty when none died. */
  readonly workers: readonly WorkerDeath[]

  constructor(message: string, details?: BrokenProcessPoolDetails) {
    super(message, details)
    this.workers = details?.workers ?? []
  }
}

/** The fields of a `WorkerDiedError`. `task` goes into the only entry of `workers`, unless that is given itself. */
export interface WorkerDiedDetails extends WorkerDeath, BrokenProcessPoolDetails {
  hint?: string
}

/**
 * The worker that ran this call died, in a pool that isolates deaths: this call fails, the worker is replaced, the pool
 * goes on. The call may have run in part; repeat it only if that is harmless (`run({ retries })` does it for you).
 */
export class WorkerDiedError extends BrokenProcessPool {
  static {
    brand(this, 'WorkerDiedError')
  }
  override readonly code: string = 'ERR_MILLRACE_WORKER_DIED'
  readonly pid: number
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  /** A likely reason, when there is one: for instance that the machine ran out of memory. */
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

/** The fields of a `WorkerTerminatedError`. */
export interface WorkerTerminatedDetails extends ErrorDetails {
  pid: number
}

/**
 * The call was running when `terminateWorkers()`, `killWorkers()` or `shutdown({ kill: true })` ended its worker on
 * purpose. The call may have run in part.
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
 * A worker process could not be started: the `cause` has the `errno` and `syscall`. Usual reasons are the process limit
 * (EAGAIN), too many open files (EMFILE), or a `cwd` that does not exist (ENOENT). The call was not accepted.
 */
export class WorkerSpawnError extends MillraceError {
  static {
    brand(this, 'WorkerSpawnError')
  }
  override readonly code: string = 'ERR_MILLRACE_WORKER_SPAWN'
}
