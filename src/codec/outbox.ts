/** Bytes of a payload that are staged in an outbox; longer payloads go on in `tail`. */
export const OUTBOX_BYTES = 64 * 1024

/** Byte order of this machine; both ends of a payload are on the same one. */
export const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1

/** Node's native string writers, which its type declarations leave out. They return the number of bytes written. */
interface StringMemory extends Buffer {
  latin1Write(text: string, at: number, bytes: number): number
  ucs2Write(text: string, at: number, bytes: number): number
}

/** Memory that encoders write to. */
export class EncodeBuffer {
  readonly bytes: StringMemory
  /** `bytes` again, for numbers wider than a byte. */
  readonly view: DataView

  constructor(size: number) {
    // Memory of its own, never a piece of Node's shared slab: `bytes.buffer` of an outbox is handed to native code.
    this.bytes = Buffer.allocUnsafeSlow(size) as StringMemory
    this.view = new DataView(this.bytes.buffer)
  }
}

/**
 * What an encoder leaves behind: the payload is the first `length` bytes of `bytes`, followed by `tail`.
 *
 * One outbox is reused for every payload: read it before the next encode. `tail` is not a copy but the caller's own
 * memory where possible, so it has to be read before any other code runs.
 */
export class Outbox extends EncodeBuffer {
  codec = 0
  length = 0
  tail: Uint8Array | undefined = undefined

  constructor() {
    super(OUTBOX_BYTES)
  }

  /** The payload in memory of its own. */
  copy(): Uint8Array {
    const { length, tail } = this
    const payload = new Uint8Array(length + (tail?.byteLength ?? 0))
    payload.set(this.bytes.subarray(0, length))
    if (tail !== undefined) payload.set(tail, length)
    return payload
  }

  /** Takes over a finished payload: staged when it fits, else as the tail. */
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
