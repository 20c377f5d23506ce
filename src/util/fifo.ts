/**
 * A queue on an array. Taking is O(1) on average, also from a queue of millions, where `Array.prototype.shift` is not.
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

  /** Takes the oldest item out, and keeps no reference to it. */
  shift(): T | undefined {
    const { items, head } = this
    if (head === items.length) return undefined
    const item = items[head]
    items[head] = undefined
    this.head = head + 1
    // Moving the rest costs no more than the shifts that made this half of the array empty.
    if (this.head === items.length) {
      items.length = 0
      this.head = 0
    } else if (this.head >= 64 && this.head * 2 >= items.length) {
      items.splice(0, this.head)
      this.head = 0
    }
    return item
  }

  clear(): void {
    this.items = []
    this.head = 0
  }
}
