// The latest ends of workers, for the message of a pool that breaks because no worker comes up.

import type { NativeDeath, NativeEvent } from '../../native/index.js'

/**
 * Deaths to remember: as many as the starts in vain that break a pool, `MAX_FAILED_STARTS` in
 * crates/pool/src/config.rs.
 */
const MOST = 3

export class RecentEnds {
  #reason: string | undefined
  #deaths: NativeDeath[] = []

  /** Takes note of a worker's end. */
  note(event: NativeEvent): void {
    if (event.reason !== this.#reason) this.#deaths = []
    this.#reason = event.reason
    this.#deaths.push(event.deaths![0]!)
    if (this.#deaths.length > MOST) this.#deaths.shift()
  }

  /** The reason of the latest end, as `workerExit` tells it. */
  get reason(): string | undefined {
    return this.#reason
  }

  /** The latest deaths in a row with this reason. */
  get deaths(): readonly NativeDeath[] {
    return this.#deaths
  }
}
