// What a process does first that was just forked to be a worker.

import { readFileSync } from 'node:fs'

import { exitNatively } from './exit.js'

/** What `ps` shows of a process can be no longer than the command line that it was started with. */
function showAs(title: string): void {
  if (Buffer.byteLength(title) < readFileSync('/proc/self/cmdline').length) process.title = title
}

/**
 * Has this process end like a worker, and look like one after `prepare`, which returns its title. `run` makes it one.
 * If anything fails it ends: nothing else that is in its memory is meant for it.
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
