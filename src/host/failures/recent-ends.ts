// The latest ends of workers, for the message of a pool that breaks because no worker comes up.

import type { NativeDeath, NativeExitReason } from '../../native/index.js'
import { Limits } from '../../wire/index.js'

export class RecentEnds {
  #reason: NativeExitReason | undefined
  #deaths: NativeDeath[] = []

  /** Takes note of a worker's end. */
  note(reason: NativeExitReason, death: NativeDeath): void {
    if (reason !== this.#reason) this.#deaths = []
    this.#reason = reason
    this.#deaths.push(death)
    if (this.#deaths.length > Limits.failedStarts) this.#deaths.shift()
  }

  /** The reason of the latest end, as `workerExit` tells it. */
  get reason(): NativeExitReason | undefined {
    return this.#reason
  }

  /** The latest deaths in a row with this reason. */
  get deaths(): readonly NativeDeath[] {
    return this.#deaths
  }
}
