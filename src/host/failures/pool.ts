// The errors of broken pools.

import { decodeError } from '../../codec/index.js'
import { BrokenProcessPool, ForkUnsafeError, type WorkerDeath } from '../../errors/index.js'
import type { NativeBreakCause, NativeDeath, NativeEvent } from '../../native/index.js'
import { unforkableText } from '../../start/fork-safety.js'
import { MISRUN, misrunError } from '../../start/misrun.js'
import { headingOf } from '../../util/text.js'
import type { ResolvedOptions } from '../options.js'
import { workerDied } from './calls.js'
import { deathHint, describeDeath } from './deaths.js'
import type { RecentEnds } from './recent-ends.js'

/** The event of a pool that broke. */
export type BrokenEvent = Extract<NativeEvent, { kind: 'broken' }>

/** The error of a broken pool. The returned function makes one error for each future, so that no two share a stack. */
export function brokenPool(
  { cause, deaths }: BrokenEvent,
  workers: readonly WorkerDeath[],
  ends: RecentEnds,
  { name, onWorkerDeath, native }: Pick<ResolvedOptions, 'name' | 'onWorkerDeath' | 'native'>,
): () => BrokenProcessPool {
  const pool = name === '' ? 'The process pool' : `The process pool '${name}'`
  const misrun = cause.kind === 'deaths' ? misrunOf(ends, native.program) : undefined
  const error =
    misrun ??
    outgrownOf(cause, deaths, workers) ??
    breakError(cause, deaths, native.ownForks ? 'This process' : 'The fork server')
  const how = deaths.map((death, index) => {
    // A worker that started too slowly was killed by this pool.
    const hint = death.corrupt || cause.kind === 'startTimeout' ? undefined : deathHint(death)
    return `${describeDeath(death, workers[index]?.task)}${hint === undefined ? '' : ` [hint: ${hint}]`}`
  })
  const message = breakMessage(pool, cause, error, how.join('; '), () => {
    if (misrun !== undefined) return headingOf(misrun)
    if (deaths.some(({ call }) => call !== undefined)) {
      return `${how.join('; ')} died while the future was running or pending. ${ADVICE}`
    }
    const wasIdle = onWorkerDeath === 'break' && ends.reason === 'died'
    return wasIdle ? `${how.join('; ')} ended without having been asked to. ${ADVICE}` : vainStarts(ends)
  })
  return () => new BrokenProcessPool(message, error === undefined ? { workers } : { workers, cause: error })
}

/** The error of a pool whose workers ran a program in place of their entry. */
function misrunOf({ reason, deaths }: RecentEnds, program: string): Error | undefined {
  const misrun = reason === 'failed-start' ? deaths.find(({ exitCode }) => exitCode === MISRUN) : undefined
  return misrun === undefined ? undefined : misrunError(misrun.pid, program)
}

/** The error of a pool that broke because a call has grown its worker beyond `hardMemoryLimit`. */
function outgrownOf(
  cause: NativeBreakCause,
  deaths: readonly NativeDeath[],
  workers: readonly WorkerDeath[],
): Error | undefined {
  if (cause.kind !== 'deaths') return undefined
  const index = deaths.findIndex(({ memoryLimit }) => typeof memoryLimit === 'number')
  return index < 0 ? undefined : workerDied(deaths[index]!, workers[index]?.task)
}

const ADVICE = "Make a new executor; with onWorkerDeath: 'isolate' a death would have failed one call only."

/** @param explainDeaths - Says what the deaths of workers mean, where these are the cause. */
function breakMessage(
  pool: string,
  cause: NativeBreakCause,
  error: unknown,
  how: string,
  explainDeaths: () => string,
): string {
  switch (cause.kind) {
    case 'deaths':
      return `${pool} is broken: ${explainDeaths()}`
    case 'bootFailed':
      return `${pool} is broken: its initializer or a preloaded module failed in ${how}: ${headingOf(error)}`
    case 'forkUnsafe':
      return `${pool} is broken: ${headingOf(error)}`
    case 'noneLeft': {
      const why = how === '' ? 'none could be forked' : `the last is gone: ${how}`
      return (
        `${pool} has no workers: ${why}. Those of the start method 'fork' are never replaced; ` +
        "those of 'forkserver' and 'spawn' are"
      )
    }
    case 'startTimeout':
      return `${pool} is broken: no worker was ready within startTimeout: ${how}`
    case 'serverTimeout':
      return `${pool} is broken: ${serverFailure('was not ready within startTimeout', cause.module)}`
    case 'serverEnded':
      return `${pool} is broken: ${serverFailure('ended before it was ready', cause.module)}`
  }
}

/** The failure of several fork servers in a row. */
function serverFailure(what: string, module: string | undefined): string {
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

/**
 * The error behind a failed start: the one that the worker reported, or why `which` process cannot be forked. Undefined
 * if the cause is no error.
 */
export function breakError(
  cause: NativeBreakCause,
  deaths: readonly NativeDeath[],
  which = 'The fork server',
): unknown {
  if (cause.kind === 'forkUnsafe') return forkUnsafe(which, cause.reasons, "Use the start method 'spawn'")
  if (cause.kind !== 'bootFailed') return undefined
  return decodeError(cause.report.codec, cause.report.bytes, { pid: deaths[0]?.pid ?? 0 })
}

/** The error for a process that cannot be forked. `lines` has one reason in each line. */
export function forkUnsafe(which: string, lines: string, advice: string): ForkUnsafeError {
  const reasons = lines.split('\n')
  return new ForkUnsafeError(unforkableText(which, reasons, advice), { reasons })
}
