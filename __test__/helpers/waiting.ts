// Waiting for events in other processes. Watchdogs are generous: they turn a hang into a failure with a description,
// and measure nothing.

import { setTimeout as sleep } from 'node:timers/promises'

/** Longer than anything takes, even on a busy machine. */
export const WATCHDOG_MS = 60_000

/** Settles as the promise does; rejects when the promise has not settled in that time, with the text of `details`. */
export async function within<T>(what: string, promise: PromiseLike<T>, details?: () => string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const expired = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`${what}: still waiting after ${WATCHDOG_MS} ms\n${details?.() ?? ''}`))
    }, WATCHDOG_MS)
  })
  try {
    return await Promise.race([promise, expired])
  } finally {
    clearTimeout(timer)
  }
}

/** Resolves as soon as the condition holds. The condition is checked every few milliseconds. */
export async function until(what: string, condition: () => unknown, details?: () => string): Promise<void> {
  const deadline = performance.now() + WATCHDOG_MS
  while (!condition()) {
    if (performance.now() > deadline) {
      throw new Error(`${what}: still waiting after ${WATCHDOG_MS} ms\n${details?.() ?? ''}`)
    }
    await sleep(3)
  }
}

const word = new Int32Array(new SharedArrayBuffer(4))

/** As {@link until}, but blocks this thread: no other code of the thread runs meanwhile. */
export function untilSync(what: string, condition: () => unknown): void {
  const deadline = performance.now() + WATCHDOG_MS
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`${what}: still waiting after ${WATCHDOG_MS} ms`)
    Atomics.wait(word, 0, 0, 2)
  }
}

/** Waits for a moment, in which something could happen that must not happen. */
export async function moment(milliseconds = 60): Promise<void> {
  await sleep(milliseconds)
}
