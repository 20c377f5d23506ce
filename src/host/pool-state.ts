// The state of a pool's life, and whether the pool takes calls.

import { type BrokenProcessPool, InvalidStateError, MillraceError, ShutdownError } from '../errors/index.js'
import { workerState } from '../tasks/context.js'
import { isEnding } from './exit.js'

export class PoolState {
  /** The pool takes no more calls. */
  closed = false
  /** The last worker is reaped. */
  stopped = false
  /** Makes the error of a broken pool, one for each future, so that no two share a stack. Undefined until it breaks. */
  broken: (() => BrokenProcessPool) | undefined = undefined
  /** This process was forked from the pool's process. */
  #foreign = false

  /** @throws BrokenProcessPool, ShutdownError, InvalidStateError or MillraceError when the pool takes no calls. */
  assertOpen(): void {
    this.assertOwn()
    if (this.broken !== undefined) throw this.broken()
    if (this.closed) throw new ShutdownError('cannot schedule new futures after shutdown')
    if (isEnding()) throw new ShutdownError('cannot schedule new futures while the process ends')
    if ((workerState()?.loading ?? 0) > 0) {
      throw new MillraceError(
        'A task module submits a call or starts a Pool while a worker loads it: ' +
          'each worker would start workers of its own. Move that to another module, or guard it with `if (!isWorker)`',
      )
    }
  }

  /** @throws InvalidStateError in a fork of the pool's process. */
  assertOwn(): void {
    if (!this.#foreign) return
    throw new InvalidStateError(
      `This pool is not one of this process, ${process.pid}, which was forked from it: make another one here`,
    )
  }

  /** Why nobody can wait for room in the queue: the pool is broken or closed. Undefined while it takes calls. */
  refusal(): Error | undefined {
    if (this.broken !== undefined) return this.broken()
    return this.closed ? wasShutDown() : undefined
  }

  /** In a fork of the pool's process: the pool cannot be used here. */
  leaveBehind(): void {
    this.#foreign = this.closed = this.stopped = true
  }

  toString(): string {
    if (this.broken !== undefined) return 'broken'
    if (this.stopped) return 'stopped'
    return this.closed ? 'closing' : 'open'
  }
}

/** The error for those who wait for room in the queue of a pool that is shut down. */
export const wasShutDown = (): ShutdownError => new ShutdownError('the executor was shut down')
