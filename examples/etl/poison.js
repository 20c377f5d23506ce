// Records that do harm: five kinds, as they happen to every pipeline sooner or later.
//
// A malformed record breaks the format; a record that throws meets a bug. The three other kinds stand for bugs that
// cost the process. Such a record has a mark in place of its delay, and `parse()` hands the mark to a function that
// does what the bug would do.

/** The reasons of dead letters. */
export const REASONS = /** @type {const} */ (['malformed', 'throws', 'loops', 'aborts', 'eats memory'])
/** @typedef {typeof REASONS[number]} Reason */

/** @typedef {'LOOP' | 'ABRT' | 'HEAP'} Mark */
/** @typedef {(mark: Mark) => never} Misbehave */

/** @type {Record<Mark, Reason>} */
export const MARKS = { LOOP: 'loops', ABRT: 'aborts', HEAP: 'eats memory' }

/** @type {Misbehave} */
export function misbehave(mark) {
  if (mark === 'LOOP') for (;;);
  // As an assertion in native code ends the process.
  if (mark === 'ABRT') process.kill(process.pid, 'SIGABRT')
  const hoard = []
  for (;;) hoard.push(new Float64Array(1_000_000).fill(1))
}

/** A record that was left out, because it would end the only process. */
export class LeftOut extends Error {
  /** @override */
  name = 'LeftOut'

  /** @param {Mark} mark */
  constructor(mark) {
    super('left out: it would have ended the only process')
    this.reason = MARKS[mark]
  }
}

/**
 * For a program of one thread, which can do nothing about these records but know them beforehand.
 * @type {Misbehave}
 */
export function leaveOut(mark) {
  throw new LeftOut(mark)
}

/**
 * What the error of a record says about the record. Errors that come from a worker are known by their name.
 * @param {Error} error
 * @returns {Reason}
 */
export function reasonOf(error) {
  if (error instanceof LeftOut) return error.reason
  if (error.name === 'RecordError') return 'malformed'
  if (error.name === 'TaskTimeoutError') return 'loops'
  if (error.name === 'TaskMemoryError') return 'eats memory'
  if (error.name === 'WorkerDiedError') return 'aborts'
  return 'throws'
}
