// The reader of results: it turns bytes from the native pool's staging memory into outcomes of calls.

import { decodeError, decodeResult, keepsContent } from '../codec/index.js'
import { CorruptPayload } from '../codec/corrupt.js'
import { addDamage, type Outcomes, readOutcomes } from '../codec/journal.js'
import { undecodable } from '../codec/serialization-error.js'
import { SerializationError, TaskExitError, withLabel, type WorkerDeathTask } from '../errors/index.js'
import { countReceived } from '../memory/garbage.js'
import { receiveShared } from '../memory/shared-buffer.js'
import type { NativePool } from '../native/index.js'
import { Buffer } from '../util/globals.js'
import { framesOf } from '../util/stacks.js'
import { Inbox, ResultFlag, ResultRecord, Status, wide } from '../wire/index.js'
import type { CallFuture } from './call-future.js'
import { describeCall } from './failures/deaths.js'
import type { PieceOutcome } from './piece-outcome.js'

/** See {@link countReceived}: the results of a round are in use together. */
const SPARING_MIB = 16

/** The outcome of a call. */
export interface Outcome {
  readonly future: CallFuture<unknown>
  /** `lost`: an error that no other attempt follows, because the pool makes none. */
  readonly kind: 'value' | 'error' | 'lost' | 'cancelled'
  /** The value that the call returned, the outcomes of a chunk's items, or the error that the call threw. */
  readonly value: unknown
}

export class ResultReader {
  readonly #native: NativePool
  readonly #inbox: Uint8Array
  readonly #words: Uint32Array

  constructor(native: NativePool, inbox: Uint8Array) {
    this.#native = native
    this.#inbox = inbox
    this.#words = new Uint32Array(inbox.buffer)
  }

  /**
   * Reads the results of one drain. `take` removes a call and returns its future; a result without a future is dropped.
   * No user code runs here: the staging memory is free again before any runs.
   */
  read(count: number, take: (call: number) => CallFuture<unknown> | undefined, outcomes: Outcome[]): void {
    const words = this.#words
    for (let at = 0; at < count * ResultRecord.words; at += ResultRecord.words) {
      const length = wide(words, at + ResultRecord.length)
      const offset = words[at + ResultRecord.offset]!
      const future = take(words[at + ResultRecord.call]!)
      if (future === undefined) continue
      if (offset === Inbox.elsewhere) outcomes.push(this.#readElsewhere(future, at, length))
      else outcomes.push(readOutcome(future, words, at, this.#inbox, offset, offset + length))
      // A recorded stack keeps alive everything that its functions can see, the executor included.
      future.submitStack = undefined
    }
  }

  /** Reads a result whose content is elsewhere. The next drain passes over a content that nobody has fetched. */
  #readElsewhere(future: CallFuture<unknown>, at: number, length: number): Outcome {
    const words = this.#words
    const headLength = words[at + ResultRecord.headLength]!
    const head = this.#inbox.subarray(
      words[at + ResultRecord.headOffset],
      words[at + ResultRecord.headOffset]! + headLength,
    )
    const size = length - headLength
    // Outcomes of items are copies. Memory that waits for its garbage collection would keep the worker from its lane.
    const isChunk = (words[at + ResultRecord.flags]! & ResultFlag.outcomes) !== 0
    const keeps = !isChunk && keepsContent(words[at + ResultRecord.codec]!, headLength)
    const borrowed = keeps ? this.#native.borrow() : null
    countReceived(size, borrowed !== null, SPARING_MIB)
    if (borrowed !== null) return readOutcome(future, words, at, new Uint8Array(borrowed), 0, size, head)
    let content: Uint8Array
    try {
      content = Buffer.allocUnsafeSlow(size)
    } catch (cause) {
      const message = `This process has no memory for the result of ${length} bytes`
      const error = new SerializationError(message, { stage: 'result', cause })
      return { future, kind: 'error', value: withLabel(error, future.label) }
    }
    this.#native.fetch(content)
    return readOutcome(future, words, at, content, 0, size, head)
  }
}

/** Reads a result from `bytes[start..end)`. With `head`, `bytes` is the rest of the payload, in memory of its own. */
function readOutcome(
  future: CallFuture<unknown>,
  words: Uint32Array,
  at: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  head?: Uint8Array,
): Outcome {
  const status = words[at + ResultRecord.status]!
  const codec = words[at + ResultRecord.codec]!
  const pid = words[at + ResultRecord.pid]!
  const owned = head !== undefined
  try {
    if ((words[at + ResultRecord.flags]! & ResultFlag.outcomes) !== 0) {
      const elapsed = words[at + ResultRecord.ranMicroseconds]! / 1000
      const payload =
        head === undefined || head.byteLength === 0 ? bytes.subarray(start, end) : Buffer.concat([head, bytes])
      return { future, kind: 'value', value: { ...chunkOutcome(future, payload, pid), elapsed } }
    }
    switch (status) {
      case Status.ok: {
        const value = decodeResult(codec, bytes, owned, start, end)
        if ((words[at + ResultRecord.flags]! & ResultFlag.moved) !== 0) receiveShared([value])
        if (future.items === 0) return { future, kind: 'value', value }
        const elapsed = words[at + ResultRecord.ranMicroseconds]! / 1000
        return { future, kind: 'value', value: pieceOutcome(future, { values: [value], errors: undefined }, elapsed) }
      }
      case Status.exit:
        return {
          future,
          kind: 'error',
          value: taskExit(decodeResult(codec, bytes, owned, start, end), future.describe(), pid),
        }
      default: {
        const submitStack = framesOf(future.submitStack)
        const decode = (): unknown => decodeError(codec, bytes.subarray(start, end), { pid, submitStack })
        if (future.items === 0) return { future, kind: 'error', value: decode() }
        // The chunk's only item has failed, or none could begin: the task does not load. Each item has its own error.
        const count = future.sentItems
        const errors = new Map(Array.from({ length: count }, (_, index) => [index, decode()]))
        return { future, kind: 'value', value: pieceOutcome(future, { values: new Array<unknown>(count), errors }) }
      }
    }
  } catch (error) {
    return { future, kind: 'error', value: withLabel(error, future.label) }
  }
}

/** The outcomes of the first items of a chunk, from the journal of worker `pid`: of `done` items, if that is known. */
export function chunkOutcome(
  future: CallFuture<unknown>,
  journal: Uint8Array,
  pid: number,
  done = Infinity,
): PieceOutcome<unknown> {
  const limit = Math.min(done, future.sentItems)
  const outcome = readOutcomes(journal, limit, { pid, submitStack: framesOf(future.submitStack) }, (code) =>
    taskExit(code, future.describe(), pid),
  )
  if (done !== Infinity && outcome.values.length < limit) {
    // These items have run as well.
    const damage = undecodable('result', new CorruptPayload(`the journal lacks outcomes of ${limit} finished items`))
    outcome.errors = addDamage(outcome.values, outcome.errors, limit, damage)
  }
  return pieceOutcome(future, outcome)
}

/** The outcome of a piece from that of the items that were sent. */
function pieceOutcome(
  { refused }: CallFuture<unknown>,
  { values, errors }: Outcomes,
  elapsed = 0,
): PieceOutcome<unknown> {
  const sent = { values, errors, failure: undefined, elapsed }
  return refused?.complete(sent) ?? sent
}

function taskExit(exitCode: unknown, task: WorkerDeathTask, pid: number): TaskExitError {
  const code = Number(exitCode)
  return new TaskExitError(`${describeCall(task)} called process.exit(${code}) in worker ${pid}, which has left`, {
    exitCode: code,
    label: task.label,
  })
}
