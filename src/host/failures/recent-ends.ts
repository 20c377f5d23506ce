// How workers ended lately, for a pool that breaks because none comes up.

import type { NativeDeath, NativeEvent } from '../../native/index.js'

/**
 * As many ends in a row of workers that have finished nothing break a pool: `MAX_FAILED_STARTS` in
 * crates/pool/src/config.rs.
 */
const MOST = 3

export class RecentEnds {
  #reason: string | undefined
  #deaths: NativeDeath[] = []

  /** A worker has ended. */
  note(event: NativeEvent): void {
    if (event.reason !== this.#reason) this.#deaths = []
    this.#reason = event.reason
    this.#deaths.push(event.deaths![0]!)
    if (this.#deaths.length > MOST) this.#deaths.shift()
  }

  /** What `workerExit` said of the last one. */
  get reason(): string | undefined {
    return this.#reason
  }

  /** The last ones that it was said of, at most as many as it takes to break a pool. */
  get deaths(): readonly NativeDeath[] {
    return this.#deaths
  }
}
