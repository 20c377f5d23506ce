// Work that a pool has accepted and that makes further calls.

/** Work that was accepted and makes further calls: a chunk whose rest runs elsewhere, a call that is repeated. */
export interface FurtherWork {
  /** The pool ends: what waits for a time to come is over now, with an error that `makeError` makes. */
  abandon(makeError: () => Error): void
}
