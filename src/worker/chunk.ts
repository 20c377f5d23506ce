// Chunks in a worker: the items of one call run one after the other, each with an outcome of its own.

import { encodeArguments, encodeError, encodeResult, type Outbox } from '../codec/index.js'
import { SerializationError } from '../errors/index.js'
import { isThenable } from '../util/thenable.js'
import { CallFlag, type PartialChunk } from '../wire/index.js'
import type { ItemContexts } from './contexts.js'
import { explainClosure } from './failure.js'
import type { Task } from './task-cache.js'

/** The values of a chunk's items, and the errors of the failed items with their indexes. */
export class ChunkValues {
  readonly values: unknown[]
  readonly errors: [number, unknown][] = []

  constructor(length: number) {
    this.values = new Array<unknown>(length)
  }
}

/**
 * Runs the items of a chunk one after the other, each in an async context of its own. The first item that returns a
 * promise makes the chunk asynchronous.
 */
export function runChunk(
  contexts: ItemContexts,
  task: Task,
  flags: number,
  items: unknown[],
): ChunkValues | Promise<ChunkValues> {
  const outcome = new ChunkValues(items.length)
  const unary = (flags & CallFlag.unary) !== 0
  for (let index = 0; index < items.length; index++) {
    try {
      const value = callItem(contexts, task, unary, items[index])
      if (isThenable(value)) return finishChunk(contexts, task, unary, items, outcome, index, value)
      outcome.values[index] = value
    } catch (error) {
      failItem(outcome, index, error)
    }
  }
  return outcome
}

async function finishChunk(
  contexts: ItemContexts,
  task: Task,
  unary: boolean,
  items: unknown[],
  outcome: ChunkValues,
  from: number,
  first: unknown,
): Promise<ChunkValues> {
  for (let index = from; index < items.length; index++) {
    try {
      outcome.values[index] = await (index === from ? first : callItem(contexts, task, unary, items[index]))
    } catch (error) {
      failItem(outcome, index, error)
    }
  }
  return outcome
}

function callItem(contexts: ItemContexts, task: Task, unary: boolean, item: unknown): unknown {
  return unary ? contexts.callUnary(task, item) : contexts.call(task, item as unknown[])
}

function failItem(outcome: ChunkValues, index: number, error: unknown): void {
  outcome.values[index] = undefined
  outcome.errors.push([index, error])
}

/**
 * Encodes a chunk's values; item by item if one of them cannot travel. `isSource`: the task came as source text.
 *
 * @returns Whether some items failed.
 */
export function encodeChunk(chunk: ChunkValues, outbox: Outbox, isSource: boolean): boolean {
  if (chunk.errors.length === 0) {
    try {
      encodeArguments(chunk.values, outbox, 'result')
      return false
    } catch (error) {
      if (!(error instanceof SerializationError)) throw error
      chunk.values.forEach((value, index) => {
        try {
          encodeResult(value, outbox)
        } catch (itemError) {
          failItem(chunk, index, itemError)
        }
      })
    }
  }
  const errors = chunk.errors.map(([index, error]): [number, number, Uint8Array] => {
    encodeError(isSource ? explainClosure(error) : error, outbox)
    return [index, outbox.codec, outbox.copy()]
  })
  const partial: PartialChunk = { values: chunk.values, errors }
  encodeResult(partial, outbox)
  return true
}
