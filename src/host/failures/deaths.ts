// The ends of workers, as texts and as fields of errors.

import type { WorkerDeath, WorkerDeathTask } from '../../errors/index.js'
import type { NativeDeath } from '../../native/index.js'
import { signalName } from '../../util/signal-names.js'

/** The end of a worker, as errors and events carry it. */
export function workerDeath(death: NativeDeath, task?: WorkerDeathTask): WorkerDeath {
  const { pid, exitCode = null, signal } = death
  const ended = { pid, exitCode, signal: signalName(signal) }
  return task === undefined ? ended : { ...ended, task }
}

/** For example "worker 4242 (killed by SIGKILL, running 'parse' (task 12))". */
export function describeDeath(death: NativeDeath, task?: WorkerDeathTask): string {
  const signal = signalName(death.signal)
  let how = 'ended, with a status that another party has fetched'
  if (death.corrupt) how = `killed because it damaged its shared memory: ${death.corrupt}`
  else if (typeof death.memoryLimit === 'number') how = describeGrowth(death.memoryLimit, death.rss)
  else if (signal !== null) how = `killed by ${signal}`
  else if (typeof death.exitCode === 'number') how = `exited with code ${death.exitCode}`
  // Damaged memory cannot tell which of the worker's calls had started.
  const doing = death.corrupt ? 'holding' : 'running'
  const running = task === undefined ? '' : `, ${doing} ${describeCall(task)}`
  return `worker ${death.pid} (${how}${running})`
}

/** For example "killed because its memory of 301.5 MiB exceeds hardMemoryLimit, 256 MiB". */
function describeGrowth(limit: number, rss: number | undefined): string {
  return typeof rss === 'number'
    ? `killed because its memory of ${size(rss)} exceeds hardMemoryLimit, ${size(limit)}`
    : `ended by V8 because its heap was full, under hardMemoryLimit, ${size(limit)}`
}

function size(bytes: number): string {
  return bytes < 2 ** 20 ? `${bytes} bytes` : `${Math.round((bytes / 2 ** 20) * 10) / 10} MiB`
}

/** For example "'parse' [row 7] (task 12)". */
export function describeCall(task: WorkerDeathTask): string {
  const label = task.label === undefined ? '' : ` [${task.label}]`
  return `'${task.name}'${label} (task ${task.taskId})`
}

/** @param rss - Undefined if V8 has ended the worker. */
function memoryHint(rss: number | undefined): string {
  const raise =
    typeof rss === 'number' ? 'hardMemoryLimit' : 'hardMemoryLimit (or --max-old-space-size, where it is set)'
  return `pass less data a call, let go of data that a call does not need any more, or raise ${raise}`
}

/** A likely reason for an end that nobody in this process has asked for. */
export function deathHint(death: NativeDeath): string | undefined {
  if (typeof death.memoryLimit === 'number') return memoryHint(death.rss)
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
  const advice =
    "limit the workers' memory or number (hardMemoryLimit, maxMemoryPerWorker, maxWorkers), or raise the limit"
  switch (outOfMemory) {
    case true:
      return (
        "the kernel's out-of-memory killer has killed a process of this control group, most likely this one: " + advice
      )
    case false:
      return (
        'SIGKILL was not sent by this pool, and the kernel counts no out-of-memory kill in this control group: ' +
        'it came from another process, such as systemd-oomd, a supervisor, or a hand'
      )
    default:
      return (
        'SIGKILL was not sent by this pool: most often it is the out-of-memory killer of the kernel or of a ' +
        `container; see the kernel's log, and ${advice}`
      )
  }
}
