import { inspect, types } from 'node:util'

/**
 * Calls a done-callback and contains whatever it does: the other callbacks, and the loop that settles futures, go on.
 *
 * What it throws, and the rejection of a promise that it returns, become a process warning. A future that it returns is
 * left alone: a failed future that nobody looks at is no error.
 */
export function runDoneCallback<F extends object>(callback: (future: F) => unknown, future: F): void {
  try {
    const returned = callback(future)
    // Not `returned.then`: the promise may come from a class, or another realm, that has its own.
    if (types.isPromise(returned)) Promise.prototype.then.call(returned, undefined, (error) => report(error, future))
  } catch (error) {
    report(error, future)
  }
}

function report(error: unknown, future: object): void {
  const warning = new Error(`exception calling callback for ${String(future)}`, { cause: error })
  warning.name = 'MillraceWarning'
  process.emitWarning(Object.assign(warning, { code: 'MILLRACE_CALLBACK', detail: show(error) }))
}

/** Shows what was thrown, which may be an object whose own `inspect` method throws. */
function show(error: unknown): string {
  try {
    return inspect(error)
  } catch {
    return 'an error that cannot be shown'
  }
}
