// The outcome of a call with a chunk's items, or with some of them.

/** The outcomes of the items of a call that is a chunk, or a piece of one. */
export interface PieceOutcome<R> {
  /** The value of each item, from the first on; for a failed item, anything. */
  readonly values: ArrayLike<R>
  /** The errors of failed items by their index. */
  readonly errors: Map<number, unknown> | undefined
  /** Set if the item behind `values` has failed, with this error, and the items behind that one have not run. */
  readonly failure: { readonly error: unknown } | undefined
  /** Milliseconds that the worker ran the call; 0: unknown. */
  readonly elapsed: number
}
