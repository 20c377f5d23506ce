// Failures of tasks: encoded whatever they are, and explained where a closure was lost.

import { encodeError, type Outbox } from '../codec/index.js'
import { types } from '../util/builtins.js'

/** Encodes what a call failed with. It is answered whatever that is, and whatever is lacking to describe it. */
export function encodeFailure(error: unknown, outbox: Outbox): void {
  try {
    encodeError(error, outbox)
  } catch {
    encodeError(new Error('The task failed with something that could not be described'), outbox)
  }
}

/** A function that came as source has lost its closure: say so where that shows. */
export function explainClosure(error: unknown): unknown {
  // A proxy is no native error, so no trap runs; but its prototype may be a proxy, and its message anything.
  if (!types.isNativeError(error)) return error
  try {
    const own = Object.getOwnPropertyDescriptor(error, 'message')
    if (error instanceof ReferenceError && typeof own?.value === 'string' && own.writable) {
      error.message +=
        ' (this task was sent as source text, which has no closures: pass what it needs as arguments, ' +
        'or define it in a module with defineTasks)'
    }
  } catch {
    // What cannot be looked at arrives as it is.
  }
  return error
}
