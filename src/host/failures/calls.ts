// What the core reports, as errors: what happened, to which worker, in which task, and what to do.

import { getSystemErrorName, inspect } from 'node:util'

import { decodeError } from '../../codec/index.js'
import {
  BrokenProcessPool,
  CancelledError,
  ForkUnsafeError,
  SerializationError,
  TaskTimeoutError,
  type WorkerDeath,
  type WorkerDeathTask,
  WorkerDiedError,
  WorkerSpawnError,
  WorkerTerminatedError,
} from '../../errors/index.js'
import { unforkableText } from '../../start/fork-safety.js'
import type { NativeDeath, NativeEvent } from '../../native/index.js'
import type { ResolvedOptions } from '../options.js'
import { signalName } from '../../util/signal-names.js'
import type { RecentEnds } from './recent-ends.js'

/** How a worker ended, as errors and events carry it. */
export function workerDeath(death: NativeDeath, task?: WorkerDeathTask): WorkerDeath {
  const { pid, exitCode = null, signal } = death
  const ended = { pid, exitCode, signal: signalName(signal) }
  return task === undefined ? ended : { ...ended, task }
}

/** "worker 4242 (killed by SIGKILL, running 'parse')" */
function describeDeath(death: NativeDeath, task?: WorkerDeathTask): string {
  const signal = signalName(death.signal)
  let how = 'ended, with a status that another party has fetched'
  if (death.corrupt) how = `killed because it damaged its shared memory: ${death.corrupt}`
  else if (signal !== null) how = `killed by ${signal}`
  else if (typeof death.exitCode === 'number') how = `exited with code ${death.exitCode}`
  // Which of its calls had started is not to be learnt from memory that is damaged.
  const doing = death.corrupt ? 'holding' : 'running'
  const running = task === undefined ? '' : `, ${doing} ${describeCall(task)}`
  return `worker ${death.pid} (${how}${running})`
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** "'parse' [row 7] (task 12)" */
export function describeCall(task: WorkerDeathTask): string {
  const label = task.label === undefined ? '' : ` [${task.label}]`
  return `'${task.name}'${label} (task ${task.taskId})`
}

/** A likely reason for an end that nobody in this process asked for. */
function deathHint(death: NativeDeath): string | undefined {
  switch (signalName(death.signal)) {
    case 'SIGKILL':
      return killHint(death.outOfMemory)
    case 'SIGABRT':
    case 'SIGTRAP':
      return (
        "the process aborted itself; if it printed 'heap out of memory', raise --max-old-space-size by the execArgv " +
        'option, or pass less data a call'
      )
    case 'SIGSEGV':
    case 'SIGBUS':
    case 'SIGILL':
    case 'SIGFPE':
      return 'the process crashed in native code: look at the native addons that the task uses'
    default:
      return undefined
  }
}

/**
 * @param outOfMemory - Whether the kernel has counted a victim of its out-of-memory killer; undefined if it does not
 * count.
 */
function killHint(outOfMemory: boolean | undefined): string {
  const advice = "limit the workers' memory or number (maxMemoryPerWorker, maxWorkers), or raise the limit"
  switch (outOfMemory) {
    case true:
      return `the kernel's out-of-memory killer has killed a process of this control group, most likely this one: ${advice}`
    case false:
      return (
        'SIGKILL was not sent by this pool, and the kernel counts no out-of-memory kill in this control group: it came from ' +
        'another process, such as systemd-oomd, a supervisor, or a hand'
      )
    default:
      return (
        'SIGKILL was not sent by this pool: most often it is the out-of-memory killer of the kernel or of a container; ' +
        `see the kernel's log, and ${advice}`
      )
  }
}

/** The error of a call that died with its worker, while the pool goes on. */
export function workerDied(death: NativeDeath, task: WorkerDeathTask, retries: number): WorkerDiedError {
  const hint = death.corrupt ? undefined : deathHint(death)
  const repeated =
    retries === 0 ? 'The call may have had effects and was not repeated' : `It was ${lastAttempt(retries)}`
  const message = `${capital(describeDeath(death, task))} died. ${repeated}`
  return new WorkerDiedError(hint === undefined ? message : `${message}. Hint: ${hint}`, {
    ...workerDeath(death, task),
    ...(hint === undefined ? {} : { hint }),
  })
}

/** "the last of 3 attempts" */
function lastAttempt(retries: number): string {
  return `the last of ${retries + 1} attempts`
}

/** The warning that a worker died while it had nothing to do. */
export function idleWorkerDied(death: NativeDeath): WorkerDiedError {
  return new WorkerDiedError(
    `${capital(describeDeath(death))} died while it was idle; no call was lost`,
    workerDeath(death),
  )
}

/** Why a pool broke; makes one error a future, so that no two share a stack. */
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
    message = `${pool} is broken: its initializer or a preloaded module failed in ${reasons.join('; ')}: ${messageOf(cause)}`
  } else if (event.reason === 'forkUnsafe') {
    message = `${pool} is broken: ${messageOf(cause)}`
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

/** Of fork servers, several in a row. */
function serverFailure({ reason, module }: NativeEvent): string {
  const what = reason === 'serverTimeout' ? 'was not ready within startTimeout' : 'ended before it was ready'
  const where = module === undefined ? '' : `, while it loaded the preload module ${module}`
  return (
    `its fork server ${what}${where}, several times in a row. Look at what it wrote to standard error; ` +
    "the start method 'spawn' loads the modules in each worker instead"
  )
}

/** Of workers that came to nothing, so many in a row that another attempt makes no sense. */
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

/** The error that a worker reported with its failed start, or why no worker can be forked from `which` process. */
export function breakCause(event: NativeEvent, which = 'The fork server'): unknown {
  if (event.reasons !== undefined) return forkUnsafe(which, event.reasons, "Use the start method 'spawn'")
  if (event.bytes === undefined || event.codec === undefined) return undefined
  return decodeError(event.codec, event.bytes, { pid: event.deaths?.[0]?.pid ?? event.pid ?? 0 })
}

/** The reasons are a line each. */
export function forkUnsafe(which: string, lines: string, advice: string): ForkUnsafeError {
  const reasons = lines.split('\n')
  return new ForkUnsafeError(unforkableText(which, reasons, advice), { reasons })
}

/** A call's failure, as the core names it. */
export function callFailure(
  event: NativeEvent,
  task: WorkerDeathTask,
  { timeout = 0, retries }: { readonly timeout: number | undefined; readonly retries: number },
): Error {
  const pid = event.pid ?? 0
  switch (event.reason) {
    case 'workerDied':
      return workerDied(event.deaths![0]!, task, retries)
    case 'timedOut':
      return new TaskTimeoutError(
        `${describeCall(task)} ran longer than its timeout of ${timeout} ms in worker ${pid}, which is being stopped` +
          (retries === 0 ? '' : `. It was ${lastAttempt(retries)}`),
        { timeout, pid },
      )
    case 'terminated':
      return new WorkerTerminatedError(`Worker ${pid} was terminated while it ran ${describeCall(task)}`, { pid })
    case 'spawn':
      return spawnFailed(event.syscall ?? 'posix_spawn', event.errno)
    case 'noMemory':
      return new SerializationError(
        `There is no memory for the arguments of ${describeCall(task)}: ${errnoName(event.errno)}`,
        { stage: 'arguments' },
      )
    default:
      return new CancelledError(`${describeCall(task)} was cancelled`)
  }
}

/** A worker that could not be started; `cause` carries `errno`, `code` and `syscall` as Node's system errors do. */
export function spawnFailed(syscall: string, errno: number | undefined): WorkerSpawnError {
  const cause = systemError(syscall, errno)
  return new WorkerSpawnError(`A worker process could not be started: ${syscall} failed with ${cause.code}`, { cause })
}

/** A pool for which the system has no descriptors or memory; any other error as it is. */
export function poolFailed(error: unknown): unknown {
  const cause = asSystemError(error)
  if (cause === undefined) return error
  return new WorkerSpawnError(`The pool could not be made: ${cause.syscall} failed with ${cause.code}`, { cause })
}

/** What the addon throws when a system call fails: `sys_error` in crates/node/src/platform.rs. */
function asSystemError(error: unknown): NodeJS.ErrnoException | undefined {
  const [, syscall, errno] = /^(\w+): .*\(os error (\d+)\)$/s.exec(error instanceof Error ? error.message : '') ?? []
  return syscall === undefined ? undefined : systemError(syscall, Number(errno))
}

function systemError(syscall: string, errno: number | undefined): NodeJS.ErrnoException {
  const code = errnoName(errno)
  return Object.assign(new Error(`${syscall} ${code}`), {
    syscall,
    code,
    ...(errno === undefined ? {} : { errno: -errno }),
  })
}

function errnoName(errno: number | undefined): string {
  if (errno === undefined) return 'an unknown error'
  try {
    return getSystemErrorName(-errno)
  } catch {
    return `errno ${errno}`
  }
}

function messageOf(error: unknown): string {
  if (error instanceof Error) return `${error.name}: ${error.message}`
  return typeof error === 'string' ? error : inspect(error, { depth: 1 })
}
