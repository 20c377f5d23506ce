import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import vm from 'node:vm'
import { Future } from '../../src/futures/future.js'

/** Futures in each state. */
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

/** What a promise is rejected with, in an object: it may be anything. */
export const rejection = async (promise: PromiseLike<unknown>): Promise<{ reason: unknown }> =>
  promise.then(
    () => {
      throw new Error('it was fulfilled')
    },
    (reason: unknown) => ({ reason }),
  )

/** How many callbacks and waiters a future holds. */
export function listenersOf(future: Future<unknown>): number {
  const { listeners } = future as unknown as { listeners: unknown }
  if (listeners === undefined) return 0
  return Array.isArray(listeners) ? listeners.length : 1
}

/** How many timers hold the event loop of this process. */
export function timersOf(): number {
  return process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length
}

/** The warnings of this package that a function causes, its asynchronous part of a few turns included. */
export async function collectWarnings(action: () => unknown): Promise<(Error & { cause?: unknown })[]> {
  const warnings: Error[] = []
  const listener = (warning: Error): void => {
    if (warning.name === 'MillraceWarning') warnings.push(warning)
  }
  // In the place of Node's own listener, which prints.
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

/** Collects garbage until a condition holds; the test's own timeout is the limit. */
export async function collectUntil(condition: () => boolean): Promise<void> {
  do {
    // A new job each time: what a WeakRef was asked for lives until its job ends.
    await sleep(2)
    collect()
  } while (!condition())
}
