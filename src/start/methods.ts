// Start methods: how workers are started, and which method is chosen by default.

import { InvalidStateError } from '../errors/index.js'
import { optionNames, ownOptions } from '../util/options.js'
import { invalidValue, outOfRange, validateBoolean, validateOneOf } from '../util/validate.js'
import { assertForkSafe } from './fork-safety.js'

/**
 * The start method of workers.
 *
 * - `'spawn'`: each worker is a fresh Node process.
 * - `'forkserver'`, on Linux: a helper process loads the modules of `preload` and forks the workers, which share its
 *   memory until they write to it. The modules must not leave timers, threads, or open files and sockets.
 * - `'fork'`, on Linux: this process forks all its workers at once, in a turn of the event loop after the first call. A
 *   worker that leaves is not replaced. Listeners of `process`, finalizers and pools stay behind in the program. A
 *   reference to `Math.random` that a module has kept yields the same numbers in all workers. In a process that cannot
 *   be forked, as an ordinary one never can, this method is refused with the reasons; see `forkSafety()`.
 */
export type StartMethod = 'spawn' | 'forkserver' | 'fork'

/** Options of {@link setStartMethod}. */
export interface SetStartMethodOptions {
  /** Whether a method that was set before may be changed. Default: false. */
  force?: boolean
}

const NAMES = optionNames<SetStartMethodOptions>('setStartMethod()', { force: true })

const METHODS: readonly StartMethod[] = ['spawn', 'forkserver', 'fork']

let chosen: StartMethod | undefined

/**
 * The start methods that this system has, the default first. `'fork'` also requires that the process can be forked.
 */
export function getAllStartMethods(): StartMethod[] {
  return process.platform === 'linux' ? [...METHODS] : ['spawn']
}

/** The start method for pools without the option `startMethod`: the one that was set, else `'spawn'`. */
export function getStartMethod(): StartMethod {
  return chosen ?? 'spawn'
}

/**
 * Sets the start method of this thread's later pools. To be called once, best at the start of the main program.
 * Existing executors and pools, and workers themselves, keep their methods.
 *
 * @throws `InvalidStateError` when a method was set before, without `force`; `ForkUnsafeError` for `'fork'` in a
 * process that cannot be forked; TypeError for a value that is no start method, or not available.
 */
export function setStartMethod(method: StartMethod, options?: SetStartMethodOptions): void {
  checkStartMethod(method, 'method')
  const { force = false } = ownOptions(options, NAMES)
  validateBoolean(force, 'options.force')
  if (chosen !== undefined && !force) {
    throw new InvalidStateError(
      `The start method has already been set, to '${chosen}': ` +
        "only a program's main module should set it, or use { force: true }",
    )
  }
  chosen = method
}

/**
 * Checks that workers can be started by this method, in this process and now.
 *
 * @throws TypeError that names the argument, or ForkUnsafeError.
 */
export function checkStartMethod(method: unknown, name: string): asserts method is StartMethod {
  validateOneOf(method, name, METHODS)
  if (method === 'fork') assertForkSafe()
  const available = getAllStartMethods()
  if (available.includes(method)) return
  throw invalidValue(name, `'${available.join("' or '")}': '${method}' is not available on ${process.platform}`, method)
}

/**
 * An option, as given, that a fork of this process cannot follow. With the value undefined the option asks for nothing.
 */
export interface AgainstForks {
  readonly name: string
  readonly value: unknown
  /** Why a fork cannot follow the option. */
  readonly reason: string
}

/** The reason for options that make workers leave. */
export const NEVER_REPLACED = 'whose workers are never replaced'

/** The reason for options that describe the start of a new program. */
export const IS_A_COPY = 'whose workers are copies of this process'

/**
 * The start method for a pool whose option `startMethod` is `explicit`.
 *
 * With an explicit `'fork'`, options that a fork cannot follow are errors. Without an explicit method, where `'fork'`
 * was set, they mean `'spawn'`; `recycling` means `'spawn'` whatever was set.
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
