// The entry of a worker process. Its last argument describes the lane that it was started with.

import process from 'node:process'

import { Status } from '../wire.js'
import { becomeWorker } from './context.js'
import { interceptExit } from './exit.js'
import { Lane, Phase } from './lane.js'
import { Loop } from './loop.js'
import { TaskCache } from './task-cache.js'

const lane = new Lane(process.argv.at(-1) ?? '', () => loop.onBell())
// Nested pools and tasks that look at their arguments see those of a plain script.
process.argv.pop()
const state = becomeWorker(lane.workerId, lane.depth)

const leave = interceptExit((code) => {
  // Also when its outcome is decided, but still waits for room in the lane: the call must not end without one.
  if (loop.running !== undefined) {
    loop.running.done = true
    lane.commitExit(code)
  }
  lane.setPhase(Phase.leaving)
})
const loop: Loop = new Loop(lane, new TaskCache(state), state, leave)

// An error that nobody caught belongs to the task that the code stems from. When that is over, or there is none, the
// process is in a state that nobody knows: it reports the error and leaves after its current task.
function onStray(error: unknown): void {
  // Such as EPIPE, when nobody is left to read the output.
  if (loop.leaving) return
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
