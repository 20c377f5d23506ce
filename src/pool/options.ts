// The options of a `Pool`, as those of the core.

import { type ProcessPoolOptions, type ResolvedOptions, resolveOptions } from '../options.js'
import { validateInteger, validateOptions } from '../validate.js'

/** Options of a {@link Pool}. */
export interface PoolOptions extends Omit<
  ProcessPoolOptions,
  'maxWorkers' | 'maxTasksPerChild' | 'onWorkerDeath' | 'idleTimeout'
> {
  /** A worker is replaced after so many calls. A chunk of a map is one call. Default: never. */
  maxtasksperchild?: number
}

/** @throws TypeError or RangeError that names the argument; NestingError in a worker that is ten levels deep. */
export function resolvePoolOptions(processes: number | undefined, options: PoolOptions = {}): ResolvedOptions {
  if (processes !== undefined) validateInteger(processes, 'processes', 1, 4096)
  validateOptions(options)
  const { maxtasksperchild, ...rest } = options
  if (maxtasksperchild !== undefined) validateInteger(maxtasksperchild, 'options.maxtasksperchild', 1, 2 ** 32 - 1)
  const resolved = resolveOptions({
    ...rest,
    maxWorkers: processes,
    maxTasksPerChild: maxtasksperchild,
    onWorkerDeath: 'isolate',
    idleTimeout: undefined,
  })
  return { ...resolved, native: { ...resolved.native, keepFull: true } }
}
