// Waiting in host programs, with a limit for a call that does not settle.

import { availableParallelism, loadavg } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

/** What is promised: nothing takes longer to come out than this. */
export const PROMISED_MS = 5000

/** The promise on this machine: where more processes want to run than can, everything takes that much longer. */
export function patience() {
  return PROMISED_MS * Math.max(1, (loadavg()[0] ?? 0) / availableParallelism())
}

/**
 * Waits until the condition holds; fails when it does not for as long as `patience()` after the last time that
 * `progress` changed.
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
