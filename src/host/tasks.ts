// The tasks of a pool, each with a number. A worker is told once what a number means.

import type { NativePool } from '../native/index.js'
import { describeTask } from '../tasks/index.js'
import { encodeDescriptor } from '../wire/index.js'

/** A task in the table of its pool. */
export interface TaskEntry {
  readonly index: number
  readonly name: string
  /** The text of the descriptor; empty once the entry has lost its number. */
  key: string
  /** Bytes of the descriptor. */
  readonly bytes: number
  /** Calls without an outcome. While there are any, the number cannot go to another task. */
  unfinished: number
}

// Beyond either bound the oldest tasks without unfinished calls lose their numbers: otherwise tasks of ever new source
// text would grow the table for ever, here and in every worker. A task that lost its number gets one at its next call.

/** Most tasks with a number. */
const MAX_TASKS = 4096

/** Most bytes of all descriptors: source text can be long. */
const MAX_BYTES = 16 << 20

export class TaskTable {
  readonly #pool: NativePool
  readonly #byFunction = new WeakMap<object, TaskEntry>()
  /** Entries in the order of their first use. */
  readonly #byKey = new Map<string, TaskEntry>()
  /** Bytes of all descriptors. */
  #bytes = 0
  /** Numbers that tasks have lost. */
  readonly #free: number[] = []

  constructor(pool: NativePool) {
    this.#pool = pool
  }

  /**
   * The entry of a function; a new entry if the pool does not know the function.
   *
   * @throws TypeError when the function cannot be a task.
   */
  entry(task: unknown): TaskEntry {
    if (typeof task === 'function') {
      const known = this.#byFunction.get(task)
      if (known !== undefined && known.key !== '') return known
    }
    const descriptor = describeTask(task)
    const key = JSON.stringify(descriptor)
    let entry = this.#byKey.get(key)
    if (entry === undefined) {
      const bytes = encodeDescriptor(descriptor)
      this.#makeRoom(bytes.byteLength)
      const index = this.#free.pop() ?? this.#byKey.size
      entry = { index, name: descriptor.name, key, bytes: bytes.byteLength, unfinished: 0 }
      this.#pool.defineTask(index, bytes)
      this.#byKey.set(key, entry)
      this.#bytes += entry.bytes
    }
    this.#byFunction.set(task as object, entry)
    return entry
  }

  /** The name of the task with this number. */
  nameOf(index: number): string | undefined {
    for (const entry of this.#byKey.values()) if (entry.index === index) return entry.name
    return undefined
  }

  /** Takes the numbers of the oldest tasks until there is room for a descriptor of `bytes`. */
  #makeRoom(bytes: number): void {
    const isFull = (): boolean => this.#byKey.size >= MAX_TASKS || this.#bytes + bytes > MAX_BYTES
    if (!isFull()) return
    for (const entry of this.#byKey.values()) {
      if (entry.unfinished === 0) this.#forget(entry)
      if (!isFull()) return
    }
  }

  #forget(entry: TaskEntry): void {
    this.#byKey.delete(entry.key)
    this.#bytes -= entry.bytes
    // The entry lives as long as its function, the text does not.
    entry.key = ''
    this.#pool.forgetTask(entry.index)
    this.#free.push(entry.index)
  }
}
