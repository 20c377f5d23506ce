// `Pool`s for tests, and helpers for their results. Executors are in `pool.ts`.

import type { ExecutionContext } from 'ava'
import { type AsyncResult, Pool, type PoolOptions } from 'millrace'
import { startMethod } from './start-method.mjs'
import { until, within } from './waiting.js'

/** Makes a pool that is ended after the test, whatever a failed test has left in it. */
export function startPool(t: ExecutionContext, processes = 2, options: PoolOptions = {}): Pool {
  const pool = new Pool(processes, { execArgv: [], startMethod, ...options })
  t.teardown(() => within('terminating the pool after the test', pool.terminate(), () => pool.dumpState()))
  return pool
}

/** Closes a pool and waits until its workers are gone. */
export async function finish(pool: Pool): Promise<void> {
  pool.close()
  await within('the end of the pool', pool.join(), () => pool.dumpState())
}

/** The error of a result that has to fail. */
export async function failureOf(result: AsyncResult<unknown>): Promise<any> {
  await within(`the failure of ${result}`, result.wait())
  if (result.successful()) throw new Error(`${result} should have failed`)
  return result.get().catch((error: unknown) => error)
}

/** The reason of a promise that has to reject. */
export async function rejection(promise: PromiseLike<unknown>): Promise<any> {
  try {
    await within('a rejection', promise)
  } catch (error) {
    return error
  }
  throw new Error('It should have rejected')
}

/** Waits until all workers are idle. Returns their process ids. */
export async function allIdle(pool: Pool, processes: number): Promise<number[]> {
  await until(
    'all workers to be idle',
    () => pool.stats().idle === processes,
    () => pool.dumpState(),
  )
  return pool.stats().workers.map(({ pid }) => pid)
}
