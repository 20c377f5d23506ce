// The options of a shutdown.

import { Timer } from '../util/timer.js'
import { validateBoolean, validateNumber, validateOptions } from '../util/validate.js'

/** Options of {@link ProcessPoolExecutor.shutdown}. */
export interface ShutdownOptions {
  /** Whether the promise resolves only when all workers are gone. Default: true. */
  wait?: boolean
  /** Cancels what no worker has claimed, before `shutdown()` returns. Default: false. */
  cancelFutures?: boolean
  /**
   * Rejects with a `TimeoutError` after so many milliseconds, and goes on draining; with `kill` it kills then and
   * resolves.
   */
  timeout?: number
  /** Kills the workers and all that they started: at once, or when `timeout` has passed. Default: false. */
  kill?: boolean
}

/** @throws TypeError or RangeError that names the option. */
export function checkShutdown(options: ShutdownOptions | undefined): ShutdownOptions {
  validateOptions(options)
  const { wait, cancelFutures, timeout, kill } = options ?? {}
  validateBoolean(wait, 'options.wait')
  validateBoolean(cancelFutures, 'options.cancelFutures')
  validateBoolean(kill, 'options.kill')
  if (timeout !== undefined) validateNumber(timeout, 'options.timeout', 0)
  return { wait, cancelFutures, timeout, kill }
}

/** Whether a promise resolves within so many milliseconds. */
export async function withinTime(promise: Promise<void>, timeout: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const timer = new Timer(timeout, () => resolve(false))
    promise.then(() => {
      timer.clear()
      resolve(true)
    }, reject)
  })
}
