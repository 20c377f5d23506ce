// The call of a done-callback, whose errors become process warnings.

import { AsyncResource } from 'node:async_hooks'
import { types } from 'node:util'

import { thrownWarning } from '../util/thrown.js'

/** A done-callback that waits for its future. It is called in the async context that registered it. */
export class DoneCallback<F extends object> extends AsyncResource {
  readonly #callback: (future: F) => unknown

  constructor(callback: (future: F) => unknown) {
    super('MillraceCallback')
    this.#callback = callback
  }

  /** Named as the method of a waiter: a future with one listener need not know which kind that is. */
  futureDone(future: F): void {
    this.runInAsyncScope(runDoneCallback<F>, undefined, this.#callback, future)
  }
}

/**
 * Calls a done-callback and contains its errors: the other callbacks, and the loop that settles futures, go on.
 *
 * An error that the callback throws, and the rejection of a promise that it returns, become process warnings. A future
 * that it returns is left alone: a failed future that nobody looks at is no error.
 */
export function runDoneCallback<F extends object>(callback: (future: F) => unknown, future: F): void {
  try {
    reportRejection(callback(future), future)
  } catch (error) {
    report(error, future)
  }
}

/** Reports the rejection of a callback's promise as a process warning, if `returned` is a promise. */
export function reportRejection(returned: unknown, future: object): void {
  // Not `returned.then`: a class of the user's, or another realm, may have a `then` of its own.
  if (types.isPromise(returned)) Promise.prototype.then.call(returned, undefined, (error) => report(error, future))
}

function report(error: unknown, future: object): void {
  process.emitWarning(thrownWarning(`exception calling callback for ${String(future)}`, error, 'MILLRACE_CALLBACK'))
}
