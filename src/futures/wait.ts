// `wait`: waits for several futures.

import { optionNames, ownOptions } from '../util/options.js'
import { validateOneOf } from '../util/validate.js'
import { collectFutures } from './collect.js'
import type { Future, Waiter, WaitOptions } from './future.js'
import { checkLimits, type WaitLimits, WaitWatch } from './wait-options.js'

const CONDITIONS = ['ALL_COMPLETED', 'FIRST_COMPLETED', 'FIRST_EXCEPTION'] as const

/** The conditions under which {@link wait} returns. */
export type ReturnWhen = (typeof CONDITIONS)[number]

/** Options of {@link wait}. */
export interface WaitForOptions extends WaitOptions {
  /**
   * `'ALL_COMPLETED'`: all futures are done. `'FIRST_COMPLETED'`: at least one future is done. `'FIRST_EXCEPTION'`: one
   * future has failed, or all are done; a cancelled future has not failed. Default: `'ALL_COMPLETED'`.
   */
  returnWhen?: ReturnWhen
}

const NAMES = optionNames<WaitForOptions>('wait()', { timeout: true, signal: true, returnWhen: true })

/** The result of {@link wait}: each given future is in exactly one of the two sets. */
export interface WaitResult<F> {
  done: Set<F>
  notDone: Set<F>
}

/**
 * Waits for several futures, of any executors. A future that is given twice counts once. A cancelled future is done.
 *
 * When the timeout expires, the promise resolves all the same, with the futures that are done by then in `done`. It
 * rejects only for wrong arguments, and with the reason of `options.signal` when the signal is aborted.
 */
export async function wait<F extends Future<unknown>>(
  futures: Iterable<F>,
  options?: WaitForOptions,
): Promise<WaitResult<F>> {
  const given = ownOptions(options, NAMES)
  const limits = checkLimits(given)
  const { timeout, signal } = limits
  const { returnWhen = 'ALL_COMPLETED' } = given
  validateOneOf(returnWhen, 'options.returnWhen', CONDITIONS)
  const all = collectFutures(futures)
  if (signal?.aborted) throw signal.reason
  const pending = [...all].filter((future) => !future.done())
  if (pending.length > 0 && !fulfilled(all, pending.length, returnWhen) && !(timeout !== undefined && timeout <= 0)) {
    await new Promise<void>((resolve, reject) => new Condition(pending, returnWhen, limits, resolve, reject))
  }
  const result: WaitResult<F> = { done: new Set(), notDone: new Set() }
  for (const future of all) (future.done() ? result.done : result.notDone).add(future)
  return result
}

function fulfilled(all: ReadonlySet<Future<unknown>>, pending: number, returnWhen: ReturnWhen): boolean {
  if (returnWhen === 'FIRST_COMPLETED') return pending < all.size
  if (returnWhen === 'FIRST_EXCEPTION') return [...all].some((future) => future.outcome === 'error')
  return false
}

/** The waiter of one `wait()`. It removes itself from the futures when the wait is over. */
class Condition implements Waiter {
  private readonly pending: readonly Future<unknown>[]
  private readonly returnWhen: ReturnWhen
  private readonly resolve: () => void
  private readonly watch: WaitWatch
  private left: number

  constructor(
    pending: readonly Future<unknown>[],
    returnWhen: ReturnWhen,
    limits: WaitLimits,
    resolve: () => void,
    reject: (reason: unknown) => void,
  ) {
    this.pending = pending
    this.returnWhen = returnWhen
    this.resolve = resolve
    this.left = pending.length
    const abort = (reason: unknown): void => {
      // First: the promise keeps its first outcome.
      reject(reason)
      this.finish()
    }
    this.watch = new WaitWatch(limits, () => this.finish(), abort)
    for (const future of pending) future.addWaiter(this)
  }

  futureDone(future: Future<unknown>): void {
    this.left--
    if (this.left === 0 || this.returnWhen === 'FIRST_COMPLETED') this.finish()
    else if (this.returnWhen === 'FIRST_EXCEPTION' && future.outcome === 'error') this.finish()
  }

  private finish(): void {
    this.watch.clear()
    for (const future of this.pending) future.removeWaiter(this)
    this.resolve()
  }
}
