// The options of a `Pool`: their checks, and their form for the core.

import {
  againstForks,
  COMMON_OPTIONS,
  type ProcessPoolOptions,
  type ResolvedOptions,
  resolveOptions,
} from '../host/options.js'
import { chooseStartMethod, NEVER_REPLACED } from '../start/methods.js'
import { optionNames, ownOptions } from '../util/options.js'
import { invalidValue, validateInteger } from '../util/validate.js'

/** Options of a {@link Pool}. `I` are the parameters of the `initializer`. */
export interface PoolOptions<I extends unknown[] = any> extends Omit<
  ProcessPoolOptions<I>,
  'maxWorkers' | 'maxTasksPerChild' | 'onWorkerDeath' | 'idleTimeout'
> {
  /** The number of calls after which a worker is replaced. A chunk of a map is one call. Default: no limit. */
  maxtasksperchild?: number
}

export const POOL_OPTIONS = optionNames<PoolOptions>('Pool', { ...COMMON_OPTIONS, maxtasksperchild: true })

/** Options of executors that pools do not have, and why. */
const NOT_OF_POOLS = {
  maxWorkers: 'the first argument is the number of processes',
  maxTasksPerChild: "its name is 'maxtasksperchild' here",
  onWorkerDeath: 'a death fails only the job that it hits',
  idleTimeout: 'a pool keeps all its workers',
}

/** @throws TypeError or RangeError that names the argument; NestingError in a worker that is ten levels deep. */
export function resolvePoolOptions(processes: number | undefined, options?: PoolOptions): ResolvedOptions {
  if (processes !== undefined) validateInteger(processes, 'processes', 1, 4096)
  for (const [name, why] of Object.entries(NOT_OF_POOLS)) {
    const value: unknown = Object.getOwnPropertyDescriptor(options ?? {}, name)?.value
    if (value !== undefined) throw invalidValue(`options.${name}`, `absent: ${why}`, value)
  }
  const own = ownOptions(options, POOL_OPTIONS)
  const { maxtasksperchild, ...rest } = own
  if (maxtasksperchild !== undefined) validateInteger(maxtasksperchild, 'options.maxtasksperchild', 1, 2 ** 32 - 1)
  const recycling = { name: 'options.maxtasksperchild', value: maxtasksperchild, reason: NEVER_REPLACED }
  const resolved = resolveOptions({
    ...rest,
    startMethod: chooseStartMethod(own.startMethod, recycling, againstForks(own)),
    maxWorkers: processes,
    maxTasksPerChild: maxtasksperchild,
    onWorkerDeath: 'isolate',
  })
  return { ...resolved, native: { ...resolved.native, keepFull: true, orSpawn: own.startMethod === undefined } }
}
