// What a process does first that was just forked to be a worker.

import process from 'node:process'

import { runWorker } from '../worker/run.js'
import { exitNatively } from './exit.js'
import { discardCaches } from './random.js'

/**
 * Makes this process a worker like one that was spawned, after `prepare`. If anything fails it ends: nothing else that is in its
 * memory is meant for it.
 *
 * @param inherits - Whether the modules that its parent has loaded, or is loading, are those of its tasks.
 */
export function becomeForked(forked: { argument: string; pid: number }, inherits: boolean, prepare: () => void): void {
  Object.defineProperty(process, 'pid', { value: forked.pid, writable: false, enumerable: true, configurable: true })
  exitNatively()
  prepare()
  discardCaches()
  runWorker(forked.argument, inherits)
}
