// What a process knows of itself as a worker, and a task of itself. Importable in any process.

import { AsyncLocalStorage } from 'node:async_hooks'

/** What a task may know of itself; see {@link taskContext}. */
export interface TaskContext {
  /** The call's number, unique in its pool. All items of a chunk share their chunk's. */
  readonly taskId: number
  /** The worker's number, unique in its pool. */
  readonly workerId: number
  /** Aborts when the host stops this call: by `cancel({ kill: true })`, an aborted signal or an expired timeout. */
  readonly signal: AbortSignal
}

/** A call in progress. */
export class RunningTask implements TaskContext {
  readonly taskId: number
  readonly workerId: number
  /** Its outcome is decided: whatever comes later is not its own any more. */
  done = false
  #controller: AbortController | undefined

  constructor(taskId: number, workerId: number) {
    this.taskId = taskId
    this.workerId = workerId
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    return this.#controller.signal
  }

  abort(): void {
    this.#controller ??= new AbortController()
    this.#controller.abort(new DOMException('The host stops this task', 'AbortError'))
  }
}

/** The worker side of this process. */
export interface WorkerState {
  workerId: number
  /** How deep the pools are nested here: 1 in a worker of an ordinary process. */
  depth: number
  /** The call that each piece of running code stems from. */
  readonly origin: AsyncLocalStorage<RunningTask>
  /** Modules of tasks are being evaluated at this moment. */
  loading: number
  /** Whether it is a fork of its host, whose modules may wait for ever in the middle of their evaluation. */
  readonly inherits: boolean
  /** An ArrayBuffer in memory that is shared with the host; null when there is no room. */
  allocate(bytes: number): ArrayBuffer | null
}

// A global symbol: a task's module may have a copy of the package of its own.
const stateSymbol = Symbol.for('millrace.worker')
const holder = globalThis as { [stateSymbol]?: WorkerState }

/** Makes this process a worker. */
export function becomeWorker(
  workerId: number,
  depth: number,
  allocate: (bytes: number) => ArrayBuffer | null,
  inherits = false,
): WorkerState {
  isWorker = true
  return (holder[stateSymbol] = { workerId, depth, origin: new AsyncLocalStorage(), loading: 0, inherits, allocate })
}

/** This process as a worker; undefined elsewhere. */
export function workerState(): WorkerState | undefined {
  return holder[stateSymbol]
}

/**
 * Whether this process is a worker of a Millrace pool. A script that is also a task module tests it before it starts
 * one.
 */
// The worker's entry imports this module before it can declare itself: until then its last argument tells. A fork
// server's tells, too: the modules that it loads are those of its workers. In a fork of an ordinary process it changes:
// importers see that.
export let isWorker: boolean =
  holder[stateSymbol] !== undefined || /^millrace(?::\d+:\d+:\d+:\d+$|-server:\{)/.test(process.argv.at(-1) ?? '')

/** The task that the calling code belongs to; undefined outside a task, and once its outcome is decided. */
export function taskContext(): TaskContext | undefined {
  const running = holder[stateSymbol]?.origin.getStore()
  return running === undefined || running.done ? undefined : running
}
