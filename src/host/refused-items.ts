// Items of a chunk that cannot travel. The chunk goes without them, and their errors are put among its outcomes.

import { encodeArguments, type Outbox } from '../codec/index.js'
import { withLabel } from '../errors/index.js'
import { CallFlag } from '../wire/index.js'
import type { PieceOutcome } from './piece-outcome.js'

export class RefusedItems {
  /** The items that can travel. */
  readonly rest: unknown[] = []
  readonly #errors = new Map<number, unknown>()
  readonly #length: number

  /**
   * Tries to encode the items of a chunk one by one. `flags` and `label` are the chunk's; the content of `out` is lost.
   */
  constructor(items: readonly unknown[], flags: number, label: string | undefined, out: Outbox) {
    const unary = (flags & CallFlag.unary) !== 0
    this.#length = items.length
    for (const [index, item] of items.entries()) {
      try {
        encodeArguments(unary ? [item] : (item as unknown[]), out)
        this.rest.push(item)
      } catch (error) {
        this.#errors.set(index, withLabel(error, label))
      }
    }
    out.tail = undefined
  }

  /** The outcomes of all items, from the outcome of the chunk that was sent; of the first items, if that is too. */
  complete(outcome: PieceOutcome<unknown>): PieceOutcome<unknown> {
    const values: unknown[] = []
    const errors = new Map<number, unknown>()
    for (let index = 0, at = 0; index < this.#length; index++) {
      if (this.#errors.has(index)) {
        errors.set(index, this.#errors.get(index))
        values.push(undefined)
        continue
      }
      if (at === outcome.values.length) break
      if (outcome.errors?.has(at)) errors.set(index, outcome.errors.get(at))
      values.push(outcome.values[at++])
    }
    return { ...outcome, values, errors }
  }
}
