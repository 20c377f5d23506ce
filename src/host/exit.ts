// The end of this process, or of this thread of it: workers leave with their owner.
//
// | the end | what happens |
// |---|---|
// | the event loop drains | idle workers are asked to leave, and the process waits for them |
// | `process.exit()`, an uncaught error | workers are killed and reaped, at once |
// | a signal without a handler, SIGKILL | nothing runs here: the workers' watchdogs see it |
// | a `worker_threads` thread ends | as `process.exit()`, by the addon's cleanup hook if the thread is terminated |
//
// Each pool with workers is a finalizer, at the priority of Python's pools: what users clean up around it is in order.

import { Finalize } from '../finalizers/index.js'
import { registry } from '../finalizers/registry.js'

/** A pool with workers. */
export interface Owner {
  /** Asks idle workers to leave and holds the event loop until they have. */
  dismissIdle(): void
  /** Kills and reaps all workers. */
  killNow(): void
  /** Kills all workers, takes no more calls, and settles those that there are. */
  terminate(hard: boolean): void
}

/** Of whatever ends pools. */
export const EXIT_PRIORITY = 15

const owners = new Map<Owner, Finalize<[Owner]>>()
let watching = false

/** From now on the end is seen. Idempotent. */
export function watchForEnd(): void {
  if (watching) return
  watching = true
  registry.watchExit()
  process.on('beforeExit', () => {
    for (const one of owners.keys()) one.dismissIdle()
  })
}

/**
 * Whether this process, or thread, ends: its workers are being killed, and only 'exit' listeners and finalizers still
 * run.
 */
export function isEnding(): boolean {
  return registry.exiting
}

/** Has the owner's workers taken care of at the end. Idempotent. */
export function registerOwner(owner: Owner): void {
  if (owners.get(owner)?.stillActive()) return
  owners.set(owner, new Finalize(null, endWorkers, { args: [owner], exitPriority: EXIT_PRIORITY }))
}

/** The owner has no workers any more. */
export function unregisterOwner(owner: Owner): void {
  owners.get(owner)?.cancel()
  owners.delete(owner)
}

/** In a fork: the workers are its parent's. */
export function forgetOwners(): void {
  owners.clear()
  watching = false
}

function endWorkers(owner: Owner): void {
  // A pass that is not the exit's: the program goes on, and its calls must have an outcome.
  if (registry.exiting) owner.killNow()
  else owner.terminate(true)
}
