// The end of this process, or of this thread of it: workers leave with their owner.
//
// | the end | what happens |
// |---|---|
// | the event loop drains | idle workers are asked to leave, and the process waits for them |
// | `process.exit()`, an uncaught error | workers are killed and reaped, at once |
// | a signal without a handler, SIGKILL | nothing runs here: the workers' watchdogs see it |
// | a `worker_threads` thread ends | as `process.exit()`, by the addon's cleanup hook if the thread is terminated |

/** A pool with workers. */
export interface Owner {
  /** Asks idle workers to leave and holds the event loop until they have. */
  dismissIdle(): void
  /** Kills and reaps all workers. */
  killNow(): void
}

const owners = new Set<Owner>()
let watching = false
let ending = false

/** From now on the end is seen. Idempotent. */
export function watchForEnd(): void {
  if (watching) return
  watching = true
  process.on('beforeExit', () => {
    for (const one of owners) one.dismissIdle()
  })
  process.on('exit', () => {
    ending = true
    for (const one of owners) one.killNow()
  })
}

/** Whether workers have been killed because this process, or thread, ends: only its other 'exit' listeners still run. */
export function isEnding(): boolean {
  return ending
}

/** Has the owner's workers taken care of at the end. Idempotent. */
export function registerOwner(owner: Owner): void {
  owners.add(owner)
}

/** The owner has no workers any more. */
export function unregisterOwner(owner: Owner): void {
  owners.delete(owner)
}
