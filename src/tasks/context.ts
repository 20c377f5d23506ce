// The state of a process as a worker, and of its running tasks. Every process may import this module.

import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'

import { DOMException, makeAbortController } from '../util/globals.js'

import { hasMarks, isStarting } from './entry.js'

/** What {@link taskContext} tells a task about itself. */
export interface TaskContext {
  /** The number of the call, unique in its pool. All items of a chunk have the number of their chunk. */
  readonly taskId: number
  /** The number of the worker, unique in its pool. */
  readonly workerId: number
  /** Aborts when the host stops this call: by `cancel({ kill: true })`, an aborted signal or an expired timeout. */
  readonly signal: AbortSignal
}

/** A call in progress. */
export class RunningTask implements TaskContext {
  readonly taskId: number
  readonly workerId: number
  /** The outcome of the call is decided: later errors do not belong to the call any more. */
  done = false
  #controller: AbortController | undefined
  /** The async context in which the task asked for the signal: there its listeners are called. */
  #context: AsyncResource | undefined

  constructor(taskId: number, workerId: number) {
    this.taskId = taskId
    this.workerId = workerId
  }

  get signal(): AbortSignal {
    this.#controller ??= makeAbortController()
    this.#context ??= new AsyncResource('MillraceSignal')
    return this.#controller.signal
  }

  abort(): void {
    const controller = (this.#controller ??= makeAbortController())
    const reason = new DOMException('The host stops this task', 'AbortError')
    if (this.#context === undefined) controller.abort(reason)
    else this.#context.runInAsyncScope(() => controller.abort(reason))
  }
}

/** The state of this process as a worker. */
export interface WorkerState {
  workerId: number
  /** The level of nested pools: 1 in a worker of an ordinary process. */
  depth: number
  /** The call from which each piece of running code stems. */
  readonly origin: AsyncLocalStorage<RunningTask>
  /** The number of task modules that are being evaluated now. */
  loading: number
  /** Whether this process is a fork of its host: then modules may be for ever in the middle of their evaluation. */
  readonly inherits: boolean
  /** Allocates an ArrayBuffer in the memory that the host shares; null when there is no room. */
  allocate(bytes: number): ArrayBuffer | null
}

// All copies of the package in this process share one object, found by a global symbol: a task's module may have a copy
// of its own. A property of this object is read once a call, which `globalThis` itself makes slow.
const sharedSymbol = Symbol.for('millrace.worker')
const holder = globalThis as { [sharedSymbol]?: { state: WorkerState | undefined } }
const shared = (holder[sharedSymbol] ??= { state: undefined })

/** Makes this process a worker. */
export function becomeWorker(
  workerId: number,
  depth: number,
  allocate: (bytes: number) => ArrayBuffer | null,
  inherits = false,
): WorkerState {
  isWorker = true
  return (shared.state = { workerId, depth, origin: new AsyncLocalStorage(), loading: 0, inherits, allocate })
}

/** The state of this process as a worker; undefined in a process that is no worker. */
export function workerState(): WorkerState | undefined {
  return shared.state
}

/**
 * Whether this process is a worker of a Millrace pool. A script that is its own task module tests this before it makes
 * a pool.
 */
// The worker's entry imports this module before it makes the process a worker: until then the marks of a started
// process tell. A fork server has marks as well: it loads modules for its workers. In a fork of an ordinary process the
// value changes, and importers see the change.
export let isWorker: boolean = shared.state !== undefined || isStarting()

/** Whether a pool has started this process, and the entry of a worker or fork server has not run: see `entry.ts`. */
export function isBeforeEntry(): boolean {
  return shared.state === undefined && hasMarks()
}

/** The task to which the calling code belongs; undefined outside of a task, and once the task's outcome is decided. */
export function taskContext(): TaskContext | undefined {
  const running = shared.state?.origin.getStore()
  return running === undefined || running.done ? undefined : running
}
