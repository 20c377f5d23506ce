// The job of an `imap`.

import { type IteratorOptions, MapIterator } from '../map/iterator.js'
import type { MapSource } from '../map/source.js'
import { Job } from './jobs.js'

/** An `imap` of a pool. It is over when its input is read and the last result is there, or when nobody wants more. */
export class ImapJob<R> extends Job {
  #results: MapIterator<R> | undefined

  /** Begins to read and to submit. `makeSource` gets the object that its source has to hold, and a function to call. */
  start(
    makeSource: (holder: { holder: object; whenFinished: () => void }) => MapSource<unknown, R>,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    options: IteratorOptions,
  ): MapIterator<R> {
    try {
      const source = makeSource({ holder: this, whenFinished: () => this.end() })
      this.#results = MapIterator.start(source, items, options, true)
      return this.#results
    } catch (error) {
      this.end()
      throw error
    }
  }

  abort(error: unknown): void {
    this.#results?.abort(error)
    this.end()
  }

  override readOn(): void {
    this.#results?.readOn()
  }
}
