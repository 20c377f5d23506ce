// The errors of failed calls: what happened, to which worker, in which task, and what to do.

import {
  SerializationError,
  TaskMemoryError,
  TaskTimeoutError,
  type WorkerDeathTask,
  WorkerDiedError,
  WorkerTerminatedError,
} from '../../errors/index.js'
import type { NativeCallFailure, NativeDeath } from '../../native/index.js'
import { capital } from '../../util/text.js'
import { deathHint, describeCall, describeDeath, workerDeath } from './deaths.js'
import { errnoName, spawnFailed } from './system.js'

/** The error of a call that failed without a result from its worker. */
export function callFailure(
  failure: Exclude<NativeCallFailure, { kind: 'cancelled' }>,
  task: WorkerDeathTask,
  { timeout = 0, retries }: { readonly timeout: number | undefined; readonly retries: number },
): Error {
  switch (failure.kind) {
    case 'workerDied':
      return workerDied(failure.death, task, retries)
    case 'timedOut': {
      const { pid } = failure
      return new TaskTimeoutError(
        `${describeCall(task)} ran longer than its timeout of ${timeout} ms in worker ${pid}, which is being stopped` +
          (retries === 0 ? '' : `. It was ${lastAttempt(retries)}`),
        { timeout, pid },
      )
    }
    case 'terminated': {
      const { pid } = failure
      return new WorkerTerminatedError(`Worker ${pid} was terminated while it ran ${describeCall(task)}`, { pid })
    }
    case 'spawn':
      return spawnFailed(failure.syscall, failure.errno)
    case 'noMemory':
      return new SerializationError(
        `There is no memory for the arguments of ${describeCall(task)}: ${errnoName(failure.errno)}`,
        { stage: 'arguments' },
      )
  }
}

/** The error of a call that was lost when its worker died. */
export function workerDied(death: NativeDeath, task: WorkerDeathTask | undefined, retries: number): WorkerDiedError {
  const hint = death.corrupt ? undefined : deathHint(death)
  const repeated =
    retries === 0 ? 'The call may have had effects and was not repeated' : `It was ${lastAttempt(retries)}`
  const message = `${capital(describeDeath(death, task))} died. ${repeated}`
  const details = { ...workerDeath(death, task), ...(hint === undefined ? {} : { hint }) }
  const text = hint === undefined ? message : `${message}. Hint: ${hint}`
  const { memoryLimit: limit, rss } = death
  return typeof limit === 'number'
    ? new TaskMemoryError(text, { ...details, limit, rss })
    : new WorkerDiedError(text, details)
}

/** For example "the last of 3 attempts". */
function lastAttempt(retries: number): string {
  return `the last of ${retries + 1} attempts`
}
