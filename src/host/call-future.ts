// The future of a call in a worker process. It is also the executor's only record of the call: one object a call.

import { CancelledError, type WorkerDeathTask } from '../errors/index.js'
import { Future } from '../futures/future.js'
import type { Stacked } from '../util/stacks.js'
import type { RefusedItems } from './refused-items.js'
import type { TaskEntry } from './tasks.js'

/** The owner of calls: a pool's core, as the futures of its calls see it. */
export interface CallOwner {
  /** Whether a worker has claimed the call of a future. */
  isRunning(future: CallFuture<unknown>): boolean
  /**
   * Takes a call back; with `kill` also stops a running call, by ending its worker. Returns true when the call is over;
   * then nothing else settles its future.
   */
  cancel(future: CallFuture<unknown>, kill: boolean): boolean
  /** Blocks this thread until the future is done or `performance.now()` reaches `deadline`. */
  drive(future: CallFuture<unknown>, deadline: number | undefined): void
}

/** In place of a call's number: the core has no record of the call, or none any more. */
export const NO_CALL = -1

export class CallFuture<T> extends Future<T> {
  // Assigned by the constructor, not as class fields, which cost twice as much: see `Future`.
  declare private readonly owner: CallOwner
  declare readonly task: TaskEntry
  /** The call's number in the core, while the call is unfinished. */
  declare call: number
  /** The public number of the call. */
  declare taskId: number
  declare label: string | undefined
  declare timeout: number | undefined
  declare grace: number
  declare retries: number
  /** The attempts that were made before the call was submitted: also those of calls that this one continues. */
  declare earlier: number
  /** The number of items if the call is a chunk, whose outcome is a list with one outcome for each item; else 0. */
  declare readonly items: number
  /** The items of the chunk that were not sent. */
  declare refused: RefusedItems | undefined
  /** The stack where the call was submitted, if it was recorded; see `submit-stacks.ts`. */
  declare submitStack: Stacked | undefined

  constructor(owner: CallOwner, task: TaskEntry, items = 0) {
    super()
    this.owner = owner
    this.task = task
    this.call = NO_CALL
    this.taskId = 0
    this.label = undefined
    this.timeout = undefined
    this.grace = 0
    this.retries = 0
    this.earlier = 0
    this.items = items
    this.refused = undefined
    this.submitStack = undefined
  }

  /** The number of a chunk's items that travel. */
  get sentItems(): number {
    return this.refused === undefined ? this.items : this.refused.rest.length
  }

  /** The call's description for errors. */
  describe(): WorkerDeathTask {
    const { taskId, label } = this
    const { name } = this.task
    return label === undefined ? { taskId, name } : { taskId, name, label }
  }

  /**
   * An attempt has ended with an error. Returns true for a call that the host repeats, which deals with it. False: the
   * call has failed.
   */
  attemptFailed(_error: unknown): boolean {
    return false
  }

  /** A sentence on the attempts of a call that has failed, for its error; empty if there is nothing to tell. */
  tellAttempts(): string {
    if (this.retries > 0) return `It was the last of ${this.earlier + this.retries + 1} attempts`
    return this.earlier > 0 ? `It was attempt ${this.earlier + 1}` : ''
  }

  /** Whether the error of a time-out comes when the attempt is over, and not at the end of its time. */
  get tellsLate(): boolean {
    return this.items > 1
  }

  /** Cancels the call for a reason; a running call is stopped by ending its worker. */
  abort(reason: unknown): void {
    if (!this.done() && this.owner.cancel(this, true)) {
      const message = `The call${this.labelPart()} was cancelled by its signal`
      this.settleCancelled(new CancelledError(message, { cause: reason, label: this.label }))
    }
  }

  private labelPart(): string {
    return this.label === undefined ? '' : ` [${this.label}]`
  }

  protected override makeCancelledError(): CancelledError {
    return new CancelledError(`The call${this.labelPart()} was cancelled`, { label: this.label })
  }

  protected override displayId(): number {
    return this.taskId === 0 ? super.displayId() : this.taskId
  }

  protected override probeRunning(): boolean {
    return this.owner.isRunning(this)
  }

  protected override requestCancel(kill: boolean): boolean {
    return this.owner.cancel(this, kill)
  }

  protected override blockUntilDone(deadline: number | undefined): void {
    this.owner.drive(this, deadline)
  }
}
