// The hold of a pool on the event loop: while calls are unfinished, unless the pool is unref'd; and while somebody
// waits for the pool's end.

import type { NativePool } from '../native/index.js'
import { Hold } from '../wire/index.js'

export class LoopHold {
  readonly #native: NativePool
  readonly #stopWaiters: (() => void)[] = []
  #referenced = true
  #dismissing = false
  #stopped = false

  constructor(native: NativePool) {
    this.#native = native
  }

  setReferenced(referenced: boolean): void {
    this.#referenced = referenced
    this.#update()
  }

  /** Whether the idle workers have been asked to leave, because the program ends. */
  setDismissing(dismissing: boolean): void {
    if (this.#dismissing === dismissing) return
    this.#dismissing = dismissing
    this.#update()
  }

  /** Resolves when the pool has stopped. Holds the event loop until then. */
  async untilStopped(): Promise<void> {
    if (this.#stopped) return
    await new Promise<void>((resolve) => {
      this.#stopWaiters.push(resolve)
      this.#update()
    })
  }

  /** Takes note that the pool has stopped. */
  stop(): void {
    this.#stopped = true
    for (const resolve of this.#stopWaiters.splice(0)) resolve()
  }

  #update(): void {
    if (this.#stopped) return
    const waiting = this.#stopWaiters.length > 0 || this.#dismissing
    this.#native.setHold(waiting ? Hold.always : this.#referenced ? Hold.unfinished : Hold.never)
  }
}
