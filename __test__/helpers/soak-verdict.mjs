// The verdicts of the soak: the ends that its calls may have.

/** The errors of each kind of call, in addition to those that all calls may meet. */
const expected = {
  fail: ['Error'],
  unclonable: ['SerializationError'],
  exit: ['TaskExitError'],
  exitLater: ['TaskExitError'],
}

/** The kinds of calls that never return a value. */
export const neverReturns = new Set(['deaf', 'fail', 'unclonable', 'exit', 'exitLater', 'die', 'quit'])

/**
 * @param {{ kind: string, forced: boolean }} call
 * @param {string} outcome
 * @param {number} ran How often.
 * @param {boolean} broken Whether the pool is.
 * @returns {string} What is wrong with it, or nothing.
 */
export function judge({ kind, forced }, outcome, ran, broken) {
  if (ran > 1) return `ran ${ran} times`
  switch (outcome) {
    case 'value':
      if (neverReturns.has(kind)) return 'returned'
      return ran === 1 ? '' : 'did not run'
    case 'cancelled':
      return ran === 1 && !forced ? 'ran' : ''
    case 'WorkerDiedError':
    case 'TaskTimeoutError':
    case 'WorkerTerminatedError':
      return ''
    case 'BrokenProcessPool':
      return broken ? '' : 'failed in a pool that is not broken'
    default:
      if (!(/** @type {any} */ (expected)[kind]?.includes(outcome))) return 'failed for no reason'
      return ran === 1 ? '' : 'did not run'
  }
}
