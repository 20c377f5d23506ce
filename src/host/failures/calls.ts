// The errors of failed calls: what happened, to which worker, in which task, and what to do.

import {
  SerializationError,
  TaskMemoryError,
  TaskTimeoutError,
  type WorkerDeathTask,
  WorkerDiedError,
  WorkerTerminatedError,
  withLabel,
} from '../../errors/index.js'
import type { NativeCallFailure, NativeDeath } from '../../native/index.js'
import { capital } from '../../util/text.js'
import type { CallFuture } from '../call-future.js'
import { deathHint, describeCall, describeDeath, workerDeath } from './deaths.js'
import { errnoName, spawnFailed } from './system.js'

/** The error of a call that failed without a result from its worker. */
export function callFailure(
  failure: Exclude<NativeCallFailure, { kind: 'cancelled' }>,
  task: WorkerDeathTask,
  call: Pick<CallFuture<unknown>, 'timeout' | 'tellsLate' | 'tellAttempts'>,
): Error {
  const { label } = task
  switch (failure.kind) {
    case 'workerDied':
      return workerDied(failure.death, task, call.tellAttempts())
    case 'timedOut': {
      const { pid } = failure
      const { timeout = 0 } = call
      const attempts = call.tellAttempts()
      return new TaskTimeoutError(
        `${describeCall(task)} ran longer than its timeout of ${timeout} ms in worker ${pid}` +
          (call.tellsLate ? '' : ', which is being stopped') +
          (attempts === '' ? '' : `. ${attempts}`),
        { timeout, pid, label },
      )
    }
    case 'terminated': {
      const { pid } = failure
      return new WorkerTerminatedError(`Worker ${pid} was terminated while it ran ${describeCall(task)}`, {
        pid,
        label,
      })
    }
    case 'spawn':
      return withLabel(spawnFailed(failure.syscall, failure.errno), label)
    case 'noMemory':
      return new SerializationError(
        `There is no memory for the arguments of ${describeCall(task)}: ${errnoName(failure.errno)}`,
        { stage: 'arguments', label },
      )
  }
}

/** The error of a call that was lost when its worker died. */
export function workerDied(death: NativeDeath, task: WorkerDeathTask | undefined, attempts = ''): WorkerDiedError {
  const hint = death.corrupt ? undefined : deathHint(death)
  const repeated = attempts === '' ? 'The call may have had effects and was not repeated' : attempts
  const message = `${capital(describeDeath(death, task))} died. ${repeated}`
  const text = hint === undefined ? message : `${message}. Hint: ${hint}`
  const details = { ...workerDeath(death, task), label: task?.label, ...(hint === undefined ? {} : { hint }) }
  const { memoryLimit: limit, rss } = death
  return typeof limit === 'number'
    ? new TaskMemoryError(text, { ...details, limit, rss })
    : new WorkerDiedError(text, details)
}
