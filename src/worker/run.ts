// A worker process, from its first to its last turn.

import { WorkerDiedError } from '../errors/index.js'
import { Phase, Status } from '../wire/index.js'
import { becomeWorker } from '../tasks/context.js'
import { interceptExit } from './exit.js'
import { Lane } from './lane.js'
import { Loop } from './loop.js'
import { TaskCache } from './task-cache.js'

/**
 * Makes this process the worker of a lane, which `argument` describes.
 *
 * @param inherits - See {@link WorkerState}.
 */
export function runWorker(argument: string, inherits = false): void {
  const lane = new Lane(argument, () => loop.onBell())
  const state = becomeWorker(lane.workerId, lane.depth, (bytes) => lane.allocate(bytes), inherits)

  const leave = interceptExit((code) => {
    // Also when its outcome is decided, but still waits for room in the lane: the call must not end without one.
    const { running } = loop
    if (running !== undefined) {
      running.done = true
      const origin = state.origin.getStore()
      // A module that is evaluated is so for the call in progress, and so is an outcome that is encoded.
      const isOwn = origin === running || (origin === undefined && (state.loading > 0 || loop.answering))
      if (isOwn) lane.commitExit(code)
      else lane.commitFailure(strayExit(code))
    }
    lane.setPhase(Phase.leaving)
  })
  const loop: Loop = new Loop(lane, new TaskCache(state), state, leave)

  // An error that nobody caught belongs to the task that the code stems from. When that is over, or there is none, the
  // process is in a state that nobody knows: it reports the error and leaves after its current task.
  function onStray(error: unknown): void {
    // Such as EPIPE, when nobody is left to read the output.
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
  process.on('uncaughtException', onStray)
  process.on('unhandledRejection', onStray)

  loop.pump()
}

/**
 * Of the call that runs when code exits that another call, or the initializer, has left behind. It cannot be put off
 * until that call is over: process.exit() never returns, and the call may be waiting for what this code would have
 * done.
 */
function strayExit(exitCode: number): WorkerDiedError {
  const hint = 'an earlier task, the initializer or a module had left that code behind: look for timers and listeners'
  const message =
    `Worker ${process.pid} was ended by process.exit(${exitCode}) in code that does not belong to this call. ` +
    `The call may have had effects and was not repeated. Hint: ${hint}`
  return new WorkerDiedError(message, { pid: process.pid, exitCode, signal: null, hint })
}
