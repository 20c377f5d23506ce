// The options of a shutdown.

import type { ShutdownOptions } from './process-pool-executor.js'
import { Timer } from '../util/timer.js'
import { validateBoolean, validateNumber, validateOptions } from '../util/validate.js'

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
