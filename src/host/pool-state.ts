// The state of a pool's life, and whether the pool takes calls.

import { type BrokenProcessPool, InvalidStateError, MillraceError, ShutdownError } from '../errors/index.js'
import { refusalBeforeEntry } from '../start/misrun.js'
import { isBeforeEntry, workerState } from '../tasks/context.js'
import { end, hasExited, isEnding } from './exit.js'

export class PoolState {
  /** Neither closed, nor broken, nor another process's: one look for each call. */
  #open = !isBeforeEntry()
  #closed = false
  #stopped = false
  #broken: (() => BrokenProcessPool) | undefined = undefined
  /** This process was forked from the pool's process. */
  #foreign = false

  /** Whether the pool was told to take no more calls. */
  get closed(): boolean {
    return this.#closed
  }

  /** Whether the last worker is reaped. */
  get stopped(): boolean {
    return this.#stopped
  }

  /** Makes the error of a broken pool, one for each future, so that no two share a stack. Undefined until it breaks. */
  get broken(): (() => BrokenProcessPool) | undefined {
    return this.#broken
  }

  /** The pool takes no more calls. */
  close(): void {
    this.#closed = true
    this.#open = false
  }

  /** The pool is broken. The first reason stays; the function returned is the one for it. */
  break(makeError: () => BrokenProcessPool): () => BrokenProcessPool {
    this.#open = false
    return (this.#broken ??= makeError)
  }

  /** The last worker is reaped. */
  stop(): void {
    this.#stopped = true
  }

  /** In a fork of the pool's process: the pool cannot be used here. */
  leaveBehind(): void {
    this.#foreign = this.#stopped = true
    this.close()
  }

  /**
   * @throws BrokenProcessPool, ShutdownError, InvalidStateError, MillraceError or UnsupportedPlatformError when the
   * pool takes no calls.
   */
  assertOpen(): void {
    // Runs once a call, and is small so that it is compiled into its caller.
    if (!this.#open || end.isNear || isLoading()) this.#assertOpenNow()
  }

  #assertOpenNow(): void {
    const error = this.#whyNot()
    if (error !== undefined) throw error
    // The pool was made before the entry of this worker had run.
    this.#open = true
  }

  #whyNot(): Error | undefined {
    this.assertOwn()
    if (this.#broken !== undefined) return this.#broken()
    if (this.#closed) return closedToCalls()
    if (hasExited()) return new ShutdownError('cannot schedule new futures while the process ends')
    if (isLoading()) {
      return new MillraceError(
        'A task module submits a call or starts a Pool while a worker loads it: ' +
          'each worker would start workers of its own. Move that to another module, or guard it with `if (!isWorker)`',
      )
    }
    return isBeforeEntry() ? refusalBeforeEntry() : undefined
  }

  /**
   * @throws As {@link assertOpen} when the pool cannot go on with work that it has accepted; a closed pool can.
   */
  assertGoesOn(): void {
    this.assertOwn()
    if (this.#broken !== undefined) throw this.#broken()
    if (this.#stopped) throw wasShutDown()
    if (isEnding()) throw new ShutdownError('The process ends, and its workers are gone')
  }

  /** @throws InvalidStateError in a fork of the pool's process. */
  assertOwn(): void {
    if (!this.#foreign) return
    throw new InvalidStateError(
      `This pool is not one of this process, ${process.pid}, which was forked from it: make another one here`,
    )
  }

  /** Why the pool takes no calls: it is broken or closed. Undefined while it takes calls. */
  refusal(whenClosed: () => Error = wasShutDown): Error | undefined {
    if (this.#broken !== undefined) return this.#broken()
    return this.#closed ? whenClosed() : undefined
  }

  toString(): string {
    if (this.#broken !== undefined) return 'broken'
    if (this.#stopped) return 'stopped'
    return this.#closed ? 'closing' : 'open'
  }
}

/** Whether a worker evaluates modules of tasks at this moment. */
function isLoading(): boolean {
  const state = workerState()
  return state !== undefined && state.loading > 0
}

/** The error for calls of a pool that is shut down. */
export const closedToCalls = (): ShutdownError => new ShutdownError('cannot schedule new futures after shutdown')

/** The error for those who wait for room in the queue of a pool that is shut down. */
export const wasShutDown = (): ShutdownError => new ShutdownError('the executor was shut down')
