// How workers are started, and which way is chosen when nobody says.

import { InvalidStateError } from './errors.js'
import { assertForkSafe } from './fork-safety.js'
import { invalidValue, outOfRange, validateBoolean, validateOneOf, validateOptions } from './validate.js'

/**
 * How workers are started. `'spawn'`: a fresh Node process each. `'forkserver'`, on Linux: one process loads the modules of
 * `preload` and forks the workers, which share its memory until they write to it; it must not leave timers, sockets or threads.
 * `'fork'`, of this process, is not available so far; it is refused with its reasons in a process that cannot be forked.
 */
export type StartMethod = 'spawn' | 'forkserver' | 'fork'

/** Options of {@link setStartMethod}. */
export interface SetStartMethodOptions {
  /** Whether a method that was set before may be changed. Default: false. */
  force?: boolean
}

const METHODS: readonly StartMethod[] = ['spawn', 'forkserver', 'fork']

let chosen: StartMethod | undefined

/** The start methods that this process can use, the default first. */
export function getAllStartMethods(): StartMethod[] {
  return process.platform === 'linux' ? ['spawn', 'forkserver'] : ['spawn']
}

/** How workers are started where neither an option nor a context says: what was set, else `'spawn'`. */
export function getStartMethod(): StartMethod {
  return chosen ?? 'spawn'
}

/**
 * Says how workers are started from now on, in this thread: once, and best at the start of the main program. Executors and
 * pools that exist, and the workers themselves, are not concerned.
 *
 * @throws `InvalidStateError` when it was called before, without `force`; `ForkUnsafeError` for `'fork'` in a process that
 * cannot be forked; TypeError for what is no start method, or not available.
 */
export function setStartMethod(method: StartMethod, options?: SetStartMethodOptions): void {
  checkStartMethod(method, 'method')
  validateOptions(options)
  validateBoolean(options?.force, 'options.force')
  if (chosen !== undefined && options?.force !== true) {
    throw new InvalidStateError(
      `The start method has already been set, to '${chosen}': only a program's main module should set it, or use { force: true }`,
    )
  }
  chosen = method
}

/** @throws TypeError that names the argument, or ForkUnsafeError: unless workers can be started in this way, here and now. */
export function checkStartMethod(method: unknown, name: string): asserts method is StartMethod {
  validateOneOf(method, name, METHODS)
  if (method === 'fork') assertForkSafe()
  const available = getAllStartMethods()
  if (available.includes(method)) return
  throw invalidValue(name, `'${available.join("' or '")}': '${method}' is not available in this version`, method)
}

/** The option that has workers replaced after so many calls, as it was given. */
export interface Recycling {
  readonly name: string
  readonly value: number | undefined
}

/**
 * The method for a pool whose option `startMethod` is `explicit`. Forked workers cannot be replaced, so that `recycling` is an
 * error with `'fork'`, and means `'spawn'` where no method is given.
 *
 * @throws As {@link checkStartMethod}; RangeError for `recycling` with an explicit `'fork'`.
 */
export function chooseStartMethod(explicit: unknown, recycling: Recycling): StartMethod {
  const recycles = recycling.value !== undefined
  if (explicit === 'fork' && recycles) {
    const rule = "absent with the start method 'fork', whose workers are never replaced: use another method"
    throw outOfRange(recycling.name, rule, recycling.value)
  }
  const method = explicit === undefined ? (recycles ? 'spawn' : getStartMethod()) : explicit
  checkStartMethod(method, 'options.startMethod')
  return method
}
