// The options of single calls: their checks, and the signals that cancel calls.

import { types } from 'node:util'

import { isDetached } from '../codec/views.js'
import type { RetryOptions, RetryPolicy } from '../futures/retry-policy.js'
import type { CallFuture } from '../host/call-future.js'
import { isUntransferable } from '../memory/shared-buffer.js'
import { offAbort, onAbort, validateSignal } from '../util/abort.js'
import { optionNames, type OwnOptions, ownOptions } from '../util/options.js'
import { invalidType, invalidValue, validateNumber } from '../util/validate.js'

/** Options of {@link ProcessPoolExecutor.run}. */
export interface RunOptions {
  /** A signal whose abort cancels the call. If the call is running, its worker is stopped. */
  signal?: AbortSignal
  /** Milliseconds that the call may run, counted from its claim by a worker. Default: no limit. */
  timeout?: number
  /** Milliseconds between the abort of `taskContext().signal` and SIGTERM when the call is stopped. Default: 0. */
  grace?: number
  /**
   * How often the call is repeated after its worker has died or its `timeout` has passed, or {@link RetryOptions} with
   * pauses and with other reasons. Default: 0.
   *
   * - Deaths count only with `onWorkerDeath: 'isolate'`; with `'break'` a death breaks the executor.
   * - `timeout` holds for each attempt. An attempt is over before the next one starts, behind all waiting calls.
   * - The call fails with the error of its last attempt.
   * - An error that the task throws and `process.exit()` in the task are no reasons to repeat the call, except where
   *   `when` says so.
   * - The arguments are those of the call. They are kept in memory, encoded, until the call is over.
   * - During a pause the future is pending and can be cancelled. `shutdown()` waits for all attempts.
   */
  retries?: number | RetryOptions
  /** A name for the call in errors, besides the name of its task. */
  label?: string
  /**
   * ArrayBuffers that the call takes along, as with `postMessage`: they are detached as soon as the call is accepted. A
   * {@link SharedBuffer} moves without a copy, unless the call has `retries`.
   */
  transfer?: readonly ArrayBuffer[]
}

const NAMES = optionNames<RunOptions>('run()', {
  signal: true,
  timeout: true,
  grace: true,
  retries: true,
  label: true,
  transfer: true,
})

/** @throws TypeError when the options are no object, or one of them is unknown. */
export function ownRunOptions(options: RunOptions | undefined): OwnOptions<RunOptions> {
  return ownOptions(options, NAMES)
}

/**
 * Checks the options of a call and stores them in its future.
 *
 * @throws TypeError or RangeError that names the option.
 */
export function applyRunOptions(
  future: CallFuture<unknown>,
  options: OwnOptions<RunOptions>,
  policy: RetryPolicy | undefined,
): void {
  const { signal, timeout, grace, label, transfer } = options
  if (signal !== undefined) validateSignal(signal, 'options.signal')
  if (label !== undefined && typeof label !== 'string') throw invalidType('options.label', 'a string', label)
  if (grace !== undefined) validateNumber(grace, 'options.grace', 0)
  checkTransfer(transfer)
  future.timeout = timeoutOption(timeout, 'options.timeout')
  future.grace = grace ?? 0
  future.retries = policy?.limit ?? 0
  future.label = label
}

/** Checks the list of buffers that a call takes along. */
function checkTransfer(transfer: unknown): void {
  if (transfer === undefined) return
  if (!Array.isArray(transfer)) throw invalidType('options.transfer', 'an array of ArrayBuffers', transfer)
  const seen = new Set<unknown>()
  for (const [index, each] of transfer.entries()) {
    const name = `options.transfer[${index}]`
    if (!types.isArrayBuffer(each)) throw invalidType(name, 'an ArrayBuffer (of a view: its buffer)', each)
    if (isDetached(each)) throw invalidValue(name, 'an ArrayBuffer that has its memory: this one is detached', each)
    if (isUntransferable(each)) throw invalidValue(name, 'an ArrayBuffer that can be transferred', each)
    if (seen.has(each)) throw invalidValue(name, 'an ArrayBuffer that is not in the list already', each)
    seen.add(each)
  }
}

/** A time limit in milliseconds: positive, or undefined for no limit. */
function timeoutOption(timeout: unknown, name: string): number | undefined {
  if (timeout === undefined || timeout === Infinity) return undefined
  validateNumber(timeout, name, Number.MIN_VALUE)
  return timeout
}

/** Has a signal cancel a call until the call is done. */
export function cancelOnAbort(future: CallFuture<unknown>, signal: AbortSignal): void {
  if (future.done()) return
  // A getter in the arguments may have aborted the signal during encoding. A listener that is added now is not called.
  if (signal.aborted) return future.abort(signal.reason)
  const reaction = { aborted: (reason: unknown) => future.abort(reason) }
  onAbort(signal, reaction)
  future.addWaiter({ futureDone: () => offAbort(signal, reaction) })
}
