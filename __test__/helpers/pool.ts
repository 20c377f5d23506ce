// Executors for tests, and helpers for their calls.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { type Future, ProcessPoolExecutor, type ProcessPoolEvents, type ProcessPoolOptions } from 'millrace'
import { tasks } from '../fixtures/basic.mjs'
import { startMethod } from './start-method.mjs'
import { until, within } from './waiting.js'

/**
 * Makes a pool that is ended after the test. Its workers are plain Node: with the options of this process each of them
 * would load the TypeScript loader first.
 */
export function makePool(t: ExecutionContext, options: ProcessPoolOptions = {}): ProcessPoolExecutor {
  const pool = new ProcessPoolExecutor({ maxWorkers: 2, execArgv: [], startMethod, ...options })
  t.teardown(() => dispose(pool))
  return pool
}

/** Ends a pool, whatever a failed test has left in it. */
export async function dispose(pool: ProcessPoolExecutor): Promise<void> {
  const shutdown = pool.shutdown({ cancelFutures: true, timeout: 3000, kill: true })
  await within('shutting the pool down after the test', shutdown, () => pool.dumpState())
}

/** Makes a directory that is removed after the test. */
export function tempDirectory(t: ExecutionContext): string {
  const path = mkdtempSync(join(tmpdir(), 'millrace-test-'))
  t.teardown(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** A gate for which tasks wait and which the test opens: a file that exists while the gate is shut. */
export class Gate {
  readonly path: string

  constructor(t: ExecutionContext) {
    this.path = join(tempDirectory(t), 'gate')
    writeFileSync(this.path, '')
  }

  open(): void {
    rmSync(this.path, { force: true })
  }
}

/** A file to which tasks append lines. */
export class Log {
  readonly path: string

  constructor(t: ExecutionContext) {
    this.path = join(tempDirectory(t), 'log')
  }

  get lines(): string[] {
    return existsSync(this.path) ? readFileSync(this.path, 'utf8').split('\n').slice(0, -1) : []
  }
}

/** The error of a future that has to fail. */
export async function failureOf(future: Future<unknown>): Promise<unknown> {
  const error = await within(`the failure of ${String(future)}`, future.exception())
  if (future.outcome !== 'error') throw new Error(`${String(future)} should have failed`)
  return error
}

/** Waits until a worker has claimed each call. */
export async function claimed(...futures: Future<unknown>[]): Promise<void> {
  for (const future of futures) {
    await until(`${String(future)} to be claimed`, () => {
      if (future.done()) throw new Error(`${String(future)} is over already`)
      return future.running()
    })
  }
}

/** Has a pool of two workers start both, and waits until both are idle. */
export async function startBoth(t: ExecutionContext, pool: ProcessPoolExecutor): Promise<void> {
  const gate = new Gate(t)
  const held = [pool.submit(tasks.hold, gate.path, 0), pool.submit(tasks.hold, gate.path, 1)]
  await claimed(...held)
  gate.open()
  await Promise.all(held)
  await until('both workers to be idle', () => pool.stats().idle === 2)
}

/** Records all events of one name, as they come. */
export function record<K extends keyof ProcessPoolEvents>(
  pool: ProcessPoolExecutor,
  name: K,
): ProcessPoolEvents[K][0][] {
  const events: ProcessPoolEvents[K][0][] = []
  pool.on(name, (...args) => events.push(args[0] as ProcessPoolEvents[K][0]))
  return events
}
