import { types } from 'node:util'

import { thrownWarning } from '../util/thrown.js'

/**
 * Calls a done-callback and contains whatever it does: the other callbacks, and the loop that settles futures, go on.
 *
 * What it throws, and the rejection of a promise that it returns, become a process warning. A future that it returns is
 * left alone: a failed future that nobody looks at is no error.
 */
export function runDoneCallback<F extends object>(callback: (future: F) => unknown, future: F): void {
  try {
    reportRejection(callback(future), future)
  } catch (error) {
    report(error, future)
  }
}

/** Has a process warning say that a callback's promise was rejected, if what the callback returned is a promise. */
export function reportRejection(returned: unknown, future: object): void {
  // Not `returned.then`: the promise may come from a class, or another realm, that has its own.
  if (types.isPromise(returned)) Promise.prototype.then.call(returned, undefined, (error) => report(error, future))
}

function report(error: unknown, future: object): void {
  process.emitWarning(thrownWarning(`exception calling callback for ${String(future)}`, error, 'MILLRACE_CALLBACK'))
}
