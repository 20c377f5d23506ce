// A map whose keys are texts of bounded length in all: the oldest entries make room for new ones.

/** What an entry takes beside the text of its key, in units of the bound. */
const ENTRY = 64

export class BoundedMap<V> {
  readonly #entries = new Map<string, V>()
  readonly #limit: number
  #size = 0

  /** @param limit - Most characters of all keys; each entry counts as 64 more. */
  constructor(limit: number) {
    this.#limit = limit
  }

  get(key: string): V | undefined {
    return this.#entries.get(key)
  }

  has(key: string): boolean {
    return this.#entries.has(key)
  }

  /** Sets an entry, which is the youngest then. A key that is too long for the map is not kept. */
  set(key: string, value: V): void {
    this.delete(key)
    const size = key.length + ENTRY
    if (size > this.#limit) return
    for (const oldest of this.#entries.keys()) {
      if (this.#size + size <= this.#limit) break
      this.delete(oldest)
    }
    this.#entries.set(key, value)
    this.#size += size
  }

  delete(key: string): void {
    if (this.#entries.delete(key)) this.#size -= key.length + ENTRY
  }
}
