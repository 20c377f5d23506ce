// Values that are neither scalars nor raw bytes nor plain: Node's V8 serializer, without its losses.
//
// The serializer on its own writes a view either together with all its memory (and Buffers as Uint8Arrays), or by its
// range alone (so that views no longer share memory). Here a view is written as a reference to its ArrayBuffer, which
// is a value like any other and keeps its identity. A Buffer is written by its range alone, because its memory is
// mostly Node's shared slab. Contents follow behind the stream, so that they are copied once and never searched.
//
// Layout: the serializer's stream; the contents; if there are contents, their lengths and their number as doubles; one
// byte, 1 if there are contents, else 0.

import { builtin, types } from '../util/builtins.js'
import { CorruptPayload } from './corrupt.js'
import { LITTLE_ENDIAN } from './outbox.js'
import { BUFFER, copyMemory, fromContent, isDetached, isGrowable, isOutOfBounds, kindOf, memoryOf } from './views.js'
import { rangeOf, spanOf, viewOver } from './views.js'

/** The kind of a host object that is cloned as a plain object. No kind of a view has this number. */
const RECORD = 255

/** The serializer met a value that cannot be cloned. `uncloneable.ts` finds the path of that value. */
export class CloneRefusal extends Error {
  static {
    Object.defineProperty(this.prototype, 'name', { value: 'DataCloneError', writable: true, configurable: true })
  }
}

// Documented, but missing in the type declarations.
interface ViewSwitch {
  _setTreatArrayBufferViewsAsHostObjects(flag: boolean): void
}

/** Made at its first use: its base class is in 'node:v8', which few workers need. */
let Serializer: ReturnType<typeof makeSerializer> | undefined

function makeSerializer() {
  return class PayloadSerializer extends builtin('node:v8').Serializer {
    /** The contents that follow behind the stream. */
    #contents: Uint8Array[] = []
    /** The ordinal of each view's memory among the contents. */
    #memories: Map<ArrayBufferLike, number> | undefined

    constructor() {
      super()
      ;(this as unknown as ViewSwitch)._setTreatArrayBufferViewsAsHostObjects(true)
      this.writeHeader()
    }

    // Node calls the next three methods by their names.

    _getDataCloneError(message: string): Error {
      return new CloneRefusal(message)
    }

    _getSharedArrayBufferId(): never {
      throw new CloneRefusal('A SharedArrayBuffer could not be cloned.')
    }

    _writeHostObject(object: object): void {
      if (ArrayBuffer.isView(object)) return this.#writeView(object)
      if (object !== process.env)
        throw new CloneRefusal(`${Object.prototype.toString.call(object)} could not be cloned.`)
      // `process.env` is a host object, and structured clone copies it like a plain object.
      this.writeUint32(RECORD)
      this.writeValue({ ...object })
    }

    #writeView(view: object): void {
      const kind = kindOf(view)
      if (kind < 0) throw new CloneRefusal('A view of an unknown class could not be cloned.')
      const memory = memoryOf(view, kind)
      if (types.isSharedArrayBuffer(memory)) return this._getSharedArrayBufferId()
      if (isDetached(memory)) throw new CloneRefusal('An ArrayBuffer is detached and could not be cloned.')
      if (isGrowable(memory) && isOutOfBounds(view, kind))
        throw new CloneRefusal('A view is out of the bounds of its memory.')
      this.writeUint32(kind)
      if (kind === BUFFER) {
        this.writeUint32(this.#contents.push(rangeOf(view, kind)))
        return
      }
      this.writeUint32(this.#place(memory))
      const { offset, length } = spanOf(view, kind)
      this.writeDouble(offset)
      this.writeDouble(length)
      this.writeValue(memory)
    }

    // The ordinal of the memory's content, counted from 1; 0 when the stream itself has the content.
    #place(memory: ArrayBufferLike): number {
      // Only the stream can say how far the memory may grow.
      if (isGrowable(memory)) return 0
      this.#memories ??= new Map()
      let place = this.#memories.get(memory)
      if (place === undefined) {
        place = this.#contents.push(new Uint8Array(memory))
        this.#memories.set(memory, place)
        // From now on the stream says "transferred as number `place`" in place of the content. If the stream already
        // has the content, it refers back to that, and the content behind the stream is there in vain.
        this.transferArrayBuffer(place, memory as ArrayBuffer)
      }
      return place
    }

    /** Ends the payload. `structure` is the length of the stream. */
    finish(): { payload: Buffer; structure: number } {
      const contents = this.#contents
      if (contents.length === 0) {
        this.writeUint32(0)
        const payload = this.releaseBuffer()
        return { payload, structure: payload.length - 1 }
      }
      let behind = 8 * contents.length + 9
      for (const content of contents) {
        behind += content.byteLength
        this.writeRawBytes(content)
      }
      for (const content of contents) this.writeDouble(content.byteLength)
      this.writeDouble(contents.length)
      this.writeUint32(1)
      const payload = this.releaseBuffer()
      return { payload, structure: payload.length - behind }
    }
  }
}

