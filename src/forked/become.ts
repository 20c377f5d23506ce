// What a process does first that was just forked to be a worker.

import { readFileSync } from 'node:fs'
import process from 'node:process'

import { runWorker } from '../worker/run.js'
import { exitNatively } from './exit.js'
import { discardCaches } from './random.js'

/** What `ps` shows of a process can be no longer than the command line that it was started with. */
function showAs(title: string): void {
  if (Buffer.byteLength(title) < readFileSync('/proc/self/cmdline').length) process.title = title
}

/**
 * Makes this process a worker like one that was spawned, after `prepare`, which returns its title. If anything fails it ends: nothing else that is in its
 * memory is meant for it.
 *
 * @param inherits - Whether the modules that its parent has loaded, or is loading, are those of its tasks.
 */
export function becomeForked(
  forked: { argument: string; pid: number },
  inherits: boolean,
  prepare: () => string,
): void {
  Object.defineProperty(process, 'pid', { value: forked.pid, writable: false, enumerable: true, configurable: true })
  exitNatively()
  showAs(prepare())
  discardCaches()
  runWorker(forked.argument, inherits)
}
