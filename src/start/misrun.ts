// Misruns: processes that a pool has started as workers, and that run a program in place of the worker's entry.

import { UnsupportedPlatformError } from '../errors/index.js'
import { native } from '../native/index.js'
import { entryFolder } from '../paths.js'
import { isBeforeEntry } from '../tasks/context.js'
import { leadsToEntry } from '../tasks/entry.js'
import { builtin } from '../util/builtins.js'

/** The exit code of a misrun: by this the host knows what became of its worker. */
export const MISRUN = 87

/**
 * Ends this process if it is a misrun: its program must do its work once only, and make no pools. Not so before the
 * entry of a worker: a module that `--import` names may make a pool for later.
 */
export function endMisrun(): void {
  if (!isBeforeEntry() || leadsToEntry(entryFolder())) return
  try {
    builtin('node:fs').writeSync(2, `${misrunText(process.pid, process.execPath)}\n`)
  } catch {
    // Nobody reads the output.
  }
  // Not `process.exit()`: that runs listeners of the program, and in a thread it ends only the thread.
  native.exitNow(MISRUN)
}

/** What has happened, and what helps. */
function misrunText(pid: number, program: string): string {
  return (
    `By ${program} Millrace has started process ${pid} as a worker, and the process ran a program that makes a pool. ` +
    'That executable does not run the script that it is given, as Node does. ' +
    'Give the path of a Node executable by the option execPath'
  )
}

/** The error of a pool that is used before the entry of this worker has run. */
export function refusalBeforeEntry(): UnsupportedPlatformError {
  return new UnsupportedPlatformError(
    'A pool is used in a process that was started as a worker and has not become one: each worker would start ' +
      'workers of its own. A module that --import or --require names must not use a pool if `isWorker` is true; ' +
      'with --eval and the like there can be no workers',
    { missing: ['a process that is no worker yet'] },
  )
}

/** The error of a pool whose workers ran a program in place of their entry. */
export function misrunError(pid: number, program: string): UnsupportedPlatformError {
  return new UnsupportedPlatformError(misrunText(pid, program), { missing: ['a Node executable'] })
}
