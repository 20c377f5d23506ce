// Options of waits, and their check.

import { optionNames, ownOptions } from '../util/options.js'
import { timeoutOf } from '../util/validate.js'

/** Options of every operation that waits. */
export interface WaitOptions {
  /** Milliseconds; with 0 or less, only the present state counts. Limits the wait, not the call. Default: no limit. */
  timeout?: number
}

const NAMES = optionNames<WaitOptions>('a wait', { timeout: true })

/**
 * The time limit of a wait in milliseconds; undefined for none.
 *
 * @throws TypeError or RangeError that names the option.
 */
export function waitTimeout(options: WaitOptions | undefined): number | undefined {
  return options === undefined ? undefined : timeoutOf(ownOptions(options, NAMES).timeout)
}
