// The end of this process, or of this thread: workers leave with their owner.
//
// | the end | what happens |
// |---|---|
// | the event loop is empty | idle workers are asked to leave, and the process waits for them |
// | `process.exit()`, an uncaught error | workers are killed and reaped at once |
// | a signal without a handler, SIGKILL | nothing runs here: the watchdogs of the workers see the end |
// | a `worker_threads` thread ends | as `process.exit()`; a terminated thread by the addon's cleanup hook |
//
// Each pool with workers is a finalizer, with the priority of Python's pools. So it has its place in the order of a
// user's finalizers.

import type { Entry } from '../finalizers/entry.js'
import { registry } from '../finalizers/registry.js'

/** A pool with workers. */
export interface Owner {
  /** Asks idle workers to leave, and holds the event loop until they have left. */
  dismissIdle(): void
  /** Kills and reaps all workers. */
  killNow(): void
  /** Kills all workers, takes no more calls, and settles the unfinished ones. */
  terminate(hard: boolean): void
}

/** Exit priority of the finalizers that end pools. */
export const EXIT_PRIORITY = 15

const owners = new Map<Owner, Entry>()
let watching = false

/**
 * `isNear`: an 'exit' listener may be running. False while that cannot be, which costs a call one look. Node itself
 * tells by `process._exiting`, but that look takes longer.
 */
export const end = { isNear: false }

let emitted = false

/** The first listener of 'exit', unless another one was put in front of it later. */
function noteExit(): void {
  emitted = end.isNear = true
}

/** A listener is being added. If it comes before {@link noteExit}, the end is near from now on. */
function lookWhoIsFirst(event: string | symbol): void {
  if (event !== 'exit') return
  end.isNear = true
  void Promise.resolve().then(() => {
    end.isNear = hasExited() || process.rawListeners('exit')[0] !== noteExit
  })
}

/** Whether 'exit' was emitted, or is being emitted, in this process or thread: no call would be answered any more. */
export function hasExited(): boolean {
  return emitted || registry.exiting || (process as { readonly _exiting?: boolean })._exiting === true
}

/** Begins to watch for the end. Idempotent. */
export function watchForEnd(): void {
  if (watching) return
  watching = true
  registry.watchExit()
  process.prependListener('exit', noteExit)
  process.on('newListener', lookWhoIsFirst)
  process.on('beforeExit', () => {
    for (const one of owners.keys()) one.dismissIdle()
  })
}

/**
 * Whether this process, or thread, is ending: its workers are being killed, and only 'exit' listeners and finalizers
 * still run.
 */
export function isEnding(): boolean {
  return registry.exiting
}

/** Registers an owner, whose workers then leave at the end. Idempotent. */
export function registerOwner(owner: Owner): void {
  if (owners.get(owner)?.active) return
  owners.set(owner, registry.add(null, endWorkers, [owner], EXIT_PRIORITY))
}

/** Removes an owner, which has no workers any more. */
export function unregisterOwner(owner: Owner): void {
  owners.get(owner)?.cancel()
  owners.delete(owner)
}

/** In a fork: forgets the owners, whose workers are the parent's. */
export function forgetOwners(): void {
  owners.clear()
  process.off('exit', noteExit)
  process.off('newListener', lookWhoIsFirst)
  watching = emitted = end.isNear = false
}

function endWorkers(owner: Owner): void {
  // In a pass that is not the exit's, the program goes on, so its calls must have outcomes.
  if (registry.exiting) owner.killNow()
  else owner.terminate(true)
}
