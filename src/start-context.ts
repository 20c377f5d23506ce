// `getContext`: the public classes bound to one start method.

import { ProcessPoolExecutor } from './executor/process-pool-executor.js'
import { EXECUTOR_OPTIONS, type NeededInitargs, type ProcessPoolOptions } from './host/options.js'
import { POOL_OPTIONS } from './pool/options.js'
import { Pool, type PoolOptions } from './pool/pool.js'
import { checkStartMethod, getStartMethod, type StartMethod } from './start/methods.js'
import { type OptionNames, ownOptions } from './util/options.js'
import { invalidValue } from './util/validate.js'

/** The result of {@link getContext}: classes whose workers are started by one method. */
export interface StartContext {
  readonly ProcessPoolExecutor: typeof ProcessPoolExecutor
  readonly Pool: typeof Pool
}

const contexts = new Map<StartMethod, StartContext>()

/**
 * Returns the classes `ProcessPoolExecutor` and `Pool` bound to a start method: for libraries that must not depend on
 * the method that the program has set. They are subclasses of the ordinary classes, and the same classes for each call
 * with the same method. Their option `startMethod` may be left out, or has to name this method.
 *
 * @param method - Default: the present `getStartMethod()`.
 * @throws As `setStartMethod`, for a method that cannot be used.
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
  const bound = <T extends { startMethod?: StartMethod }>(options: T | undefined, names: OptionNames<T>): T => {
    const own = ownOptions(options, names)
    const given = own.startMethod
    if (given !== undefined && given !== method) {
      throw invalidValue('options.startMethod', `absent or '${method}', which this context is bound to`, given)
    }
    return { ...own, startMethod: method } as T
  }
  const Executor = ProcessPoolExecutor
  const AnyPool = Pool
  return Object.freeze({
    ProcessPoolExecutor: class ProcessPoolExecutor<I extends unknown[] = any> extends Executor<I> {
      constructor(options?: ProcessPoolOptions<I> & NeededInitargs<I>) {
        super(bound(options, EXECUTOR_OPTIONS))
      }
    },
    Pool: class Pool<I extends unknown[] = any> extends AnyPool<I> {
      constructor(processes?: number, options?: PoolOptions<I> & NeededInitargs<I>) {
        super(processes, bound(options, POOL_OPTIONS))
      }
    },
  })
}
