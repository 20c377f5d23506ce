// Failures of tasks: their encoding, and an explanation where a closure was lost.

import { encodeError, type Outbox } from '../codec/index.js'
import { types } from '../util/builtins.js'

/** Encodes the error of a failed call. A call is answered in any case, even if its error cannot be described. */
export function encodeFailure(error: unknown, outbox: Outbox): void {
  try {
    encodeError(error, outbox)
  } catch {
    encodeError(new Error('The task failed with something that could not be described'), outbox)
  }
}

/** Adds to a ReferenceError that a function sent as source text has no closure. */
export function explainClosure(error: unknown): unknown {
  // A proxy is no native error, so no trap runs here. But an error's prototype may be a proxy, and its message
  // anything.
  if (!types.isNativeError(error)) return error
  try {
    const own = Object.getOwnPropertyDescriptor(error, 'message')
    if (error instanceof ReferenceError && typeof own?.value === 'string' && own.writable) {
      error.message +=
        ' (this task was sent as source text, which has no closures: pass what it needs as arguments, ' +
        'or define it in a module with defineTasks)'
    }
  } catch {
    // An error that cannot be examined arrives as it is.
  }
  return error
}
