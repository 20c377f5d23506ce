// The wait for room in the queue of a pool.

import type { NativePool } from '../native/index.js'

interface Waiter {
  resolve(): void
  reject(error: unknown): void
}

export class QueueRoom {
  readonly #native: NativePool
  #waiters: Waiter[] = []

  constructor(native: NativePool) {
    this.#native = native
  }

  /** Resolves when there is room. */
  wait(): Promise<void> {
    if (!this.#native.isFull) return Promise.resolve()
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject })
      this.#native.awaitRoom()
    })
  }

  /** Resolves all waits: there is room. */
  open(): void {
    for (const { resolve } of this.#take()) resolve()
  }

  /** Rejects all waits: there will be no room. */
  close(makeError: () => Error): void {
    for (const { reject } of this.#take()) reject(makeError())
  }

  #take(): Waiter[] {
    const waiters = this.#waiters
    this.#waiters = []
    return waiters
  }
}
