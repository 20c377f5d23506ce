// Inputs and outputs of `map`.

import { setImmediate as turn } from 'node:timers/promises'
import { MapIterator, type MapOptions } from '../../src/map/iterator.js'
import type { LocalChunks } from './executors.js'

/** What fails in tests. */
export const boom = new Error('boom')
/** What an iterator says at its end. */
export const DONE = { done: true, value: undefined }

/** A task. */
export const double = (n: number): number => n * 2

/** 0, 1, 2, … */
export function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}

/** Their doubles. */
export const doubled = (count: number): number[] => numbers(count).map(double)

/** What `map` of an executor does, without one. */
export function map<T, R>(
  source: LocalChunks<T, R>,
  items: Iterable<T> | AsyncIterable<T>,
  options: MapOptions = {},
): MapIterator<R> {
  return MapIterator.start(source, items, options)
}

/** All that comes. */
export async function collect<T>(iterable: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of iterable) items.push(item)
  return items
}

/** Every outcome until the end, errors included. */
export async function outcomes(iterator: AsyncIterator<unknown>): Promise<unknown[]> {
  const all: unknown[] = []
  for (;;) {
    try {
      const { done, value } = await iterator.next()
      if (done) return all
      all.push(value)
    } catch (error) {
      all.push({ error })
    }
  }
}

/** An input that counts what is read of it and whether it was closed. */
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

/** The same, asynchronous. */
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

/** Lets the event loop go on for so many turns. */
export async function turns(count = 10): Promise<void> {
  for (let index = 0; index < count; index++) await turn()
}
