// The tasks of a pool, each with a number. A worker is told once what a number means.

import type { NativePool } from '../native/index.js'
import { describeTask } from '../tasks/index.js'
import { encodeDescriptor } from '../wire/index.js'

/** A task in the table of its pool. */
export interface TaskEntry {
  readonly index: number
  readonly name: string
  readonly key: string
  /** Calls without an outcome. While there are any, the number cannot go to another task. */
  unfinished: number
}

/**
 * Numbers in use, from which on a task without unfinished calls loses its number to a new task. Otherwise tasks of ever
 * new source text would grow the table for ever, here and in every worker.
 */
const MAX_TASKS = 4096

export class TaskTable {
  readonly #pool: NativePool
  readonly #byFunction = new WeakMap<object, TaskEntry>()
  /** Entries in the order of their first use. */
  readonly #byKey = new Map<string, TaskEntry>()

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
      // An entry that lost its number to another task is no longer listed under its key.
      if (known !== undefined && this.#byKey.get(known.key) === known) return known
    }
    const descriptor = describeTask(task)
    const key = JSON.stringify(descriptor)
    let entry = this.#byKey.get(key)
    if (entry === undefined) {
      entry = { index: this.#freeIndex(), name: descriptor.name, key, unfinished: 0 }
      this.#pool.defineTask(entry.index, encodeDescriptor(descriptor))
      this.#byKey.set(key, entry)
    }
    this.#byFunction.set(task as object, entry)
    return entry
  }

  /** The name of the task with this number. */
  nameOf(index: number): string | undefined {
    for (const entry of this.#byKey.values()) if (entry.index === index) return entry.name
    return undefined
  }

  #freeIndex(): number {
    if (this.#byKey.size >= MAX_TASKS) {
      for (const [key, entry] of this.#byKey) {
        if (entry.unfinished > 0) continue
        this.#byKey.delete(key)
        return entry.index
      }
    }
    return this.#byKey.size
  }
}
