// Coverage and profiles of workers, which Node writes when a process ends.

import { ownVariable, type Variables } from '../util/variables.js'
import { profilesIn } from './node-options.js'

const NAME = 'NODE_V8_COVERAGE'

/** What this process has warned of. */
const warned = new Set<string>()

/**
 * The variable that workers have in any case: their option `env` need not repeat NODE_V8_COVERAGE, as for
 * `child_process`. An `env` with a value of its own, also an empty one, decides.
 */
export function coverageVariable(env: object | undefined): string[] {
  const folder = ownVariable(process.env, NAME)
  if (env === undefined || Object.hasOwn(env, NAME) || folder === undefined) return []
  return [NAME, folder]
}

/**
 * Warns, once in a process for each name, of what forked workers do not write: Node sets that up when a process starts.
 *
 * @param variables - The environment of the workers.
 * @param added - The result of {@link coverageVariable}.
 * @param nodeOptions - Node's options of the workers.
 */
export function warnOfForks(variables: Variables, added: readonly string[], nodeOptions: readonly string[]): void {
  if (ownVariable(variables, NAME) || added.length > 0) warnOnce(NAME, 'coverage')
  for (const name of profilesIn(nodeOptions, ownVariable(variables, 'NODE_OPTIONS'))) warnOnce(name, 'profile')
}

function warnOnce(name: string, what: string): void {
  if (warned.has(name)) return
  warned.add(name)
  process.emitWarning(`${name} is set, and forked workers write no ${what}. Use startMethod: 'spawn' for that`, {
    type: 'MillraceWarning',
    code: 'MILLRACE_COVERAGE',
  })
}
