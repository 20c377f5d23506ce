// Collecting garbage until something is gone. Needs --expose-gc.

import { setTimeout as sleep } from 'node:timers/promises'
import { holdings } from './observe.mjs'

/**
 * Holds the event loop until the condition is met, collecting garbage all the time: not in the turn in which the
 * condition may have looked at a weak reference, which keeps its target for that turn.
 *
 * @param {() => boolean} condition
 */
export async function collectUntil(condition) {
  while (!condition()) {
    await sleep(5)
    globalThis.gc?.()
  }
}

/**
 * What was there before is there again, and no more.
 *
 * @param {ReturnType<typeof holdings>} before
 */
export const backTo = (before) => () => {
  const now = holdings()
  return (
    now.children <= before.children &&
    now.descriptors <= before.descriptors &&
    now.threads <= before.threads &&
    now.segments <= before.segments
  )
}
