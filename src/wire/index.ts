// Numbers that host and worker agree on besides the codec: they are the owner's bits of `crates/pool`.

/** Outcome of a call. The first three are the manager's own (crates/pool/src/round.rs). */
export const Status = {
  /** The result follows. */
  ok: 0,
  /** The error envelope follows. */
  error: 1,
  /** `process.exit()` in the task: its code follows, and the worker leaves. */
  exit: 2,
  /** Notice: an error that belongs to no call; the worker stays. */
  stray: 3,
  /** Notice: an error that belongs to no call; the worker leaves after its current call. */
  strayRetiring: 4,
} as const

/** Bits in the flags of a call. */
export const CallFlag = {
  /** The payload is a list of argument lists; the result is the list of their outcomes. */
  chunk: 1,
  /** With `chunk`: each argument list has one member, and the payload lists those members. */
  unary: 2,
  /** The content of the payload is a SharedBuffer that moves to the worker. */
  moved: 4,
} as const

/** Bits in the flags of a result. */
export const ResultFlag = {
  /** Some items of the chunk failed: the result is a `PartialChunk`. */
  partial: 1,
  /** The content of the payload is a SharedBuffer that moves to the host. */
  moved: 2,
} as const

/** What a chunk yields when some of its items failed. */
export interface PartialChunk {
  /** By item; `undefined` where it failed. */
  values: unknown[]
  /** Index of each failed item, with its error envelope. */
  errors: [index: number, codec: number, envelope: Uint8Array][]
}

/** Numbers that JavaScript leaves for native code, on either side: see `bareSubmit` and `bareCommit` in crates/node. */
export const Register = { task: 0, status: 0, codec: 1, flags: 2, length: 3 } as const
export const REGISTERS = 4

/** Beside the number of results of a drain: there are events as well. */
export const DRAINED_EVENTS = 1 << 16

/** Words of the record of a call in a worker's staging buffer (crates/node/src/worker.rs). */
export const CALL_RECORD_WORDS = 9

/** Words of the record of a result in the host's staging buffer (crates/node/src/host/call_path.rs). */
export const RESULT_RECORD_WORDS = 11

/** In a record, stands for a payload whose content, all but its head, has to be fetched or borrowed. */
export const ELSEWHERE = 0xffff_ffff

/** Size of the staging buffer that results pass through. */
export const INBOX_BYTES = 1 << 20

const HIGH = 2 ** 32

/** A number of 64 bits that stands in two words of a record. */
export function wide(words: Uint32Array, at: number): number {
  return words[at]! + words[at + 1]! * HIGH
}
