// The outcome of a call with a chunk's items, or with some of them.

/** The failure that ended a call in the middle. */
export interface PieceFailure {
  readonly error: unknown
  /** Whether the worker died before the first item began, so that no item is to blame. */
  readonly isInnocent: boolean
}

/** The outcomes of the items of a call that is a chunk, or a piece of one. */
export interface PieceOutcome<R> {
  /** The value of each item, from the first on; for a failed item, anything. */
  readonly values: ArrayLike<R>
  /** The errors of failed items by their index. */
  readonly errors: Map<number, unknown> | undefined
  /** Set if the item behind `values` has failed, and the items behind that one have not run. */
  readonly failure: PieceFailure | undefined
  /** Milliseconds that the worker ran the call; 0: unknown. */
  readonly elapsed: number
}
