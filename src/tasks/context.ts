// The state of a process as a worker, and of its running tasks. Every process may import this module.

import { AsyncLocalStorage, AsyncResource } from '../util/builtins.js'
import { DOMException, makeAbortController } from '../util/globals.js'

import { hasMarks, isStarting } from './entry.js'

/** What {@link taskContext} tells a task about itself. */
export interface TaskContext {
  /** The number of the call, unique in its pool. All items of a chunk have the number of their chunk. */
  readonly taskId: number
  /** The number of the worker, unique in its pool. */
  readonly workerId: number
  /** The `label` that the caller gave to the call, or to the map of this item; undefined if there is none. */
  readonly label: string | undefined
  /**
   * Which attempt of the call this is, from 1: more than 1 only where the caller asked for `retries`. In a map the
   * attempts of the item count. The number does not grow beyond 512.
   */
  readonly attempt: number
  /**
   * Aborts when the host stops this call: by `cancel({ kill: true })`, an aborted signal or an expired timeout.
   *
   * `aborted` and `throwIfAborted()` look at shared memory, so that a task sees the stop without a turn of the event
   * loop. Listeners are called by the first such look, or else in a turn of the event loop.
   */
  readonly signal: AbortSignal
  /**
   * Throws the reason of `signal` if the host stops this call. For a task that computes: no turn of the event loop is
   * needed.
   *
   * @throws DOMException with the name `AbortError`.
   */
  throwIfStopped(): void
}

/** A call in progress. */
export class RunningTask implements TaskContext {
  readonly taskId: number
  readonly workerId: number
  label: string | undefined = undefined
  readonly attempt: number
  /** The outcome of the call is decided: later errors do not belong to the call any more. */
  done = false
  #controller: AbortController | undefined
  /** Why the host stops this call, once this process has learned that. */
  #reason: DOMException | undefined
  /** The async context in which the task asked for the signal: there its listeners are called. */
  #context: AsyncResource | undefined

  constructor(taskId: number, workerId: number, attempt: number) {
    this.taskId = taskId
    this.workerId = workerId
    this.attempt = attempt
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = makeAbortController()
      this.#context = new AsyncResource('MillraceSignal')
      lookFirst(this.#controller.signal, () => this.#look())
      if (this.#reason !== undefined) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }

  throwIfStopped(): void {
    this.#look()
    if (this.#reason !== undefined) throw this.#reason
  }

  /** The host stops this call. */
  abort(): void {
    if (this.#reason !== undefined) return
    const reason = (this.#reason = new DOMException('The host stops this task', 'AbortError'))
    const controller = this.#controller
    if (controller !== undefined) this.#context!.runInAsyncScope(() => controller.abort(reason))
  }

  /** Looks at shared memory, which tells of the running call only. */
  #look(): void {
    if (this.#reason === undefined && !this.done && shared.state!.abortRequested()) this.abort()
  }
}

/** Has `look` called whenever somebody asks whether a signal is aborted. */
function lookFirst(signal: AbortSignal, look: () => void): void {
  const its = Object.getPrototypeOf(signal) as AbortSignal
  Object.defineProperties(signal, {
    aborted: {
      configurable: true,
      get: () => {
        look()
        return Reflect.get(its, 'aborted', signal)
      },
    },
    throwIfAborted: {
      configurable: true,
      writable: true,
      value: () => {
        look()
        its.throwIfAborted.call(signal)
      },
    },
  })
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
  /** Whether the host stops the running call. */
  abortRequested(): boolean
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
  lane: Pick<WorkerState, 'allocate' | 'abortRequested'>,
  inherits = false,
): WorkerState {
  isWorker = true
  return (shared.state = { workerId, depth, origin: new AsyncLocalStorage(), loading: 0, inherits, ...lane })
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
