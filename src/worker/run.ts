// A worker process, from its first turn to its last.

import { WorkerDiedError, withLabel } from '../errors/index.js'
import { becomeWorker } from '../tasks/context.js'
import { Phase, Status } from '../wire/index.js'
import { interceptExit } from './exit.js'
import { watchOutputs } from './flush.js'
import { ignoreForeignSignals } from './signals.js'
import { Lane } from './lane.js'
import { Loop } from './loop.js'
import { TaskCache } from './task-cache.js'

// All that the entries need of this folder comes from here: what an entry alone imports is a file of its own in dist/.
export { leaveTerminalAlone } from './terminal.js'
export { watchOutputs }

/**
 * Makes this process the worker of a lane.
 *
 * @param argument - Describes the lane.
 * @param inherits - See {@link WorkerState}.
 */
export function runWorker(argument: string, inherits = false): void {
  watchOutputs()
  const lane = new Lane(argument, () => loop.onBell())
  const shared = { allocate: (bytes: number) => lane.allocate(bytes), abortRequested: () => lane.abortRequested }
  const state = becomeWorker(lane.workerId, lane.depth, shared, inherits)

  const leave = interceptExit((code) => {
    // Also a call that is answered but waits for room in the lane: a call must not end without an outcome.
    const { running } = loop
    if (running !== undefined) {
      // First, so that a host that has read the outcome does not take this worker for an idle one.
      lane.setPhase(Phase.retiring)
      running.done = true
      const origin = state.origin.getStore()
      // Evaluating a module and encoding an outcome are work for the call in progress.
      const isOwn = origin === running || (origin === undefined && (state.loading > 0 || loop.answering))
      if (isOwn) lane.commitExit(code)
      else lane.commitFailure(strayExit(code, running.label))
    }
    lane.setPhase(Phase.leaving)
  })
  const loop: Loop = new Loop(lane, new TaskCache(state), state, leave)

  // An error that nobody caught belongs to the task from which the code stems. When this task is over, or there is
  // none, nobody knows the state of the process: the worker reports the error and leaves after its present task.
  function onStray(error: unknown): void {
    // An error like EPIPE, because nobody reads the output any more.
    if (loop.leaving) return
    if (loop.booting) return loop.failBoot(error)
    const origin = state.origin.getStore()
    if (origin !== undefined && origin === loop.running && !origin.done) {
      loop.failRunning(error)
    } else {
      lane.notice(Status.strayRetiring, error)
      loop.retire()
    }
  }
  ignoreForeignSignals(lane)
  process.on('uncaughtException', onStray)
  process.on('unhandledRejection', onStray)

  loop.pump()
}

/**
 * The error of the running call when other code exits: code that another call, a module or the initializer has left
 * behind. The exit cannot wait for the end of the running call: `process.exit()` never returns, and the call may be
 * waiting for this very code.
 */
function strayExit(exitCode: number, label: string | undefined): WorkerDiedError {
  const hint = 'an earlier task, the initializer or a module had left that code behind: look for timers and listeners'
  const message =
    `Worker ${process.pid} was ended by process.exit(${exitCode}) in code that does not belong to this call. ` +
    `The call may have had effects and was not repeated. Hint: ${hint}`
  return withLabel(new WorkerDiedError(message, { pid: process.pid, exitCode, signal: null, hint }), label)
}
