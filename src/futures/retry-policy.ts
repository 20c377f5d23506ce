// The option `retries`: which failed attempts of a call are followed by another, and after which pause.

import { isOfTask } from '../codec/error-rebuild.js'
import { TaskTimeoutError, WorkerDiedError } from '../errors/index.js'
import { types } from '../util/builtins.js'
import { optionNames, ownOptions } from '../util/options.js'
import { isThenable } from '../util/thenable.js'
import { invalidType, outOfRange, validateFunction, validateInteger, validateNumber } from '../util/validate.js'

/** The option `retries` in full: how often, after which pauses and after which failures a call is repeated. */
export interface RetryOptions {
  /** How often the call is repeated at most. 0: never. */
  limit: number
  /** Milliseconds of the pause before the first repetition. A pause holds no worker. Default: 0. */
  delay?: number
  /** How many times longer each pause is than the pause before; at least 1. Default: 1. */
  factor?: number
  /**
   * The share of each pause that is left to chance, from 0 to 1: a pause of 1000 ms with a `jitter` of 0.3 takes 700 to
   * 1000 ms. Calls that failed together are then not repeated together. Default: 0.
   */
  jitter?: number
  /** Milliseconds of the longest pause. Default: no limit. */
  maxDelay?: number
  /**
   * Decides whether the call is repeated after a failure of any kind: what the task threw, `process.exit()` in the
   * task, a death, a time-out. `attempt` is the number of the attempt that failed, from 1. The function is not asked
   * after the last attempt. What the function throws becomes the error of the call, with the failure as its `cause`.
   *
   * Default: the call is repeated after the death of its worker and after its time-out, and after nothing else.
   */
  when?(error: unknown, attempt: number): boolean
}

/** The largest number that the native pool can count. */
const MOST = 2 ** 32 - 1

const AT = 'options.retries'

const NAMES = optionNames<RetryOptions>(
  'retries',
  { limit: true, delay: true, factor: true, jitter: true, maxDelay: true, when: true },
  AT,
)

/** A checked option `retries`. */
export class RetryPolicy {
  /** How often the call is repeated at most; at least 1. */
  readonly limit: number
  /** Whether the native pool can do the same by itself: deaths and time-outs, no pauses. */
  readonly isPlain: boolean
  private readonly delay: number
  private readonly factor: number
  private readonly jitter: number
  private readonly maxDelay: number
  private readonly when: RetryOptions['when']

  private constructor(limit: number, options: Omit<RetryOptions, 'limit'>) {
    this.limit = limit
    this.delay = options.delay ?? 0
    this.factor = options.factor ?? 1
    this.jitter = options.jitter ?? 0
    this.maxDelay = options.maxDelay ?? Infinity
    this.when = options.when
    this.isPlain = this.when === undefined && Math.min(this.delay, this.maxDelay) === 0
  }

  /**
   * The policy of an option `retries`; undefined if no attempt is ever followed by another.
   *
   * @throws TypeError or RangeError that names the option.
   */
  static of(retries: number | RetryOptions | undefined): RetryPolicy | undefined {
    if (retries === undefined) return undefined
    if (typeof retries === 'number') {
      validateInteger(retries, AT, 0, MOST)
      return retries === 0 ? undefined : new RetryPolicy(retries, {})
    }
    if (retries === null || typeof retries !== 'object') {
      throw invalidType(AT, 'a whole number or an object', retries)
    }
    const { limit, ...rest } = ownOptions(retries, NAMES)
    validateInteger(limit, `${AT}.limit`, 0, MOST)
    const { delay, factor, jitter, maxDelay, when } = rest
    if (delay !== undefined) validateFinite(delay, `${AT}.delay`, 0)
    if (factor !== undefined) validateFinite(factor, `${AT}.factor`, 1)
    if (jitter !== undefined) validateNumber(jitter, `${AT}.jitter`, 0, 1)
    if (maxDelay !== undefined) validateNumber(maxDelay, `${AT}.maxDelay`, 0)
    if (when !== undefined) validateFunction(when, `${AT}.when`)
    return limit === 0 ? undefined : new RetryPolicy(limit, rest)
  }

  /**
   * What follows the attempt number `attempt` (from 1), which failed with `error`: the pause before the next attempt in
   * milliseconds, or undefined if there is none.
   *
   * @throws What `when` throws; `error` is its cause, if it is an object that has none.
   */
  pause(error: unknown, attempt: number): number | undefined {
    if (attempt > this.limit || !this.repeats(error, attempt)) return undefined
    // 0 before everything else: 0 times an infinite power is no number.
    if (this.delay === 0) return 0
    const longest = Math.min(this.delay * this.factor ** (attempt - 1), this.maxDelay, Number.MAX_VALUE)
    return longest * (1 - this.jitter * Math.random())
  }

  private repeats(error: unknown, attempt: number): boolean {
    const { when } = this
    if (when === undefined) return isDeath(error)
    try {
      const answer: unknown = when(error, attempt)
      // A promise would always count as true.
      if (isThenable(answer)) throw invalidType(`${AT}.when()`, 'true or false, at once', answer)
      return Boolean(answer)
    } catch (thrown) {
      addCause(thrown, error)
      throw thrown
    }
  }
}

/** Whether an error tells of the death of a call's worker, or of the end of the call's time. */
function isDeath(error: unknown): boolean {
  return (error instanceof WorkerDiedError || error instanceof TaskTimeoutError) && !isOfTask(error)
}

/** Makes `cause` the cause of a thrown value, if that is an object that has none. Runs no code of the value's. */
function addCause(thrown: unknown, cause: unknown): void {
  if (typeof thrown !== 'object' || thrown === null || thrown === cause || types.isProxy(thrown)) return
  if (Object.hasOwn(thrown, 'cause')) return
  Reflect.defineProperty(thrown, 'cause', { value: cause, writable: true, configurable: true })
}

function validateFinite(value: unknown, name: string, minimum: number): asserts value is number {
  validateNumber(value, name, minimum)
  if (value === Infinity) throw outOfRange(name, 'a finite number', value)
}
