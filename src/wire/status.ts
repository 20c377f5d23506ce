// The kinds of results, and the flags of calls and results. Native code passes flags on, and looks at `chunk` and the
// number of earlier attempts alone.

/** The kind of a result. crates/pool has the same numbers. */
export const Status = {
  /** The call returned. Payload: the value. */
  ok: 0,
  /** The call failed. Payload: the envelope of the error. */
  error: 1,
  /** The task called `process.exit()`. Payload: the exit code. The worker leaves. */
  exit: 2,
  /**
   * A notice, which answers no call: an error that belongs to no call. Payload: the error's envelope. The worker leaves
   * after its present call.
   */
  strayRetiring: 4,
} as const

/** Bits among the flags of a call. */
export const CallFlag = {
  /**
   * The call is a chunk. Payload: a list of argument lists. The result has the flag {@link ResultFlag.outcomes}; the
   * result of a chunk with one item is that of an ordinary call.
   */
  chunk: 1,
  /** Together with `chunk`: each argument list has one member, and the payload lists these members. */
  unary: 2,
  /** The content of the payload is a SharedBuffer, which moves to the worker. */
  moved: 4,
  /** Together with `chunk`: each item has a time limit. */
  timed: 8,
  /** The payload has one argument, or item, more at its end: the label of the call. */
  labelled: 16,
} as const

/**
 * Among the flags of a call: the number of attempts before the present one. The host writes those before the submission
 * of the call, and native code counts those that it repeats by itself.
 */
export const Earlier = {
  /** The lowest bit. */
  shift: 6,
  /** The largest number: it stays. */
  most: 0x1ff,
} as const

/** Bits among the flags of a result. */
export const ResultFlag = {
  /** The payload has the outcomes of a chunk's items: of all, or of the first ones. See `codec/journal.ts`. */
  outcomes: 1,
  /** The content of the payload is a SharedBuffer, which moves to the host. */
  moved: 2,
} as const
