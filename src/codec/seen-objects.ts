// The objects of a payload, numbered in the order in which they begin.

/** Number of objects up to which comparing one by one is cheaper than hashing. */
const FEW = 24

export class SeenObjects {
  readonly #few: (object | undefined)[] = new Array(FEW).fill(undefined)
  #count = 0
  /** All objects, once there are more than a few. */
  #many: Set<object> | undefined
  /** All objects with their numbers, once an object has come again: a set cannot tell the number. */
  #numbers: Map<object, number> | undefined

  /** Returns the number of an object that has begun already; -1 for a new object, which gets the next number. */
  add(object: object): number {
    if (this.#many !== undefined) return this.#addToMany(this.#many, object)
    const few = this.#few
    const count = this.#count
    for (let i = 0; i < count; i++) {
      if (few[i] === object) return i
    }
    if (count === FEW) return this.#addToMany((this.#many = new Set(few as object[])), object)
    few[count] = object
    this.#count = count + 1
    return -1
  }

  #addToMany(many: Set<object>, object: object): number {
    if (this.#numbers === undefined) {
      const { size } = many
      if (many.add(object).size > size) return -1
      let next = 0
      this.#numbers = new Map()
      for (const one of many) this.#numbers.set(one, next++)
    }
    const number = this.#numbers.get(object)
    if (number !== undefined) return number
    this.#numbers.set(object, this.#numbers.size)
    return -1
  }

  /** The number of objects. */
  get size(): number {
    return this.#many === undefined ? this.#count : (this.#numbers ?? this.#many).size
  }

  /** The objects by their numbers. */
  list(): object[] {
    const many = this.#numbers?.keys() ?? this.#many
    return many === undefined ? (this.#few.slice(0, this.#count) as object[]) : [...many]
  }

  /** Forgets all objects. */
  clear(): void {
    for (let i = 0; i < this.#count; i++) this.#few[i] = undefined
    this.#count = 0
    this.#many = undefined
    this.#numbers = undefined
  }
}
