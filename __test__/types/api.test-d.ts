// What a strict user's compiler has to accept, refuse and infer. Compiled by scripts/test-types.sh, never run.

import { expectTypeOf } from 'expect-type'
import {
  asCompleted,
  defineTasks,
  type Executor,
  Future,
  importTasks,
  ProcessPoolExecutor,
  type SerializationError,
  wait,
  type WorkerDiedError,
} from 'millrace'
import type * as jobs from './jobs.js'

declare const pool: ProcessPoolExecutor
declare const executor: Executor

// Calls: arguments are checked, promises unwrapped.
expectTypeOf(pool.submit((a: number, b: string) => b.repeat(a), 3, 'x')).toEqualTypeOf<Future<string>>()
expectTypeOf(pool.submit(async (n: number) => [n], 1)).toEqualTypeOf<Future<number[]>>()
expectTypeOf(executor.submit(() => 1)).toEqualTypeOf<Future<number>>()
expectTypeOf(pool.run((a: number, b: string) => b.repeat(a), [3, 'x'], { timeout: 100 })).toEqualTypeOf<
  Future<string>
>()
// @ts-expect-error a string is no number
pool.submit((n: number) => n, 'one')
// @ts-expect-error an argument is missing
pool.submit((a: number, b: number) => a + b, 1)
// @ts-expect-error an argument is missing
pool.run((a: number, b: number) => a + b, [1])

// Many calls.
const mapped = pool.map(async (n: number) => String(n), [1, 2])
expectTypeOf(mapped[Symbol.asyncIterator]().next()).resolves.toExtend<IteratorResult<string>>()
pool.map((n: number) => n, new Set([1]), { chunksize: 'auto', buffersize: 4, ordered: false })
declare const numbers: AsyncIterable<number>
pool.map((n: number) => n, numbers)
pool.starmap((a: number, b: string) => b.repeat(a), [[1, 'x']])
// @ts-expect-error the items are strings
pool.map((n: number) => n, ['one'])
// @ts-expect-error no such chunk size
pool.map((n: number) => n, [1], { chunksize: 'some' })
// @ts-expect-error the second of the pair is a number
pool.starmap((a: number, b: string) => b.repeat(a), [[1, 2]])

// Tasks keep their types.
const { double } = defineTasks(import.meta.url, { double: (n: number) => n * 2 })
expectTypeOf(double).toEqualTypeOf<(n: number) => number>()
const imported = importTasks<typeof jobs>('./jobs.js')
expectTypeOf(pool.submit(imported.parse, '1')).toEqualTypeOf<Future<number>>()
expectTypeOf(pool.submit(imported.default, 1n)).toEqualTypeOf<Future<bigint>>()
// @ts-expect-error an export that is no function is no task
imported.limit // oxlint-disable-line no-unused-expressions

// Futures.
declare const future: Future<number>
expectTypeOf<Awaited<Future<number>>>().toEqualTypeOf<number>()
expectTypeOf(future.result({ timeout: 1 })).toEqualTypeOf<Promise<number>>()
expectTypeOf(future.exception()).toEqualTypeOf<Promise<unknown>>()
expectTypeOf(future.resultSync()).toEqualTypeOf<number>()
expectTypeOf(future.then((n) => String(n))).toExtend<PromiseLike<string>>()
expectTypeOf(future.state).toEqualTypeOf<'pending' | 'running' | 'cancelled' | 'finished'>()
future.addDoneCallback((done) => expectTypeOf(done).toEqualTypeOf<Future<number>>())
new Future<string>().setResult('x')
// @ts-expect-error a future of strings takes a string
new Future<string>().setResult(1)

expectTypeOf(wait([future])).resolves.toExtend<{ done: Set<Future<number>>; notDone: Set<Future<number>> }>()
expectTypeOf(asCompleted([future]).next()).resolves.toExtend<IteratorResult<Future<number>>>()
// @ts-expect-error no such condition
wait([future], { returnWhen: 'SOME' })

// Executors.
new ProcessPoolExecutor({ maxWorkers: 2, initializer: double, initargs: [1], onWorkerDeath: 'isolate' })
// @ts-expect-error no such option
new ProcessPoolExecutor({ maxWorker: 2 })
// @ts-expect-error no such start method
new ProcessPoolExecutor({ startMethod: 'thread' })
expectTypeOf(pool).toExtend<AsyncDisposable>()
expectTypeOf(pool.shutdown({ wait: true, cancelFutures: true, timeout: 1, kill: true })).toEqualTypeOf<Promise<void>>()
pool.on('workerExit', ({ exitCode, signal }) => {
  expectTypeOf(exitCode).toEqualTypeOf<number | null>()
  expectTypeOf(signal).toEqualTypeOf<NodeJS.Signals | null>()
})
// @ts-expect-error no such event
pool.on('workerLost', () => {})

// Errors.
declare const refused: SerializationError
expectTypeOf(refused).toExtend<Error & { code: string }>()
expectTypeOf(refused.stage).toEqualTypeOf<'arguments' | 'result'>()
declare const died: WorkerDiedError
expectTypeOf(died.pid).toEqualTypeOf<number>()
