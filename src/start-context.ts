// Executors and pools that are bound to one start method.

import { Pool, type PoolOptions } from './pool/pool.js'
import { ProcessPoolExecutor } from './executor/process-pool-executor.js'
import type { ProcessPoolOptions } from './host/options.js'
import { checkStartMethod, getStartMethod, type StartMethod } from './start/methods.js'
import { invalidValue, validateOptions } from './util/validate.js'

/** What {@link getContext} returns: constructors whose workers are started in one way. */
export interface StartContext {
  readonly ProcessPoolExecutor: typeof ProcessPoolExecutor
  readonly Pool: typeof Pool
}

const contexts = new Map<StartMethod, StartContext>()

/**
 * The constructors `ProcessPoolExecutor` and `Pool` bound to a start method, for a library that must not depend on what
 * the program set. They are subclasses of the ordinary ones, always the same for the same method; their option
 * `startMethod` may be left out, and be nothing else.
 *
 * @param method - Default: that of `getStartMethod()`, as it is now.
 * @throws As `setStartMethod` for a method that cannot be used.
 * @example
 * const { Pool } = getContext('spawn')
 * await using pool = new Pool(4)
 */
export function getContext(method: StartMethod = getStartMethod()): StartContext {
  checkStartMethod(method, 'method')
  const known = contexts.get(method)
  if (known !== undefined) return known
  const context = makeContext(method)
  contexts.set(method, context)
  return context
}

function makeContext(method: StartMethod): StartContext {
  const bound = <T extends { startMethod?: StartMethod }>(options: T | undefined): T => {
    validateOptions(options)
    const given = options?.startMethod
    if (given !== undefined && given !== method) {
      throw invalidValue('options.startMethod', `absent or '${method}', which this context is bound to`, given)
    }
    return { ...options, startMethod: method } as T
  }
  const Executor = ProcessPoolExecutor
  const AnyPool = Pool
  return Object.freeze({
    ProcessPoolExecutor: class ProcessPoolExecutor extends Executor {
      constructor(options?: ProcessPoolOptions) {
        super(bound(options))
      }
    },
    Pool: class Pool extends AnyPool {
      constructor(processes?: number, options?: PoolOptions) {
        super(processes, bound(options))
      }
    },
  })
}
