// Failures of tasks: their encoding, and an explanation where a function that came as source text lacks a name.

import { encodeError, type Outbox } from '../codec/index.js'
import { isOfModules, looksInserted } from '../tasks/inserted-names.js'
import { types } from '../util/builtins.js'

/** Encodes the error of a failed call. A call is answered in any case, even if its error cannot be described. */
export function encodeFailure(error: unknown, outbox: Outbox): void {
  try {
    encodeError(error, outbox)
  } catch {
    encodeError(new Error('The task failed with something that could not be described'), outbox)
  }
}

/** Adds to a ReferenceError of a function sent as source text why the name stands for nothing there. */
export function explainClosure(error: unknown): unknown {
  // A proxy is no native error, so no trap runs here. But an error's prototype may be a proxy, and its message
  // anything.
  if (!types.isNativeError(error)) return error
  try {
    const own = Object.getOwnPropertyDescriptor(error, 'message')
    if (error instanceof ReferenceError && typeof own?.value === 'string' && own.writable) {
      const name = /^(\S+) is not defined$/.exec(own.value)?.[1]
      if (name !== undefined) error.message += ` (this task was sent as source text, ${explanationOf(name)})`
    }
  } catch {
    // An error that cannot be examined arrives as it is.
  }
  return error
}

function explanationOf(name: string): string {
  if (isOfModules(name)) {
    return (
      `which belongs to no module and has no '${name}': use import(), pass what it needs as arguments, ` +
      'or define it in a module with defineTasks'
    )
  }
  if (looksInserted(name)) {
    return (
      `which has no closures, and '${name}' looks like a name that a build or coverage tool has inserted: ` +
      'define the task in a module with defineTasks, which workers load as a whole, or keep the tool from it'
    )
  }
  return 'which has no closures: pass what it needs as arguments, or define it in a module with defineTasks'
}
