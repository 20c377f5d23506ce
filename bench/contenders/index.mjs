// What a contender is, and all of them. Each is an export of a file in this directory.

/**
 * @typedef {object} Contender
 * @property {() => string} [version] - What exactly was measured. Throws a NotHere if it cannot be measured here.
 *   Packages have none: their manifest tells.
 * @property {(plan: import('../measure.mjs').Plan) => Promise<Session> | Session} [start] - Makes a pool in this process, and
 *   does not wait for its workers.
 * @property {boolean} [local] - It has no workers.
 * @property {(plan: import('../measure.mjs').Plan, cases: string[]) => [program: string, args: string[]]} [command] - Instead,
 *   for what is not JavaScript: a program that measures the cases by itself and prints what host.mjs prints.
 */

/**
 * @typedef {object} Session
 * @property {(name: string, args: unknown[]) => PromiseLike<unknown>} call - Calls a function of functions.mjs.
 * @property {(name: string, args: unknown[], inFlight: number, milliseconds: number) => Promise<number>} [flood] -
 *   Keeps `inFlight` calls in flight for a time and resolves to the number of calls that ended. Only contenders without
 *   promises have it.
 * @property {(name: string, items: number[]) => Promise<number>} [map] - The sum of the function's results.
 * @property {() => Promise<void> | void} stop - Resolves when the workers are gone.
 */

/** Why a contender is skipped: it is not installed. */
export class NotHere extends Error {}

/**
 * In the order of the report: floors first. `kind` is what workers are. `package` is somebody else's pool: its code runs in
 * the processes of its own turns only.
 *
 * @type {Record<string, { title: string, kind: string, file: string, member?: string, package?: string }>}
 */
export const contenders = {
  inline: { title: 'inline', kind: 'no workers', file: 'inline' },
  postmessage: { title: 'raw postMessage', kind: 'threads', file: 'postmessage' },
  fork: { title: 'raw fork', kind: 'processes', file: 'fork' },
  millrace: { title: 'Millrace', kind: 'processes', file: 'millrace' },
  piscina: { title: 'piscina', kind: 'threads', file: 'piscina', package: 'piscina' },
  tinypool: { title: 'tinypool', kind: 'threads', file: 'tinypool', package: 'tinypool' },
  'workerpool-threads': {
    title: 'workerpool (threads)',
    kind: 'threads',
    file: 'workerpool',
    member: 'threads',
    package: 'workerpool',
  },
  'workerpool-processes': {
    title: 'workerpool (processes)',
    kind: 'processes',
    file: 'workerpool',
    member: 'processes',
    package: 'workerpool',
  },
  poolifier: { title: 'poolifier', kind: 'threads', file: 'poolifier', package: 'poolifier' },
  'jest-worker-threads': {
    title: 'jest-worker (threads)',
    kind: 'threads',
    file: 'jest-worker',
    member: 'threads',
    package: 'jest-worker',
  },
  'jest-worker-processes': {
    title: 'jest-worker (processes)',
    kind: 'processes',
    file: 'jest-worker',
    member: 'processes',
    package: 'jest-worker',
  },
  'cpython-executor': {
    title: 'CPython ProcessPoolExecutor',
    kind: 'processes',
    file: 'cpython',
    member: 'executor',
  },
  'cpython-pool': { title: 'CPython multiprocessing.Pool', kind: 'processes', file: 'cpython', member: 'pool' },
}

/**
 * Whether a contender is somebody else's pool: its failures are reported, and fail no run.
 *
 * @param {string} name
 */
export const isRival = (name) => contenders[name]?.package !== undefined || name.startsWith('cpython')

/**
 * @param {string} name
 * @returns {Promise<Contender>}
 */
export async function load(name) {
  const known = contenders[name]
  if (known === undefined) {
    throw new Error(`There is no contender '${name}', only ${Object.keys(contenders).join(', ')}`)
  }
  return (await import(`./${known.file}.mjs`))[known.member ?? 'default']
}
