// Whether this process is on its way to the entry of a worker: a pool has started it, and its entry has not run yet.
//
// Such a process must start no workers. It may be running something else in place of the entry: a program that is its
// own executable, or a wrapper that runs the program again whatever its arguments are. There each worker would make a
// pool, whose workers would make pools. Modules that `--import` and `--require` name also run before the entry.
//
// A pool leaves three marks on a process that it starts: a variable, the last argument, and a descriptor. A wrapper may
// keep any of them from the program. One that arrives is enough.

import { native } from '../native/index.js'
import { builtin } from '../util/builtins.js'
import { ownVariable } from '../util/variables.js'

/** The variable: `DEPTH:FOLDER`, the level of nested pools that the process has, and the folder of the entries. */
export const ENTRY_VARIABLE = 'MILLRACE_ENTRY'

/** The last argument of a worker, or of a fork server. */
const ARGUMENT = /^millrace(?::\d+:\d+:\d+:\d+$|-server:\{)/

/** Whether variable or argument say that a pool has started this process as a worker or fork server. */
export function isStarting(): boolean {
  return variable() !== undefined || ARGUMENT.test(process.argv.at(-1) ?? '')
}

/**
 * Whether a mark is there. A thread looks at those of its process: it may have an environment and arguments of its own,
 * or copies from before the entry.
 */
export function hasMarks(): boolean {
  if (isMainThread()) return isStarting() || hasLane()
  const { value, args } = processMarks()
  return value !== '' || ARGUMENT.test(args.at(-1) ?? '')
}

/** The level of nested pools of a process before its entry; 0 if unknown. */
export function depthBeforeEntry(): number {
  return Number.parseInt(variable() ?? '', 10) || 0
}

/** Whether this process is about to run an entry. `folder` has the entries of this copy of the package. */
export function leadsToEntry(folder: string): boolean {
  const expected = /^\d+:(.+)$/s.exec(variable() ?? '')?.[1] ?? folder
  // A thread does not know which argument is the script.
  const scripts = isMainThread() ? process.argv.slice(1, 2) : processMarks().args
  return scripts.some((script) => script.startsWith(expected))
}

/** To be called first of all in an entry. What the worker starts itself has no marks then. */
export function arriveAtEntry(): void {
  delete process.env[ENTRY_VARIABLE]
  native.arriveAtEntry()
}

function variable(): string | undefined {
  return ownVariable(process.env, ENTRY_VARIABLE)
}

function processMarks(): { value: string; args: string[] } {
  const [value = '', ...args] = native.processMarks(ENTRY_VARIABLE)
  return { value, args }
}

function isMainThread(): boolean {
  return builtin('node:worker_threads').isMainThread
}

/** The descriptors of a worker's lane, and of a fork server's mark. */
const LANE_FD = 3
const MARK_FD = 5

// All copies of the package share the answer. Later the descriptor may be one of a pool of this process.
const laneSymbol = Symbol.for('millrace.lane')
const found = globalThis as { [laneSymbol]?: boolean }

/**
 * Whether a descriptor is there that a pool gives to what it starts: shared memory of Millrace. An entry takes it away.
 * Only on Linux, and in the main thread: another thread may find a pool of this process.
 */
function hasLane(): boolean {
  return (found[laneSymbol] ??= process.platform === 'linux' && [LANE_FD, MARK_FD].some(isLane))
}

function isLane(fd: number): boolean {
  try {
    return /^\/(?:memfd:millrace |dev\/shm\/millrace-)/.test(builtin('node:fs').readlinkSync(`/proc/self/fd/${fd}`))
  } catch {
    return false
  }
}
