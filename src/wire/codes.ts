// Codes: small numbers that native functions take and return. crates/node/src/wire.rs has the same numbers, and a test
// compares the two.

/** Why `submit` refused a call. An accepted call's number is never negative. */
export const Refused = { closed: -1, broken: -2, queueFull: -3, spawn: -4, tooLarge: -5 } as const

/** Bits among the flags of a call that are for the host's manager. `further`: the queue's bound does not count. */
export const HostFlag = { further: 1 << 15 } as const

/** What a worker's `take` found in its lane. */
export const Taken = { nothing: 0, task: 1, define: 2, boot: 3, stop: 4 } as const

/** The outcome of a commit. `notMoved`: nothing is committed, because the memory can travel only by a copy. */
export const Committed = { notMoved: -1, done: 0, noRoom: 1, tooLarge: 2, noMemory: 3 } as const

/** The phase of a worker's life, as the worker tells its host. */
export const Phase = { ready: 1, retiring: 2, leaving: 3 } as const

/** When a pool holds the event loop of its host. */
export const Hold = { unfinished: 0, always: 1, never: 2 } as const

/** What a host asks of its fork server. `closed`: the host is gone, or has no use for the server. */
export const ForkRequest = { nothing: 0, fork: 1, closed: 2 } as const

/** Limits of the manager that TypeScript tells of, or keeps to. */
export const Limits = {
  /** Failed starts in a row that break a pool. */
  failedStarts: 3,
  /** Milliseconds from the request to leave to SIGTERM. */
  killAfterMs: 5000,
} as const
