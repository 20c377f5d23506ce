/** Why a payload cannot be decoded. It becomes the `cause` of the `SerializationError` that callers see. */
export class CorruptPayload extends Error {
  static {
    Object.defineProperty(this.prototype, 'name', { value: 'CorruptPayload', writable: true, configurable: true })
  }
}
