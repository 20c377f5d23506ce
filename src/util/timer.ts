// Waiting: a one-shot timer for delays of any length, and promises of a time and of a turn.

import { monotonicMs } from './clock.js'
import { clearTimeout, setImmediate, setTimeout } from './globals.js'

/** The longest delay that setTimeout() takes, in milliseconds. With a longer delay setTimeout() fires at once. */
const LONGEST_DELAY = 2 ** 31 - 1

/**
 * A one-shot timer for any finite number of milliseconds. The timer holds the event loop, unless `unref()` was called:
 * somebody waits for it.
 */
export class Timer {
  private handle: NodeJS.Timeout
  private referenced = true

  constructor(milliseconds: number, expire: () => void) {
    this.handle = this.arm(monotonicMs() + milliseconds, expire)
  }

  /** Stops the timer. Harmless when the timer has expired or was stopped before. */
  clear(): void {
    clearTimeout(this.handle)
  }

  ref(): void {
    this.referenced = true
    this.handle.ref()
  }

  /** Lets the event loop end before the timer expires. */
  unref(): void {
    this.referenced = false
    this.handle.unref()
  }

  private arm(deadline: number, expire: () => void): NodeJS.Timeout {
    const left = Math.max(0, deadline - monotonicMs())
    if (left <= LONGEST_DELAY) return setTimeout(expire, Math.ceil(left))
    return setTimeout(() => {
      this.handle = this.arm(deadline, expire)
      if (!this.referenced) this.handle.unref()
    }, LONGEST_DELAY)
  }
}

/** Resolves after so many milliseconds. */
export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

/** Resolves in the next turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
