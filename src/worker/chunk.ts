// Chunks in a worker: the items of one call run one after the other, each with an outcome of its own, which lies in the
// journal before the next item begins.

import { withLabel } from '../errors/index.js'
import { isThenable } from '../util/thenable.js'
import { CallFlag } from '../wire/index.js'
import type { ItemContexts } from './contexts.js'
import type { Journal } from './journal.js'
import type { Task } from './task-cache.js'

/** Returned by a chunk that is over: its outcomes are in the journal. */
export const OUTCOMES = Symbol('outcomes')

/** How the items of a chunk are run. */
export interface ChunkCalls {
  readonly contexts: ItemContexts
  readonly task: Task
  readonly flags: number
  readonly items: readonly unknown[]
  /** The label of the map. */
  readonly label: string | undefined
  /** Makes the error that tells of an item what it threw. */
  explain(error: unknown): unknown
  /** Whether the chunk was answered by somebody else: its process ends, or an item has left a stray error. */
  isOver(): boolean
  /** Called before and after a value is encoded, which may run code of the task's. */
  encoding(isEncoding: boolean): void
}

/**
 * Runs the items that the host leaves to this worker. The first item that returns a promise makes the chunk
 * asynchronous.
 */
export function runChunk(
  journal: Journal,
  slot: number,
  calls: ChunkCalls,
): typeof OUTCOMES | Promise<typeof OUTCOMES> {
  if (!journal.open(slot, calls.items.length, (calls.flags & CallFlag.timed) !== 0)) return OUTCOMES
  do {
    try {
      const value = callItem(calls, journal.next)
      if (isThenable(value)) return goOn(journal, calls, value)
      keep(journal, calls, value)
    } catch (error) {
      journal.error(calls.explain(error))
    }
  } while (journal.advance())
  return OUTCOMES
}

async function goOn(journal: Journal, calls: ChunkCalls, first: unknown): Promise<typeof OUTCOMES> {
  let present = first
  for (;;) {
    try {
      const value = await present
      if (calls.isOver()) return OUTCOMES
      keep(journal, calls, value)
    } catch (error) {
      if (calls.isOver()) return OUTCOMES
      journal.error(calls.explain(error))
    }
    if (!journal.advance()) return OUTCOMES
    try {
      present = callItem(calls, journal.next)
    } catch (error) {
      present = Promise.reject(error)
    }
  }
}

function callItem({ contexts, task, flags, items }: ChunkCalls, index: number): unknown {
  const item = items[index]
  return (flags & CallFlag.unary) !== 0 ? contexts.callUnary(task, item) : contexts.call(task, item as unknown[])
}

/** Keeps the value of the present item; the error, if the value cannot travel. */
function keep(journal: Journal, calls: ChunkCalls, value: unknown): void {
  if (journal.scalar(value)) return
  calls.encoding(true)
  try {
    journal.value(value)
  } catch (error) {
    throw withLabel(error, calls.label)
  } finally {
    calls.encoding(false)
  }
}
