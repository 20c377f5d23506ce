// Chunks that are ended in the middle: by time limits, by the end of the pool, for want of room.

import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { type ProcessPoolOptions, TaskTimeoutError, WorkerTerminatedError } from 'millrace'
import { tasks as late } from './fixtures/loads-late.mjs'
import { runHost } from './helpers/hosts.js'
import { makePool } from './helpers/pool.js'

type Outcomes = (unknown | Error)[]

/** The outcomes of the next items: values, and errors that were thrown. */
async function outcomes(results: AsyncIterator<unknown>, count: number): Promise<Outcomes> {
  const all: Outcomes = []
  while (all.length < count) {
    all.push(
      await results.next().then(
        ({ value }) => value as unknown,
        (error: Error) => error,
      ),
    )
  }
  return all
}

function isolated(t: ExecutionContext, options: ProcessPoolOptions = {}) {
  return makePool(t, { maxWorkers: 1, onWorkerDeath: 'isolate', ...options })
}

test('an item that runs for too long fails alone, whether it is the first of its chunk, the last or any', async (t) => {
  const pool = isolated(t)
  const loops = (isLong: boolean): boolean => {
    if (isLong) for (;;);
    return isLong
  }
  const long = [true, false, true, true, false, true]
  const all = await outcomes(pool.map(loops, long, { chunksize: 6, taskTimeout: 1500 }), 6)
  for (const [index, outcome] of all.entries()) {
    if (long[index]) t.true(outcome instanceof TaskTimeoutError, `${index}: ${String(outcome)}`)
    else t.false(outcome)
  }
})

test('a worker that does not come to a chunk in time costs one item', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-late-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  const env = { ...process.env, MILLRACE_TEST_FIRST: join(directory, 'first') }
  const pool = isolated(t, { env })
  const all = await outcomes(pool.map(late.same, [0, 1, 2, 3], { chunksize: 4, taskTimeout: 5000 }), 4)
  t.true(all[0] instanceof TaskTimeoutError)
  t.deepEqual(all.slice(1), [1, 2, 3])
})

for (const method of ['terminateWorkers', 'killWorkers'] as const) {
  test(`${method}() delivers what a running chunk has finished, and fails the item that runs`, async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-end-'))
    t.teardown(() => rmSync(directory, { recursive: true }))
    const flag = join(directory, 'runs')
    const pool = isolated(t)
    const task = async ([n, path]: [number, string]): Promise<number> => {
      if (n === 2) {
        const { writeFileSync } = await import('node:fs')
        writeFileSync(path, '')
        await new Promise((resolve) => setTimeout(resolve, 2 ** 31 - 1))
      }
      return n
    }
    const items = Array.from({ length: 5 }, (_, n): [number, string] => [n, flag])
    const results = pool.map(task, items, { chunksize: 5 })
    while (!existsSync(flag)) await new Promise((resolve) => setTimeout(resolve, 5))
    const ended = pool[method]()
    const all = await outcomes(results, 5)
    await ended
    t.deepEqual(all.slice(0, 2), [0, 1])
    t.true(all[2] instanceof WorkerTerminatedError, String(all[2]))
    for (const outcome of all.slice(3)) t.true(outcome instanceof Error, 'an item that did not run has a value')
  })
}

test('outcomes of a chunk that are together larger than a lane come in several answers, one too large fails', async (t) => {
  const said = await runHost<{ lengths: number[]; tooLarge: string }>(t, 'small-lanes', {}, { fileKilobytes: 2000 })
  t.deepEqual(
    said.lengths,
    Array.from({ length: 60 }, (_, n) => (n === 30 ? -1 : 20_000 + n)),
  )
  t.regex(said.tooLarge, /^SerializationError: The result of \d+ bytes is more than a lane can hold/)
})

test('process.exit() in an item is the outcome of that item alone', async (t) => {
  const pool = isolated(t)
  const task = (n: number): number | Promise<number> => {
    if (n !== 3) return n
    return new Promise(() => {
      setTimeout(() => process.exit(7), 5)
    })
  }
  const all = await outcomes(pool.map(task, [0, 1, 2, 3, 4, 5], { chunksize: 6 }), 6)
  t.is((all[3] as { exitCode?: number }).exitCode, 7)
  t.deepEqual(
    all.filter((_, n) => n !== 3),
    [0, 1, 2, 4, 5],
  )
})
