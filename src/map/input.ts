// The inputs of `map`: sources of items.

import { AsyncResource } from 'node:async_hooks'

import { invalidType } from '../util/validate.js'

/** An input whose items are there without waiting. */
export interface SyncInput<T> {
  /** Whether everything is read. */
  readonly done: boolean
  /** The number of all items, where it is known. */
  readonly length: number | undefined
  /** The error of the user's iterator. It stands for an item behind those that were read. */
  readonly failure: { error: unknown } | undefined
  /** Reads `limit` items; fewer only at the end. Never throws. */
  read(limit: number): T[]
  /** Reads everything that is left. */
  rest(): T[]
  /** Closes the input: nothing more will be read. */
  close(): void
}

/** An input of collected items. */
export class ArrayInput<T> implements SyncInput<T> {
  readonly length: number
  readonly failure: { error: unknown } | undefined
  private items: T[]
  private position = 0

  /**
   * @param items - Becomes this object's own.
   * @param failure - The error that stands behind the last item.
   */
  constructor(items: T[], failure?: { error: unknown }) {
    this.items = items
    this.length = items.length
    this.failure = failure
  }

  get done(): boolean {
    return this.position >= this.items.length
  }

  read(limit: number): T[] {
    const from = this.position
    const chunk = this.items.slice(from, from + limit)
    this.position += chunk.length
    // Items that were read are not kept alive here. Numbers stay: replacing one would turn a compact array of numbers
    // into a general array.
    if (this.done) this.close()
    else if (chunk.some(isReference)) this.items.fill(undefined as T, from, this.position)
    return chunk
  }

  rest(): T[] {
    return this.read(this.items.length)
  }

  close(): void {
    this.items = []
    this.position = 0
  }
}

/** An input over a user's iterator, which makes items on demand: in the async context that began the map. */
export class IteratorInput<T> implements SyncInput<T> {
  readonly length = undefined
  done = false
  failure: { error: unknown } | undefined = undefined
  private readonly iterator: Iterator<T>
  private readonly context = new AsyncResource('MillraceInput')

  constructor(iterator: Iterator<T>) {
    this.iterator = iterator
  }

  read(limit: number): T[] {
    return this.context.runInAsyncScope(this.readHere, this, limit)
  }

  rest(): T[] {
    return this.read(Infinity)
  }

  close(): void {
    if (this.done) return
    this.done = true
    this.context.runInAsyncScope(() => this.iterator.return?.())
  }

  private readHere(limit: number): T[] {
    const chunk: T[] = []
    try {
      while (chunk.length < limit && !this.done) {
        const result = this.iterator.next()
        if (result.done) this.done = true
        else chunk.push(result.value)
      }
    } catch (error) {
      this.done = true
      this.failure = { error }
    }
    return chunk
  }
}

/** Whether an array iterates as arrays do, so that a part of it has the same items. */
export function isPlainArray<T>(items: Iterable<T>): items is T[] {
  return (
    Array.isArray(items) &&
    Object.getPrototypeOf(items) === Array.prototype &&
    items[Symbol.iterator] === Array.prototype[Symbol.iterator]
  )
}

export function isAsyncIterable(items: unknown): items is AsyncIterable<unknown> {
  return typeof (items as Partial<AsyncIterable<unknown>> | null | undefined)?.[Symbol.asyncIterator] === 'function'
}

/** The items of a `starmap`. Each has to be an array: an item that is none is an error of the input. */
export function argumentLists(items: Iterable<unknown> | AsyncIterable<unknown>): typeof items {
  return isAsyncIterable(items) ? checkListsAsync(items) : checkLists(items)
}

function* checkLists(items: Iterable<unknown>): Generator<unknown> {
  let index = 0
  for (const item of items) yield checkList(item, index++)
}

async function* checkListsAsync(items: AsyncIterable<unknown>): AsyncGenerator<unknown> {
  let index = 0
  for await (const item of items) yield checkList(item, index++)
}

function checkList(item: unknown, index: number): unknown {
  if (!Array.isArray(item)) throw invalidType(`items[${index}]`, 'an array of arguments', item)
  return item
}

function isReference(item: unknown): boolean {
  return typeof item !== 'number'
}
