// Records: numbers that pass between JavaScript and native code as 32-bit words of a buffer that both share.
//
// A 64-bit number takes two words, the lower half first. crates/node/src/wire.rs has the same offsets, and a test
// compares the two.

/**
 * The registers: words that JavaScript writes before it submits a call (with `task`) or commits a result (with
 * `status`). `length` counts the bytes of the payload at the start of the outbox.
 */
export const Register = { task: 0, status: 0, codec: 1, flags: 2, length: 3, count: 4 } as const

/**
 * The record of a call that a worker has taken. The record is at the start of the worker's inbox; the payload, or its
 * head, follows.
 */
export const CallRecord = {
  task: 0,
  codec: 1,
  flags: 2,
  /** Bytes of the payload; two words. */
  length: 3,
  /** Where in the inbox the payload starts, or {@link Inbox.elsewhere}. */
  offset: 5,
  /** The public number of the call; two words. */
  taskId: 6,
  /** For a payload that is elsewhere: the bytes of its head. The head follows the record in any case. */
  headLength: 8,
  /** For a chunk: the index of its word in the journal. */
  chunk: 9,
  words: 10,
} as const

/** The journal of a worker's lane: words, and after them the bytes of outcomes. */
export const Journal = {
  /** The word with the number of bytes. */
  end: 0,
  /** The word with the time at which the present item began. */
  began: 1,
  /** The word of the first chunk; those of others follow, by their index. */
  chunks: 32,
  /** Bytes of outcomes. */
  bytes: 4 << 20,
  /** Most items of a chunk. */
  items: 0xfffe,
} as const

/** The record of a result in the host's inbox. All records of one drain come first, then their payloads. */
export const ResultRecord = {
  call: 0,
  status: 1,
  codec: 2,
  flags: 3,
  /** Bytes of the payload; two words. */
  length: 4,
  /** Where in the inbox the payload starts, or {@link Inbox.elsewhere}. */
  offset: 6,
  /** The worker's process id. */
  pid: 7,
  /** How long the call ran, in microseconds. */
  ranMicroseconds: 8,
  /** For a payload that is elsewhere: where in the inbox its head starts, and the head's bytes. */
  headOffset: 9,
  headLength: 10,
  words: 11,
} as const

/** The inboxes: buffers in which native code hands over calls and results. */
export const Inbox = {
  /** Stands for an offset: all of the payload but its head lies outside of the inbox, to be fetched or borrowed. */
  elsewhere: 0xffff_ffff,
} as const

/** The number that a drain returns: how many results there are, and this flag. */
export const Drained = {
  /** Added to the number of results when there are events, too. */
  events: 1 << 16,
} as const

const HIGH = 2 ** 32

/** Reads a 64-bit number from two words of a record. */
export function wide(words: Uint32Array, at: number): number {
  return words[at]! + words[at + 1]! * HIGH
}
