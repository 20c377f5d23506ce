// The outcomes of items as a `map` with `settle` yields them, and the index in errors.

import { MillraceError, RemoteError } from '../errors/index.js'

/** The outcome of an item: what `map` yields with `settle: true`. */
export type ItemOutcome<T, R> =
  | {
      readonly status: 'fulfilled'
      /** The index of the item in the input, from 0. */
      readonly index: number
      readonly value: R
    }
  | {
      readonly status: 'rejected'
      /** The index of the item in the input, from 0. */
      readonly index: number
      /** The item as the input gave it; for `starmap`, the list of arguments. */
      readonly item: T
      /** What the task threw, or the error that tells what else kept the item from its value. */
      readonly reason: any
    }

/** Writes the index of its item into an error of this package's, and returns the error. */
export function indexed(error: unknown, index: number): unknown {
  if (error instanceof MillraceError && !(error instanceof RemoteError) && !Object.hasOwn(error, 'index')) {
    Object.defineProperty(error, 'index', { value: index, enumerable: true, writable: true, configurable: true })
  }
  return error
}
