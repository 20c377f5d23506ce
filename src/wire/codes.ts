// Codes: small numbers that native functions take and return. crates/node/src/wire.rs has the same, and a test compares
// them.

/** Why `submit` took no call. Numbers of calls are not negative. */
export const Refused = { closed: -1, broken: -2, queueFull: -3, spawn: -4, tooLarge: -5 } as const

/** What a worker's `take` found. */
export const Taken = { nothing: 0, task: 1, define: 2, boot: 3, stop: 4 } as const

/** What became of a commit. `notMoved`: nothing is committed, since the memory cannot move without a copy. */
export const Committed = { notMoved: -1, done: 0, noRoom: 1, tooLarge: 2, noMemory: 3 } as const

/** How far a worker's life has come, as the worker tells its host. */
export const Phase = { ready: 1, retiring: 2, leaving: 3 } as const

/** When a pool holds its host's event loop. */
export const Hold = { unfinished: 0, always: 1, never: 2 } as const

/** What a host wants of its fork server. */
export const ForkRequest = { nothing: 0, fork: 1, closed: 2 } as const

/** Limits of the manager that its owner tells of, or keeps to. */
export const Limits = {
  /** As many failed starts in a row break a pool. */
  failedStarts: 3,
  /** Milliseconds in which a worker that was asked to leave has to end; else the worker is killed. */
  killAfterMs: 5000,
} as const
