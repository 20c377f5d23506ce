// What a result is, and the flags of calls and results. Native code carries flags, and does not look at them.

/** What a result is, and what its payload holds. crates/pool knows these numbers, too. */
export const Status = {
  /** The call returned: its value. */
  ok: 0,
  /** The call failed: the envelope of its error. */
  error: 1,
  /** `process.exit()` in the task: the exit code. The worker leaves. */
  exit: 2,
  /**
   * A notice, which answers no call: the envelope of an error that belongs to none. The worker leaves after its call.
   */
  strayRetiring: 4,
} as const

/** Bits in the flags of a call. */
export const CallFlag = {
  /** The payload is a list of argument lists; the result is the list of their outcomes. */
  chunk: 1,
  /** With `chunk`: each argument list has one member, and the payload lists these members. */
  unary: 2,
  /** The content of the payload is a SharedBuffer that moves to the worker. */
  moved: 4,
} as const

/** Bits in the flags of a result. */
export const ResultFlag = {
  /** Some items of the chunk failed: the result is a {@link PartialChunk}. */
  partial: 1,
  /** The content of the payload is a SharedBuffer that moves to the host. */
  moved: 2,
} as const

/** The result of a chunk of which some items failed. */
export interface PartialChunk {
  /** By item; `undefined` where the item failed. */
  values: unknown[]
  /** Index of each failed item, with its error envelope. */
  errors: [index: number, codec: number, envelope: Uint8Array][]
}
