// The plan of a fork server: the last argument of its command line.

/** The options of a Node process that can be forked: V8 works on the main thread only. They come last. */
export const FORKABLE: readonly string[] = ['--single-threaded', '--v8-pool-size=1']

/** The beginning of the argument. */
const PREFIX = 'millrace-server:'

export interface ServerPlan {
  /** Modules to load, in this order. */
  preload: string[]
  /** The level of nested pools that the server's workers have. */
  depth: number
  /** The program that the workers see as their own. */
  workerEntry: string
}

export function serverArgument(plan: ServerPlan): string {
  return PREFIX + JSON.stringify(plan)
}

/** @throws Error for an argument that no pool has made. */
export function planOf(argument: string | undefined): ServerPlan {
  if (argument?.startsWith(PREFIX) !== true) {
    throw new Error('this is the entry of a Millrace fork server: it is started by a pool, not by hand')
  }
  return JSON.parse(argument.slice(PREFIX.length)) as ServerPlan
}