/** Serializes a value. Throws a `CloneRefusal`, V8's own errors, or the error of a getter. */
export function serialize(value: unknown): { payload: Buffer; structure: number } {
  const serializer = new (Serializer ??= makeSerializer())()
  serializer.writeValue(value)
  return serializer.finish()
}

/**
 * Serializes a value to find out whether that succeeds. `written` is the number of bytes until the end, or until the
 * value that cannot be cloned; without a payload the value cannot be cloned.
 */
export function serializeOnTrial(value: unknown): {
  payload: Buffer | undefined
  structure: number
  written: number
} {
  const serializer = new (Serializer ??= makeSerializer())()
  try {
    serializer.writeValue(value)
    const { payload, structure } = serializer.finish()
    return { payload, structure, written: payload.length }
  } catch {
    return { payload: undefined, structure: 0, written: serializer.releaseBuffer().length }
  }
}

interface Content {
  start: number
  end: number
}

/** Made at its first use, like `Serializer`. */
let Deserializer: ReturnType<typeof makeDeserializer> | undefined

function makeDeserializer() {
  return class PayloadDeserializer extends builtin('node:v8').Deserializer {
    #bytes: Uint8Array
    #contents: Content[]
    #owned: boolean
    /** The contents that were read. Each is read once: else a small payload could have a content copied for ever. */
    #read = new Set<number>()
    /** The contents that became ArrayBuffers. */
    #memories = new Set<number>()

    constructor(bytes: Uint8Array, contents: Content[], owned: boolean) {
      super(bytes)
      this.#bytes = bytes
      this.#contents = contents
      this.#owned = owned
    }

    // Node calls this method by its name.
    _readHostObject(): unknown {
      const kind = this.readUint32()
      if (kind === RECORD) return this.readValue()
      const place = this.readUint32()
      if (kind === BUFFER) return this.#readBuffer(place)
      const offset = this.readDouble()
      const length = this.readDouble()
      if (place > 0 && !this.#memories.has(place)) {
        const { start, end } = this.#content(place)
        this.#memories.add(place)
        this.transferArrayBuffer(place, copyMemory(this.#bytes, start, end))
      }
      const memory = this.readValue()
      if (!types.isArrayBuffer(memory)) throw new CorruptPayload('a view has no memory')
      return viewOver(memory, kind, offset, length)
    }

    #readBuffer(place: number): unknown {
      const { start, end } = this.#content(place)
      // A Buffer may lie in the payload's own memory, but should not keep much more memory alive than it has.
      const alias = this.#owned && 2 * (end - start) >= this.#bytes.byteLength
      return fromContent(BUFFER, this.#bytes, start, end, alias)
    }

    #content(place: number): Content {
      const content = this.#contents[place - 1]
      if (content === undefined) throw new CorruptPayload(`there is no content ${place}`)
      if (this.#read.has(place)) throw new CorruptPayload(`the content ${place} has two owners`)
      this.#read.add(place)
      return content
    }
  }
}

/**
 * Decodes a value. Throws a `CorruptPayload`, or an error of the deserializer. `owned`: `bytes` may become part of the
 * value.
 */
export function deserialize(bytes: Uint8Array, owned: boolean): unknown {
  const deserializer = new (Deserializer ??= makeDeserializer())(bytes, readContents(bytes), owned)
  deserializer.readHeader()
  return deserializer.readValue()
}

const none: Content[] = []

function readContents(bytes: Uint8Array): Content[] {
  const mark = bytes[bytes.byteLength - 1]
  if (mark === 0) return none
  if (mark !== 1) throw new CorruptPayload('the payload has no end mark')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const countAt = bytes.byteLength - 9
  const count = countAt < 0 ? Number.NaN : view.getFloat64(countAt, LITTLE_ENDIAN)
  const lengthsAt = countAt - 8 * count
  if (!(Number.isSafeInteger(count) && count > 0 && lengthsAt >= 0)) {
    throw new CorruptPayload('the payload has more contents than bytes')
  }
  const contents: Content[] = new Array(count)
  let end = lengthsAt
  for (let i = count - 1; i >= 0; i--) {
    const length = view.getFloat64(lengthsAt + 8 * i, LITTLE_ENDIAN)
    const start = end - length
    if (!(Number.isSafeInteger(length) && length >= 0 && start >= 0)) {
      throw new CorruptPayload('a content is longer than its payload')
    }
    contents[i] = { start, end }
    end = start
  }
  return contents
}
