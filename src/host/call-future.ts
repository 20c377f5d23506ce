// The future of a call in a worker process. One object a call: it is the executor's record of the call as well.

import { CancelledError, type WorkerDeathTask } from '../errors/index.js'
import { Future } from '../futures/future.js'
import type { SubmitStack } from './submit-stacks.js'
import type { RefusedItems } from './refused-items.js'
import type { TaskEntry } from './tasks.js'

/** Whoever runs calls: a pool's core, as the futures of its calls see it. */
export interface CallOwner {
  /** Whether a worker has claimed the call of a future. */
  isRunning(future: CallFuture<unknown>): boolean
  /**
   * Takes a call back; with `kill` also one that runs, stopping its worker. True: it is over, and nothing will settle
   * it.
   */
  cancel(future: CallFuture<unknown>, kill: boolean): boolean
  /** Blocks this thread until the future is done or `performance.now()` reaches `deadline`. */
  drive(future: CallFuture<unknown>, deadline: number | undefined): void
}

/** The core has no record of a call (any more). */
export const NO_CALL = -1

export class CallFuture<T> extends Future<T> {
  readonly #owner: CallOwner
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
  /** Where it was submitted, as far as that was recorded; see `submit-stacks.ts`. */
  submitStack: SubmitStack | undefined = undefined

  constructor(owner: CallOwner, task: TaskEntry, isChunk = false) {
    super()
    this.#owner = owner
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
    if (!this.done() && this.#owner.cancel(this, true)) {
      this.settleCancelled(new CancelledError('The call was cancelled by its signal', { cause: reason }))
    }
  }

  protected override displayId(): number {
    return this.taskId === 0 ? super.displayId() : this.taskId
  }

  protected override probeRunning(): boolean {
    return this.#owner.isRunning(this)
  }

  protected override requestCancel(kill: boolean): boolean {
    return this.#owner.cancel(this, kill)
  }

  protected override blockUntilDone(deadline: number | undefined): void {
    this.#owner.drive(this, deadline)
  }
}
