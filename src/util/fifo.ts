// A first-in, first-out queue.

/**
 * A queue over an array. `shift` is O(1) on average also with millions of items, where `Array.prototype.shift` is O(n).
 */
export class Fifo<T> {
  private items: (T | undefined)[] = []
  private head = 0

  get length(): number {
    return this.items.length - this.head
  }

  push(item: T): void {
    this.items.push(item)
  }

  /** The oldest item, or undefined when there is none. */
  peek(): T | undefined {
    return this.items[this.head]
  }

  /** Removes the oldest item and returns it; undefined when there is none. Keeps no reference to the item. */
  shift(): T | undefined {
    const { items, head } = this
    if (head === items.length) return undefined
    const item = items[head]
    items[head] = undefined
    this.head = head + 1
    // To move the rest costs no more than the calls of `shift` that emptied this half of the array.
    if (this.head === items.length) {
      items.length = 0
      this.head = 0
    } else if (this.head >= 64 && this.head * 2 >= items.length) {
      items.splice(0, this.head)
      this.head = 0
    }
    return item
  }

  /** Removes one item, wherever it is. Returns false if it is not there. */
  remove(item: T): boolean {
    const index = this.items.indexOf(item, this.head)
    if (index < 0) return false
    this.items.splice(index, 1)
    return true
  }

  clear(): void {
    this.items = []
    this.head = 0
  }
}
