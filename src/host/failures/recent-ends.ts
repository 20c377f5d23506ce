// How workers ended lately, for a pool that breaks because none comes up.

import type { NativeDeath, NativeExitReason } from '../../native/index.js'
import { Limits } from '../../wire/index.js'

export class RecentEnds {
  #reason: NativeExitReason | undefined
  #deaths: NativeDeath[] = []

  /** A worker has ended. */
  note(reason: NativeExitReason, death: NativeDeath): void {
    if (reason !== this.#reason) this.#deaths = []
    this.#reason = reason
    this.#deaths.push(death)
    if (this.#deaths.length > Limits.failedStarts) this.#deaths.shift()
  }

  /** What `workerExit` said of the last one. */
  get reason(): NativeExitReason | undefined {
    return this.#reason
  }

  /** The last ones that it was said of, at most as many as it takes to break a pool. */
  get deaths(): readonly NativeDeath[] {
    return this.#deaths
  }
}
