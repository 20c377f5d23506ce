// The error for payloads that cannot be decoded.

/** Why a payload cannot be decoded. Callers see this error as the `cause` of a `SerializationError`. */
export class CorruptPayload extends Error {
  static {
    Object.defineProperty(this.prototype, 'name', { value: 'CorruptPayload', writable: true, configurable: true })
  }
}
