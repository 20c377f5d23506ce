// A batch that is being collected, and its limits.

import { monotonicMs } from '../util/clock.js'
import { Buffer } from '../util/globals.js'
import { invalidType } from '../util/validate.js'

export interface BatchLimits<T> {
  readonly items?: number | undefined
  readonly bytes?: number | undefined
  readonly ms?: number | undefined
  readonly size?: ((item: T) => number) | undefined
}

export class Batch<T> {
  readonly #limits: BatchLimits<T>
  #items: T[] = []
  #bytes = 0
  /** When the batch has to come, by {@link monotonicMs}. */
  #due = Infinity

  constructor(limits: BatchLimits<T>) {
    this.#limits = limits
  }

  get isEmpty(): boolean {
    return this.#items.length === 0
  }

  /** Whether no item fits any more. */
  get isFull(): boolean {
    const { items = Infinity, bytes = Infinity } = this.#limits
    return this.#items.length >= items || this.#bytes >= bytes || this.dueIn <= 0
  }

  /** Milliseconds until the batch has to come. */
  get dueIn(): number {
    return this.#due === Infinity ? Infinity : this.#due - monotonicMs()
  }

  /**
   * Takes an item, unless its size would exceed the limit of a batch that has other items.
   *
   * @returns Whether the item was taken.
   * @throws TypeError when the item has no size.
   */
  add(item: T): boolean {
    const { bytes, ms } = this.#limits
    if (bytes !== undefined) {
      const size = sizeOf(item, this.#limits.size)
      if (!this.isEmpty && this.#bytes + size > bytes) return false
      this.#bytes += size
    }
    if (ms !== undefined && this.isEmpty) this.#due = monotonicMs() + ms
    this.#items.push(item)
    return true
  }

  /** The items. The next batch begins. */
  take(): T[] {
    const items = this.#items
    this.#items = []
    this.#bytes = 0
    this.#due = Infinity
    return items
  }
}

function sizeOf<T>(item: T, size: ((item: T) => number) | undefined): number {
  if (size !== undefined) {
    const bytes: unknown = size(item)
    if (typeof bytes === 'number' && bytes >= 0) return bytes
    throw invalidType('options.size', 'a function that returns a number of bytes, 0 or more', bytes)
  }
  if (typeof item === 'string') return Buffer.byteLength(item)
  const length: unknown = (item as Partial<ArrayBufferView> | null | undefined)?.byteLength
  if (typeof length === 'number') return length
  throw invalidType('options.size', 'given, as the items are neither strings nor bytes', size)
}
