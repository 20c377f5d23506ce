// How workers are started, and which way is chosen when nobody says.

import { InvalidStateError } from '../errors/index.js'
import { assertForkSafe } from './fork-safety.js'
import { invalidValue, outOfRange, validateBoolean, validateOneOf, validateOptions } from '../util/validate.js'

/**
 * How workers are started. `'spawn'`: a fresh Node process each. `'forkserver'`, on Linux: one process loads the
 * modules of `preload` and forks the workers, which share its memory until they write to it; it must not leave timers,
 * threads, or open files and sockets. `'fork'`, on Linux: this process forks all its workers at once, in a turn of the
 * event loop after the first call, and none later: one that leaves has no successor. Listeners of `process`, finalizers
 * and pools stay behind in the program; a reference to `Math.random` that was kept before yields the same numbers in
 * all of them. It is refused with its reasons in a process that cannot be forked (see `forkSafety()`), as an ordinary
 * one never can.
 */
export type StartMethod = 'spawn' | 'forkserver' | 'fork'

/** Options of {@link setStartMethod}. */
export interface SetStartMethodOptions {
  /** Whether a method that was set before may be changed. Default: false. */
  force?: boolean
}

const METHODS: readonly StartMethod[] = ['spawn', 'forkserver', 'fork']

let chosen: StartMethod | undefined

/**
 * The start methods that there are on this system, the default first. `'fork'` also asks for a process that can be
 * forked.
 */
export function getAllStartMethods(): StartMethod[] {
  return process.platform === 'linux' ? [...METHODS] : ['spawn']
}

/** How workers are started where neither an option nor a context says: what was set, else `'spawn'`. */
export function getStartMethod(): StartMethod {
  return chosen ?? 'spawn'
}

/**
 * Says how workers are started from now on, in this thread: once, and best at the start of the main program. Executors
 * and pools that exist, and the workers themselves, are not concerned.
 *
 * @throws `InvalidStateError` when it was called before, without `force`; `ForkUnsafeError` for `'fork'` in a process
 * that cannot be forked; TypeError for what is no start method, or not available.
 */
export function setStartMethod(method: StartMethod, options?: SetStartMethodOptions): void {
  checkStartMethod(method, 'method')
  validateOptions(options)
  validateBoolean(options?.force, 'options.force')
  if (chosen !== undefined && options?.force !== true) {
    throw new InvalidStateError(
      `The start method has already been set, to '${chosen}': ` +
        "only a program's main module should set it, or use { force: true }",
    )
  }
  chosen = method
}

/**
 * @throws TypeError that names the argument, or ForkUnsafeError: unless workers can be started in this way, here and
 * now.
 */
export function checkStartMethod(method: unknown, name: string): asserts method is StartMethod {
  validateOneOf(method, name, METHODS)
  if (method === 'fork') assertForkSafe()
  const available = getAllStartMethods()
  if (available.includes(method)) return
  throw invalidValue(name, `'${available.join("' or '")}': '${method}' is not available on ${process.platform}`, method)
}

/** An option that a forked copy of this process cannot follow, as it was given: undefined if it asks for nothing. */
export interface AgainstForks {
  readonly name: string
  readonly value: unknown
  /** Why not. */
  readonly reason: string
}

/** Of options by which workers leave. */
export const NEVER_REPLACED = 'whose workers are never replaced'

/** Of options that say how a new program is started. */
export const IS_A_COPY = 'whose workers are copies of this process'

/**
 * The method for a pool whose option `startMethod` is `explicit`. Options that a forked process cannot follow are an
 * error with
 * `'fork'`, and mean `'spawn'` where that was set and no method is given; `recycling` does so whatever was set.
 *
 * @throws As {@link checkStartMethod}; RangeError or TypeError for such an option with an explicit `'fork'`.
 */
export function chooseStartMethod(
  explicit: unknown,
  recycling: AgainstForks,
  others: readonly AgainstForks[],
): StartMethod {
  const against = [recycling, ...others].find(({ value }) => value !== undefined)
  if (explicit === 'fork' && against !== undefined) {
    const { name, value, reason } = against
    const rule = `absent with the start method 'fork', ${reason}: use another method`
    throw typeof value === 'number' ? outOfRange(name, rule, value) : invalidValue(name, rule, value)
  }
  const spawns = recycling.value !== undefined || (against !== undefined && chosen === 'fork')
  const method = explicit === undefined ? (spawns ? 'spawn' : getStartMethod()) : explicit
  checkStartMethod(method, 'options.startMethod')
  return method
}
