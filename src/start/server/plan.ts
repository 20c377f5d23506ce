// What a fork server is told, in the last argument of its command line.

/** The options of a Node process that can be forked: V8 does its work on the main thread. They come last. */
export const FORKABLE: readonly string[] = ['--single-threaded', '--v8-pool-size=1']

/** How the argument begins. */
const PREFIX = 'millrace-server:'

export interface ServerPlan {
  /** Modules to load, in this order. */
  preload: string[]
  /** How deep the pools of its workers are nested. */
  depth: number
  /** The program that workers see themselves run. */
  workerEntry: string
}

export function serverArgument(plan: ServerPlan): string {
  return PREFIX + JSON.stringify(plan)
}

/** @throws Error for an argument that no pool has written. */
export function planOf(argument: string | undefined): ServerPlan {
  if (argument?.startsWith(PREFIX) !== true) {
    throw new Error('this is the entry of a Millrace fork server: it is started by a pool, not by hand')
  }
  return JSON.parse(argument.slice(PREFIX.length)) as ServerPlan
}
