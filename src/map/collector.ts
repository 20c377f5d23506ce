// The results of a `map` as one array.

import type { Chunk } from './chunk.js'
import type { MapEnd } from './source.js'

/** Collects the results of chunks, without a promise for each item. */
export class Collector<R> {
  readonly promise: Promise<R[]>
  isOver = false
  private readonly settle: boolean
  private readonly results: R[] = []
  declare private resolve: (results: R[]) => void
  declare private reject: (error: unknown) => void

  constructor(settle: boolean) {
    this.settle = settle
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
  }

  /** Takes the results of a chunk, up to an item without an outcome. Returns false at one that failed: all is over. */
  take(chunk: Chunk<R>): boolean {
    if (this.settle) {
      while (!chunk.exhausted && !chunk.isLost) this.results.push(chunk.takeOutcome() as R)
      return true
    }
    if (chunk.takeAll(this.results)) return true
    this.isOver = true
    this.reject(chunk.takeError())
    return false
  }

  /** Nothing more comes. */
  finish(end: MapEnd | undefined): void {
    this.isOver = true
    if (end === undefined) this.resolve(this.results)
    else this.reject(end.error)
  }
}
