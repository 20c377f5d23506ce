// The errors of pools that are broken, or cannot be made.

import { decodeError } from '../../codec/index.js'
import { BrokenProcessPool, ForkUnsafeError, type WorkerDeath } from '../../errors/index.js'
import type { NativeEvent } from '../../native/index.js'
import { unforkableText } from '../../start/fork-safety.js'
import { headingOf } from '../../util/text.js'
import type { ResolvedOptions } from '../options.js'
import { deathHint, describeDeath } from './deaths.js'
import type { RecentEnds } from './recent-ends.js'

/** The error of a broken pool. The returned function makes one error for each future, so that no two share a stack. */
export function brokenPool(
  event: NativeEvent,
  deaths: readonly WorkerDeath[],
  ends: RecentEnds,
  { name, onWorkerDeath, native }: Pick<ResolvedOptions, 'name' | 'onWorkerDeath' | 'native'>,
): () => BrokenProcessPool {
  const pool = name === '' ? 'The process pool' : `The process pool '${name}'`
  const advice = "Make a new executor; with onWorkerDeath: 'isolate' a death would have failed one call only."
  const cause = breakCause(event, native.ownForks ? 'This process' : 'The fork server')
  const reasons = (event.deaths ?? []).map((death, index) => {
    // A worker that started too slowly was killed by this pool.
    const hint = death.corrupt || event.reason === 'startTimeout' ? undefined : deathHint(death)
    return `${describeDeath(death, deaths[index]?.task)}${hint === undefined ? '' : ` [hint: ${hint}]`}`
  })
  let message = `${pool} is broken: ${reasons.join('; ')} died while the future was running or pending. ${advice}`
  if (event.reason === 'bootFailed') {
    const where = reasons.join('; ')
    message = `${pool} is broken: its initializer or a preloaded module failed in ${where}: ${headingOf(cause)}`
  } else if (event.reason === 'forkUnsafe') {
    message = `${pool} is broken: ${headingOf(cause)}`
  } else if (event.reason === 'noneLeft') {
    const how = reasons.length === 0 ? 'none could be forked' : `the last is gone: ${reasons.join('; ')}`
    message =
      `${pool} has no workers: ${how}. Those of the start method 'fork' are never replaced; ` +
      "those of 'forkserver' and 'spawn' are"
  } else if (event.reason === 'serverTimeout' || event.reason === 'serverEnded') {
    message = `${pool} is broken: ${serverFailure(event)}`
  } else if (event.reason === 'startTimeout') {
    message = `${pool} is broken: no worker was ready within startTimeout: ${reasons.join('; ')}`
  } else if ((event.deaths ?? []).every((death) => death.call === undefined)) {
    const isIdleDeath = onWorkerDeath === 'break' && ends.reason === 'died'
    message = isIdleDeath
      ? `${pool} is broken: ${reasons.join('; ')} ended without having been asked to. ${advice}`
      : `${pool} is broken: ${vainStarts(ends)}`
  }
  return () => new BrokenProcessPool(message, cause === undefined ? { workers: deaths } : { workers: deaths, cause })
}

/** The failure of several fork servers in a row. */
function serverFailure({ reason, module }: NativeEvent): string {
  const what = reason === 'serverTimeout' ? 'was not ready within startTimeout' : 'ended before it was ready'
  const where = module === undefined ? '' : `, while it loaded the preload module ${module}`
  return (
    `its fork server ${what}${where}, several times in a row. Look at what it wrote to standard error; ` +
    "the start method 'spawn' loads the modules in each worker instead"
  )
}

/** The failure of several workers in a row: another attempt makes no sense. */
function vainStarts({ reason, deaths }: RecentEnds): string {
  const what =
    reason === 'failed-start'
      ? 'several starts in a row failed, each before the worker was ready'
      : 'several workers in a row ended before they had finished a call'
  const how = deaths.map((death) => describeDeath(death)).join('; ')
  const hint = deaths.map(deathHint).find((text) => text !== undefined)
  return (
    `${what}: ${how}${hint === undefined ? '' : ` [hint: ${hint}]`}. Look at what they wrote to standard error, ` +
    'and at the options execArgv, env, cwd, preload and initializer; then make a new executor.'
  )
}

/** The error that a worker reported with its failed start, or why the process `which` cannot be forked. */
export function breakCause(event: NativeEvent, which = 'The fork server'): unknown {
  if (event.reasons !== undefined) return forkUnsafe(which, event.reasons, "Use the start method 'spawn'")
  if (event.bytes === undefined || event.codec === undefined) return undefined
  return decodeError(event.codec, event.bytes, { pid: event.deaths?.[0]?.pid ?? event.pid ?? 0 })
}

/** The error for a process that cannot be forked. `lines` has one reason in each line. */
export function forkUnsafe(which: string, lines: string, advice: string): ForkUnsafeError {
  const reasons = lines.split('\n')
  return new ForkUnsafeError(unforkableText(which, reasons, advice), { reasons })
}
