// Inputs and outputs of `map`.

import { setImmediate as turn } from 'node:timers/promises'
import { MapIterator } from '../../src/map/iterator.js'
import { checkMapOptions, type MapOptions } from '../../src/map/options.js'
import type { LocalChunks } from './executors.js'

/** The error of failing tasks and inputs. */
export const boom = new Error('boom')
/** The last result of an iterator. */
export const DONE = { done: true, value: undefined }

/** A task. */
export const double = (n: number): number => n * 2

/** 0, 1, 2, … */
export function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}

/** The doubles of these numbers. */
export const doubled = (count: number): number[] => numbers(count).map(double)

/** Does as `map` of an executor, without an executor; a chunk has one item unless the options say otherwise. */
export function map<T, R>(
  source: LocalChunks<T, R>,
  items: Iterable<T> | AsyncIterable<T>,
  options: MapOptions = {},
): MapIterator<R> {
  return MapIterator.start(source, items, checkMapOptions({ chunksize: 1, ...options }))
}

/** Everything that an iterable yields. */
export async function collect<T>(iterable: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of iterable) items.push(item)
  return items
}

/** As often as nothing but an error comes that ends a map: it comes again and again. */
const OFTEN = 8

/** Every outcome until the end, errors included; what ends the map is the last. */
export async function outcomes(iterator: AsyncIterator<unknown>): Promise<unknown[]> {
  const all: unknown[] = []
  for (let again = 0; again < OFTEN;) {
    try {
      const { done, value } = await iterator.next()
      if (done) return all
      all.push(value)
      again = 0
    } catch (error) {
      again = again > 0 && (all.at(-1) as { error: unknown }).error === error ? again + 1 : 1
      all.push({ error })
    }
  }
  return all.slice(0, 1 - OFTEN)
}

/** An input that counts the items that were read, and notes whether it was closed. */
export class Counted {
  read = 0
  closed = 0
  readonly count: number
  failure: unknown = undefined

  constructor(count = Infinity) {
    this.count = count
  }

  *[Symbol.iterator](): Generator<number> {
    try {
      while (this.read < this.count) yield this.read++
      if (this.failure !== undefined) throw this.failure
    } finally {
      this.closed++
    }
  }
}

/** An asynchronous input that does the same. */
export class AsyncCounted {
  read = 0
  closed = 0
  readonly count: number
  failure: unknown = undefined

  constructor(count = Infinity) {
    this.count = count
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<number> {
    try {
      while (this.read < this.count) yield this.read++
      if (this.failure !== undefined) throw this.failure
    } finally {
      this.closed++
    }
  }
}

/** Waits for `count` turns of the event loop. */
export async function turns(count = 10): Promise<void> {
  for (let index = 0; index < count; index++) await turn()
}
