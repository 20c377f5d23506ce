// Garbage collections until a condition holds. Needs --expose-gc.

import { setTimeout as sleep } from 'node:timers/promises'
import { holdings } from './observe.mjs'

/**
 * Holds the event loop until the condition holds, and collects garbage all the time. It does not collect in the turn in
 * which the condition may have looked at a weak reference, which keeps its target for that turn.
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
 * A condition: the resources from before are there, and no more.
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
