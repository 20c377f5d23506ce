// Waiting in host programs, with a limit for calls that do not settle.

import { availableParallelism, loadavg } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

/** The promise: no outcome takes longer than this. */
export const PROMISED_MS = 5000

/** The promise on this machine: with more runnable processes than processors, everything takes that much longer. */
export function patience() {
  return PROMISED_MS * Math.max(1, (loadavg()[0] ?? 0) / availableParallelism())
}

/**
 * Waits until the condition holds. Fails when it does not hold for as long as `patience()` after the last change of
 * `progress`.
 *
 * @param {string} what
 * @param {() => unknown} condition
 * @param {() => string} describe
 * @param {() => unknown} [progress]
 * @param {number} [times] As many times the patience.
 */
export async function until(what, condition, describe, progress = () => 0, times = 1) {
  let seen = progress()
  let since = performance.now()
  while (!condition()) {
    const now = progress()
    if (now !== seen) {
      seen = now
      since = performance.now()
    } else if (performance.now() - since > times * patience()) {
      throw new Error(`${what}: nothing has happened for ${Math.round(performance.now() - since)} ms\n${describe()}`)
    }
    await sleep(2)
  }
}
