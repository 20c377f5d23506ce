// The future of a call in a worker process. One object a call: it is the executor's record of the call as well.

import { CancelledError, type WorkerDeathTask } from '../errors/index.js'
import { Future } from '../futures/future.js'
import type { Origin } from './submit-stacks.js'
import type { PoolCore } from './core.js'
import type { RefusedItems } from './refused-items.js'
import type { TaskEntry } from './tasks.js'

/** The core has no record of a call (any more). */
export const NO_CALL = -1

export class CallFuture<T> extends Future<T> {
  readonly #core: PoolCore
  readonly task: TaskEntry
  /** The call's number in the core, while it is unfinished. */
  call = NO_CALL
  /** The public number of the call. */
  taskId = 0
  label: string | undefined = undefined
  timeout: number | undefined = undefined
  grace = 0
  retries = 0
  /** The outcome is a list: one outcome for each item. */
  readonly isChunk: boolean
  /** Items of the chunk that were not sent. */
  refused: RefusedItems | undefined = undefined
  /** Where it was submitted, as far as that was recorded; see `origins.ts`. */
  origin: Origin | undefined = undefined

  constructor(core: PoolCore, task: TaskEntry, isChunk = false) {
    super()
    this.#core = core
    this.task = task
    this.isChunk = isChunk
  }

  /** The call as errors name it. */
  describe(): WorkerDeathTask {
    const { taskId, label } = this
    const { name } = this.task
    return label === undefined ? { taskId, name } : { taskId, name, label }
  }

  /** Ends the call as cancelled for a reason, stopping its worker if it runs. */
  abort(reason: unknown): void {
    if (!this.done() && this.#core.cancel(this, true)) {
      this.settleCancelled(new CancelledError('The call was cancelled by its signal', { cause: reason }))
    }
  }

  protected override displayId(): number {
    return this.taskId === 0 ? super.displayId() : this.taskId
  }

  protected override probeRunning(): boolean {
    return this.#core.isRunning(this)
  }

  protected override requestCancel(kill: boolean): boolean {
    return this.#core.cancel(this, kill)
  }

  protected override blockUntilDone(deadline: number | undefined): void {
    this.#core.drive(this, deadline)
  }
}
