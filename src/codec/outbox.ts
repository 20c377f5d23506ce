// The outbox: memory that encoders write payloads to.

import { Buffer } from '../util/globals.js'

/** Bytes of an outbox. A longer payload is in `tail`, as a whole or from some byte on. */
export const OUTBOX_BYTES = 64 * 1024

/** Whether this machine is little-endian. Both ends of a payload are on the same machine. */
export const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1

/** Node's native string writers, which the type declarations leave out. They return the number of written bytes. */
interface StringMemory extends Buffer {
  latin1Write(text: string, at: number, bytes: number): number
  ucs2Write(text: string, at: number, bytes: number): number
}

/** Memory for encoders. */
export class EncodeBuffer {
  readonly bytes: StringMemory
  /** A view of `bytes`, for numbers wider than a byte. */
  readonly view: DataView

  constructor(size: number) {
    // Memory of its own, not a piece of Node's shared slab: native code gets all of `bytes.buffer`.
    this.bytes = Buffer.allocUnsafeSlow(size) as StringMemory
    this.view = new DataView(this.bytes.buffer)
  }
}

/**
 * The result of an encoder: the payload is the first `length` bytes of `bytes`, followed by `tail`.
 *
 * All payloads use the same outbox, so a payload has to be read before the next encode. `tail` is the caller's own
 * memory where possible, not a copy, so it has to be read before any other code runs.
 */
export class Outbox extends EncodeBuffer {
  codec = 0
  length = 0
  tail: Uint8Array | undefined = undefined

  constructor() {
    super(OUTBOX_BYTES)
  }

  /** A copy of the payload. */
  copy(): Uint8Array {
    const { length, tail } = this
    const payload = new Uint8Array(length + (tail?.byteLength ?? 0))
    payload.set(this.bytes.subarray(0, length))
    if (tail !== undefined) payload.set(tail, length)
    return payload
  }

  /** Takes a finished payload: copied into `bytes` when it fits, else as the tail. */
  hold(codec: number, payload: Uint8Array): void {
    this.codec = codec
    if (payload.byteLength <= OUTBOX_BYTES) {
      this.bytes.set(payload)
      this.length = payload.byteLength
      this.tail = undefined
    } else {
      this.length = 0
      this.tail = payload
    }
  }
}
