import { collectFutures } from './collect.js'
import type { Future, Waiter, WaitOptions } from './future.js'
import { Timer } from '../util/timer.js'
import { timeoutOf, validateOneOf } from '../util/validate.js'

const CONDITIONS = ['ALL_COMPLETED', 'FIRST_COMPLETED', 'FIRST_EXCEPTION'] as const

/** When {@link wait} returns. */
export type ReturnWhen = (typeof CONDITIONS)[number]

/** Options of {@link wait}. */
export interface WaitForOptions extends WaitOptions {
  /**
   * `'ALL_COMPLETED'`: all futures are done. `'FIRST_COMPLETED'`: at least one is. `'FIRST_EXCEPTION'`: one failed, or
   * all are done; a cancelled future is done but has not failed. Default: `'ALL_COMPLETED'`.
   */
  returnWhen?: ReturnWhen
}

/** What {@link wait} found: each future that was given is in exactly one of the sets. */
export interface WaitResult<F> {
  done: Set<F>
  notDone: Set<F>
}

/**
 * Waits for several futures, of any executors. A future that was given twice counts once; a cancelled one is done.
 *
 * When the timeout expires, the promise resolves to what is done by then; it rejects for bad arguments only.
 */
export async function wait<F extends Future<unknown>>(
  futures: Iterable<F>,
  options?: WaitForOptions,
): Promise<WaitResult<F>> {
  const timeout = timeoutOf(options)
  const returnWhen = options?.returnWhen ?? 'ALL_COMPLETED'
  validateOneOf(returnWhen, 'options.returnWhen', CONDITIONS)
  const all = collectFutures(futures)
  const pending = [...all].filter((future) => !future.done())
  if (pending.length > 0 && !fulfilled(all, pending.length, returnWhen) && !(timeout !== undefined && timeout <= 0)) {
    await new Promise<void>((resolve) => new Condition(pending, returnWhen, timeout, resolve))
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

/** One `wait()` that has to wait. It removes itself from the futures when it is over. */
class Condition implements Waiter {
  private readonly pending: readonly Future<unknown>[]
  private readonly returnWhen: ReturnWhen
  private readonly resolve: () => void
  private readonly timer: Timer | undefined
  private left: number

  constructor(
    pending: readonly Future<unknown>[],
    returnWhen: ReturnWhen,
    timeout: number | undefined,
    resolve: () => void,
  ) {
    this.pending = pending
    this.returnWhen = returnWhen
    this.resolve = resolve
    this.left = pending.length
    this.timer = timeout === undefined ? undefined : new Timer(timeout, () => this.finish())
    for (const future of pending) future.addWaiter(this)
  }

  futureDone(future: Future<unknown>): void {
    this.left--
    if (this.left === 0 || this.returnWhen === 'FIRST_COMPLETED') this.finish()
    else if (this.returnWhen === 'FIRST_EXCEPTION' && future.outcome === 'error') this.finish()
  }

  private finish(): void {
    this.timer?.clear()
    for (const future of this.pending) future.removeWaiter(this)
    this.resolve()
  }
}
