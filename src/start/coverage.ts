// Coverage of workers: Node writes what the variable NODE_V8_COVERAGE asks for when a process ends.

import { ownVariable, type Variables } from '../util/variables.js'

const NAME = 'NODE_V8_COVERAGE'

let hasWarned = false

/**
 * The variable that workers have in any case: their option `env` need not repeat NODE_V8_COVERAGE, as for
 * `child_process`. An `env` with a value of its own, also an empty one, decides.
 */
export function coverageVariable(env: object | undefined): string[] {
  const folder = ownVariable(process.env, NAME)
  if (env === undefined || Object.hasOwn(env, NAME) || folder === undefined) return []
  return [NAME, folder]
}

/** Warns, once in a process, that forked workers write no coverage: Node has set that up in the fork server only. */
export function warnOfCoverage(variables: Variables, added: readonly string[]): void {
  if (hasWarned || (!ownVariable(variables, NAME) && added.length === 0)) return
  hasWarned = true
  process.emitWarning(
    `${NAME} is set, and workers of the start method 'forkserver' write no coverage. ` +
      "Use startMethod: 'spawn' to measure coverage",
    { type: 'MillraceWarning', code: 'MILLRACE_COVERAGE' },
  )
}
