// The first steps of a process that was just forked to be a worker.

import { builtin } from '../../util/builtins.js'
import { Buffer } from '../../util/globals.js'
import { exitNatively } from './exit.js'

/** Sets the title of this process in `ps`. A title longer than the command line of the start cannot be set. */
function showAs(title: string): void {
  const { readFileSync } = builtin('node:fs')
  if (Buffer.byteLength(title) < readFileSync('/proc/self/cmdline').length) process.title = title
}

/**
 * Makes this process end like a worker and, after `prepare`, which returns the title, look like one. `run` makes it a
 * worker. If anything fails, the process ends: nothing else in its memory is meant for it.
 */
export function becomeForked(
  forked: { argument: string; pid: number },
  prepare: () => string,
  run: (argument: string) => void,
): void {
  Object.defineProperty(process, 'pid', { value: forked.pid, writable: false, enumerable: true, configurable: true })
  exitNatively()
  showAs(prepare())
  run(forked.argument)
}
