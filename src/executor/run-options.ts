// Options of single calls.

import { types } from 'node:util'

import { isDetached } from '../codec/views.js'
import type { CallFuture } from '../host/call-future.js'
import { isUntransferable } from '../memory/shared-buffer.js'
import { invalidType, invalidValue, validateInteger, validateNumber, validateOptions } from '../util/validate.js'

/** Options of {@link ProcessPoolExecutor.run}. */
export interface RunOptions {
  /** Cancels the call: at once if it waits, by stopping its worker if it runs. */
  signal?: AbortSignal
  /** Milliseconds that the call may run, from when a worker claims it. Default: no limit. */
  timeout?: number
  /** Milliseconds from the abort of `taskContext().signal` to SIGTERM when the call is stopped. Default: 0. */
  grace?: number
  /**
   * How often the call is repeated after its worker died (with `onWorkerDeath: 'isolate'`; else that breaks the
   * executor) or after `timeout`, which holds for each attempt. One attempt is over before the next one starts, behind
   * all calls that wait; the last one's error is the call's. What a task throws and `process.exit()` in it repeat
   * nothing. The arguments are kept in memory until the call is over. Default: 0.
   */
  retries?: number
  /** Names the call in errors, beside the task. */
  label?: string
  /**
   * ArrayBuffers that the call takes along, as `postMessage` does: detached here as soon as the call is taken. A {@link
   * SharedBuffer} is not copied. Not together with `retries`, if it is to move without a copy.
   */
  transfer?: readonly ArrayBuffer[]
}

/** What the core counts with. */
const MAX_RETRIES = 2 ** 32 - 1

/**
 * Checks the options of a call and notes them in its future.
 *
 * @throws TypeError or RangeError that names the option.
 */
export function applyRunOptions(future: CallFuture<unknown>, options: RunOptions | undefined): void {
  validateOptions(options)
  if (options === undefined) return
  const { signal, timeout, grace, retries, label, transfer } = options
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw invalidType('options.signal', 'an AbortSignal', signal)
  }
  if (label !== undefined && typeof label !== 'string') throw invalidType('options.label', 'a string', label)
  if (grace !== undefined) validateNumber(grace, 'options.grace', 0)
  if (retries !== undefined) validateInteger(retries, 'options.retries', 0, MAX_RETRIES)
  checkTransfer(transfer)
  future.timeout = timeoutOption(timeout, 'options.timeout')
  future.grace = grace ?? 0
  future.retries = retries ?? 0
  future.label = label
}

/** Checks what a call is to take along. */
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

/** A time limit in milliseconds: positive, or undefined for none. */
function timeoutOption(timeout: unknown, name: string): number | undefined {
  if (timeout === undefined || timeout === Infinity) return undefined
  validateNumber(timeout, name, Number.MIN_VALUE)
  return timeout
}

/** The unfinished calls of each signal, oldest first. */
const callsOf = new WeakMap<AbortSignal, Set<CallFuture<unknown>>>()

/** Has a signal cancel a call until that is done. One listener serves all calls: Node warns of more than ten. */
export function cancelOnAbort(future: CallFuture<unknown>, signal: AbortSignal): void {
  if (future.done()) return
  // By a getter of an argument, while that was encoded: the signal tells nobody who comes later.
  if (signal.aborted) return future.abort(signal.reason)
  const calls = callsOf.get(signal) ?? watch(signal)
  calls.add(future)
  future.addWaiter({
    futureDone: () => {
      calls.delete(future)
      if (calls.size === 0) unwatch(signal)
    },
  })
}

function watch(signal: AbortSignal): Set<CallFuture<unknown>> {
  const calls = new Set<CallFuture<unknown>>()
  callsOf.set(signal, calls)
  signal.addEventListener('abort', cancelCalls, { once: true })
  return calls
}

function unwatch(signal: AbortSignal): void {
  callsOf.delete(signal)
  signal.removeEventListener('abort', cancelCalls)
}

function cancelCalls(event: Event): void {
  const signal = event.target as AbortSignal
  for (const future of callsOf.get(signal) ?? []) future.abort(signal.reason)
}
