// Records: numbers that pass between JavaScript and native code as 32-bit words of a buffer that both sides share.
//
// A 64-bit number takes two words, the lower half first. crates/node/src/wire.rs has the same offsets, and a test
// compares them.

/**
 * The registers: words that JavaScript writes before it submits a call (`task`) or commits a result (`status`).
 * `length` is that of the payload at the start of the outbox.
 */
export const Register = { task: 0, status: 0, codec: 1, flags: 2, length: 3, count: 4 } as const

/** The record of a call that a worker has taken, at the start of the worker's inbox. Payload or head follow. */
export const CallRecord = {
  task: 0,
  codec: 1,
  flags: 2,
  /** Bytes of the payload; two words. */
  length: 3,
  /** Where the payload is in the inbox, or {@link Inbox.elsewhere}. */
  offset: 5,
  /** The public number of the call; two words. */
  taskId: 6,
  /** Of a payload that is elsewhere: bytes of its head, which follows the record all the same. */
  headLength: 8,
  words: 9,
} as const

/** The record of a result in the host's inbox. The records of one drain come first, their payloads follow. */
export const ResultRecord = {
  call: 0,
  status: 1,
  codec: 2,
  flags: 3,
  /** Bytes of the payload; two words. */
  length: 4,
  /** Where the payload is in the inbox, or {@link Inbox.elsewhere}. */
  offset: 6,
  /** The worker's process id. */
  pid: 7,
  /** How long the call ran, in microseconds. */
  ranMicroseconds: 8,
  /** Of a payload that is elsewhere: where its head is in the inbox, and the head's length. */
  headOffset: 9,
  headLength: 10,
  words: 11,
} as const

/** The buffers that calls and results come in. */
export const Inbox = {
  /** In place of an offset: the content of the payload, all but its head, has to be fetched or borrowed. */
  elsewhere: 0xffff_ffff,
} as const

/** The number that a drain returns. */
export const Drained = {
  /** Added to the number of results: there are events as well. */
  events: 1 << 16,
} as const

const HIGH = 2 ** 32

/** The 64-bit number in two words of a record. */
export function wide(words: Uint32Array, at: number): number {
  return words[at]! + words[at + 1]! * HIGH
}
