// The longest delay that setTimeout() takes; it fires at once when given more.
const LONGEST_DELAY = 2 ** 31 - 1

/** A one-shot timer for any finite number of milliseconds. It holds the event loop, since somebody waits for it. */
export class Timer {
  private handle: NodeJS.Timeout

  constructor(milliseconds: number, expire: () => void) {
    this.handle = this.arm(performance.now() + milliseconds, expire)
  }

  /** Harmless after the timer expired, and when repeated. */
  clear(): void {
    clearTimeout(this.handle)
  }

  private arm(deadline: number, expire: () => void): NodeJS.Timeout {
    const left = Math.max(0, deadline - performance.now())
    if (left <= LONGEST_DELAY) return setTimeout(expire, Math.ceil(left))
    return setTimeout(() => {
      this.handle = this.arm(deadline, expire)
    }, LONGEST_DELAY)
  }
}
