// The interface of a contender, and the list of all contenders. Each one is an export of a file in this directory.

/**
 * @typedef {object} Contender
 * @property {() => string} [version] - Exactly what is measured. Throws a NotHere if it cannot be measured here.
 *   Contenders that are packages have no version(): their manifest has the version.
 * @property {(plan: import('../measure.mjs').Plan) => Promise<Session> | Session} [start] - Makes a pool in this process, and
 *   does not wait for its workers.
 * @property {boolean} [local] - The contender has no workers.
 * @property {(plan: import('../measure.mjs').Plan, cases: string[]) => [program: string, args: string[]]} [command] - In
 *   place of `start`, if the contender is not JavaScript: a program that measures the cases and prints as host.mjs does.
 */

/**
 * @typedef {object} Session
 * @property {(name: string, args: unknown[]) => PromiseLike<unknown>} call - Calls a function of functions.mjs.
 * @property {(name: string, args: unknown[], inFlight: number, limit: import('../measure.mjs').Limit) => Promise<number>}
 *   [flood] - As `Flood` of measure.mjs. Only for contenders without promises: the others are measured by `call`.
 * @property {(name: string, items: number[]) => Promise<number>} [map] - The sum of all results of the function.
 * @property {(name: string, items: number[]) => Promise<number[]>} [mapArray] - All results of the function.
 * @property {() => Promise<void> | void} stop - Resolves when the workers are gone.
 */

/** A contender is not installed. The report says so and leaves the contender out. */
export class NotHere extends Error {}

/**
 * All contenders in the order of the report, floors first. `kind`: what its workers are. `package`: the package of another
 * pool, whose code runs only in the processes of its own turns.
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
 * Whether a contender is another pool. The failures of other pools are reported, and fail no run.
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
