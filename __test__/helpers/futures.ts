// Helpers of the tests of futures: futures in each state, rejections, warnings, garbage collection.

import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import vm from 'node:vm'
import { Future } from '../../src/futures/future.js'

/** Makes futures, one function for each state. */
export function running<T>(): Future<T> {
  const future = new Future<T>()
  future.setRunningOrNotifyCancel()
  return future
}

export function finished<T>(value: T): Future<T> {
  const future = new Future<T>()
  future.setResult(value)
  return future
}

export function failed(error: unknown): Future<never> {
  const future = new Future<never>()
  future.setException(error)
  return future
}

export function cancelled(): Future<never> {
  const future = new Future<never>()
  future.cancel()
  return future
}

/** The reason of a promise's rejection, which may be any value: in an object. */
export const rejection = async (promise: PromiseLike<unknown>): Promise<{ reason: unknown }> =>
  promise.then(
    () => {
      throw new Error('it was fulfilled')
    },
    (reason: unknown) => ({ reason }),
  )

/** The number of callbacks and waiters that a future holds. */
export function listenersOf(future: Future<unknown>): number {
  const { listeners } = future as unknown as { listeners: unknown }
  if (listeners === undefined) return 0
  return Array.isArray(listeners) ? listeners.length : 1
}

/** The number of timers that hold the event loop of this process. */
export function timersOf(): number {
  return process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length
}

/** The package's warnings that a function causes, also in the first turns after it. */
export async function collectWarnings(action: () => unknown): Promise<(Error & { cause?: unknown })[]> {
  const warnings: Error[] = []
  const listener = (warning: Error): void => {
    if (warning.name === 'MillraceWarning') warnings.push(warning)
  }
  // This takes the place of Node's own listener, which prints.
  const others = process.listeners('warning')
  process.removeAllListeners('warning').on('warning', listener)
  try {
    action()
    for (let round = 0; round < 5; round++) await turn()
  } finally {
    process.off('warning', listener)
    for (const other of others) process.on('warning', other)
  }
  return warnings
}

setFlagsFromString('--expose-gc')
const collect = vm.runInNewContext('gc') as () => void

/** Collects garbage until a condition holds. Only the test's own timeout limits it. */
export async function collectUntil(condition: () => boolean): Promise<void> {
  do {
    // A new job each time: the target of a WeakRef that was dereferenced lives until the job ends.
    await sleep(2)
    collect()
  } while (!condition())
}
