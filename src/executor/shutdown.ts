// The options of a shutdown, their checks, and its time limit.

import { optionNames, ownOptions } from '../util/options.js'
import { Timer } from '../util/timer.js'
import { validateBoolean, validateNumber } from '../util/validate.js'

/** Options of {@link ProcessPoolExecutor.shutdown}. */
export interface ShutdownOptions {
  /** Whether the promise resolves only when all workers are gone. Default: true. */
  wait?: boolean
  /** Cancel all calls that no worker has claimed, before `shutdown()` returns. Default: false. */
  cancelFutures?: boolean
  /**
   * Milliseconds, after which the promise rejects with a `TimeoutError` while accepted calls go on. Together with
   * `kill` the workers are killed then, and the promise resolves. Default: no limit.
   */
  timeout?: number
  /** Kill the workers and all processes that they started: at once, or when `timeout` has passed. Default: false. */
  kill?: boolean
}

const NAMES = optionNames<ShutdownOptions>('shutdown()', { wait: true, cancelFutures: true, timeout: true, kill: true })

/** @throws TypeError or RangeError that names the option. */
export function checkShutdown(options: ShutdownOptions | undefined): ShutdownOptions {
  const { wait, cancelFutures, timeout, kill }: ShutdownOptions = ownOptions(options, NAMES)
  validateBoolean(wait, 'options.wait')
  validateBoolean(cancelFutures, 'options.cancelFutures')
  validateBoolean(kill, 'options.kill')
  if (timeout !== undefined) validateNumber(timeout, 'options.timeout', 0)
  return { wait, cancelFutures, timeout, kill }
}

/** Whether a promise resolves within `timeout` milliseconds. */
export async function withinTime(promise: Promise<void>, timeout: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const timer = new Timer(timeout, () => resolve(false))
    promise.then(() => {
      timer.clear()
      resolve(true)
    }, reject)
  })
}
