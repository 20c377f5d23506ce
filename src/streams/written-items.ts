// The items that were written to a stream, as the input of a `map`.

import type { AsyncItems } from '../util/async-items.js'
import { Fifo } from '../util/fifo.js'
import { type ReadyItems, takeReady } from '../util/ready-items.js'

/** Tells the writer that its items were taken. */
type Callback = (error?: Error | null) => void

export class WrittenItems<T> implements AsyncItems<T>, ReadyItems<T> {
  /** Items that were written and not taken. */
  #items: readonly T[] = []
  #at = 0
  #callback: Callback | undefined
  #ended = false
  readonly #requests = new Fifo<(result: IteratorResult<T, undefined>) => void>()
  /** Items that were taken, by their index in the input, while somebody may ask for them. */
  readonly #kept: Map<number, T> | undefined
  #taken = 0

  /** @param keeps - Whether items can be asked for by {@link takeKept} after they were taken. */
  constructor(keeps: boolean) {
    this.#kept = keeps ? new Map() : undefined
  }

  /** Called when the items before were taken, with `callback` for the next call. */
  write(items: readonly T[], callback: Callback): void {
    this.#items = items
    this.#at = 0
    this.#callback = callback
    while (this.#requests.length > 0 && this.#at < this.#items.length) {
      this.#requests.shift()!({ done: false, value: this.#take() })
    }
  }

  /** No more items come. */
  end(): void {
    this.#ended = true
    this.#finish()
  }

  /** Nobody wants the items any more. */
  close(): void {
    this.#ended = true
    this.#items = []
    this.#at = 0
    this.#callback = undefined
    this.#kept?.clear()
    this.#finish()
  }

  /** Returns an item that was taken, and forgets it. */
  takeKept(index: number): T | undefined {
    const item = this.#kept?.get(index)
    this.#kept?.delete(index)
    return item
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#at < this.#items.length) return Promise.resolve({ done: false, value: this.#take() })
    if (this.#ended) return Promise.resolve({ done: true, value: undefined })
    return new Promise((resolve) => this.#requests.push(resolve))
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    this.close()
    return { done: true, value: undefined }
  }

  [takeReady](limit: number): T[] {
    const items: T[] = []
    while (items.length < limit && this.#at < this.#items.length) items.push(this.#take())
    return items
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #take(): T {
    const item = this.#items[this.#at++]!
    this.#kept?.set(this.#taken, item)
    this.#taken++
    if (this.#at === this.#items.length) {
      const callback = this.#callback
      this.#callback = undefined
      // Later: the callback runs code of whoever writes, and a map is taking items.
      if (callback !== undefined) process.nextTick(callback)
    }
    return item
  }

  #finish(): void {
    for (let resolve = this.#requests.shift(); resolve !== undefined; resolve = this.#requests.shift()) {
      resolve({ done: true, value: undefined })
    }
  }
}
