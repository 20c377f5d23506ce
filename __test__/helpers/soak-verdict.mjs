// Which ends the calls of the soak may have.

/** How a call may end besides what all calls may meet: with which errors. */
const expected = {
  fail: ['Error'],
  unclonable: ['SerializationError'],
  exit: ['TaskExitError'],
  exitLater: ['TaskExitError'],
}

/** What these kinds never end with. */
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
