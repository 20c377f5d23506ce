// The types that a strict user's compiler has to accept, refuse and infer. Compiled by scripts/test-types.sh, never
// run.

import type { Duplex } from 'node:stream'
import { expectTypeOf } from 'expect-type'
import {
  asCompleted,
  defineTasks,
  type Executor,
  Finalize,
  forkSafety,
  Future,
  getAllStartMethods,
  getContext,
  getStartMethod,
  importTasks,
  type Pool,
  ProcessPoolExecutor,
  type ProcessPoolOptions,
  type RetryOptions,
  runFinalizers,
  runFinalizersAsync,
  type SerializationError,
  setStartMethod,
  type StartMethod,
  wait,
  type WorkerDiedError,
} from 'millrace'
import { transform } from 'millrace/streams'
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

// Arguments may be left out where the function needs none.
expectTypeOf(pool.run(() => 1)).toEqualTypeOf<Future<number>>()
expectTypeOf(pool.run(async (n?: string) => n ?? '')).toEqualTypeOf<Future<string>>()
pool.run(() => 1, [], { timeout: 100 })
pool.run(() => 1, undefined, { timeout: 100 })
// @ts-expect-error the argument is missing
pool.run((n: number) => n)
declare function pick<T>(name: string, value: T): T
expectTypeOf(pool.run(pick, ['a', 1n])).toEqualTypeOf<Future<bigint>>()
// @ts-expect-error options come behind the arguments
pool.run(() => 1, { timeout: 100 })

const retries: RetryOptions = { limit: 3, delay: 100, when: (error, attempt) => error instanceof Error && attempt < 2 }
expectTypeOf(pool.run((n: number) => n, [1], { retries, label: 'one' })).toEqualTypeOf<Future<number>>()
// @ts-expect-error the limit is missing
pool.run((n: number) => n, [1], { retries: { delay: 100 } })

// Waits.
const { signal } = new AbortController()
expectTypeOf(pool.ready({ signal })).toEqualTypeOf<Promise<void>>()
expectTypeOf(pool.submit(() => 1).result({ signal, timeout: 5 })).toEqualTypeOf<Promise<number>>()
// @ts-expect-error a blocked thread aborts nothing
pool.submit(() => 1).resultSync({ signal })

// Streams.
declare const processes: Pool
expectTypeOf(transform(pool, (n: number) => n, { ordered: false, highWaterMark: 4 })).toEqualTypeOf<Duplex>()
expectTypeOf(transform(executor, (n: number) => n)).toEqualTypeOf<Duplex>()
transform(processes, (line: string) => line.length, {
  deadLetter: ({ item, index, reason }) => {
    expectTypeOf(item).toEqualTypeOf<string>()
    expectTypeOf(index).toEqualTypeOf<number>()
    throw reason
  },
})
// @ts-expect-error a number has no map
transform(7, (n: number) => n)

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
const generic = <T>(value: T): T[] => [value]
const { wrap, first, named } = defineTasks(import.meta.url, {
  wrap: generic,
  first: <T>(values: T[]): T | undefined => values[0],
  async named<K extends string>(this: void, name: K, optional?: number) {
    return [name, optional] as const
  },
})
expectTypeOf(wrap(1)).toEqualTypeOf<number[]>()
expectTypeOf(first(['x'])).toEqualTypeOf<string | undefined>()
expectTypeOf(pool.submit(first, [1])).toEqualTypeOf<Future<number | undefined>>()
expectTypeOf(pool.submit(wrap<string>, 'x')).toEqualTypeOf<Future<string[]>>()
expectTypeOf(pool.submit(named, 'a' as const)).toEqualTypeOf<Future<readonly ['a', number | undefined]>>()
const together = defineTasks(import.meta.url, { wrap: generic, first: <T>(values: T[]): T | undefined => values[0] })
expectTypeOf(together.wrap(1)).toEqualTypeOf<number[]>()
expectTypeOf(together.first(['x'])).toEqualTypeOf<string | undefined>()
// @ts-expect-error a number is no function
defineTasks(import.meta.url, { limit: 7 })
// @ts-expect-error a class is no function that can be called
defineTasks(import.meta.url, { row: class {} })
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
const open = (path: string, flags?: number) => path.length + (flags ?? 0)
const add = (...numbers: number[]) => numbers.length
new ProcessPoolExecutor({ initializer: open, initargs: ['a'] })
new ProcessPoolExecutor({ initializer: open, initargs: ['a', 1] as const })
new ProcessPoolExecutor({ initializer: add })
new ProcessPoolExecutor({ initializer: async () => {} })
new ProcessPoolExecutor({ initializer: generic, initargs: [1] })
const options: ProcessPoolOptions = { initializer: open, initargs: ['a'], maxWorkers: 2 }
new ProcessPoolExecutor({ ...options, maxWorkers: 3 })
expectTypeOf(new ProcessPoolExecutor({ initializer: open, initargs: ['a'] })).toExtend<ProcessPoolExecutor>()
expectTypeOf<ProcessPoolExecutor>().toExtend<ProcessPoolExecutor<[number]>>()
// @ts-expect-error a number is no path
new ProcessPoolExecutor({ initializer: open, initargs: [1] })
// @ts-expect-error the path is missing
new ProcessPoolExecutor({ initializer: open })
// @ts-expect-error the path is missing
new ProcessPoolExecutor({ initializer: open, initargs: [] })
// @ts-expect-error one argument too many
new ProcessPoolExecutor({ initializer: open, initargs: ['a', 1, 2] })
// @ts-expect-error a number is no path, also where the variable has a type
const typed: ProcessPoolExecutor = new ProcessPoolExecutor({ initializer: open, initargs: [1] })
// @ts-expect-error the path is missing
new (getContext().ProcessPoolExecutor)({ initializer: open })
void typed
// @ts-expect-error no such option
new ProcessPoolExecutor({ maxWorker: 2 })
// @ts-expect-error no such start method
new ProcessPoolExecutor({ startMethod: 'thread' })
expectTypeOf(pool).toExtend<AsyncDisposable>()

// Start methods.
expectTypeOf(getStartMethod()).toEqualTypeOf<'spawn' | 'forkserver' | 'fork'>()
expectTypeOf(getAllStartMethods()).toEqualTypeOf<StartMethod[]>()
expectTypeOf(forkSafety()).toEqualTypeOf<{ safe: boolean; reasons: string[] }>()
setStartMethod('forkserver', { force: true })
// @ts-expect-error no such start method
setStartMethod('thread')
// @ts-expect-error no such start method
getContext('thread')
expectTypeOf(new (getContext('spawn').ProcessPoolExecutor)({ maxWorkers: 1 })).toEqualTypeOf<ProcessPoolExecutor>()
expectTypeOf(new (getContext().Pool)(2, { maxtasksperchild: 1 })).toEqualTypeOf<Pool>()

expectTypeOf(pool.shutdown({ wait: true, cancelFutures: true, timeout: 1, kill: true })).toEqualTypeOf<Promise<void>>()
pool.on('workerExit', ({ exitCode, signal }) => {
  expectTypeOf(exitCode).toEqualTypeOf<number | null>()
  expectTypeOf(signal).toEqualTypeOf<NodeJS.Signals | null>()
})
// @ts-expect-error no such event
pool.on('workerLost', () => {})

// Finalizers: the arguments are those of the callback, and without an object there is a priority.
declare const held: object
declare const perhaps: object | null
const tidy = (path: string, force?: boolean) => path.length > 0 || force
expectTypeOf(new Finalize(held, tidy, { args: ['a'] }).call()).toEqualTypeOf<boolean | undefined>()
expectTypeOf(new Finalize(null, () => 1, { exitPriority: 0 }).call()).toEqualTypeOf<number | undefined>()
expectTypeOf(new Finalize(held, async () => 'x').call()).toEqualTypeOf<Promise<string> | undefined>()
new Finalize(held, (...all: number[]) => all)
new Finalize(held, () => {}, { exitPriority: 1 })
new Finalize(() => {}, tidy, { args: ['a', true], exitPriority: -100 })
new Finalize(null, tidy, { args: ['a'] as const, exitPriority: 0 })
new Finalize(perhaps, tidy, { args: ['a'], exitPriority: 0 })
// @ts-expect-error the path is missing
new Finalize(held, tidy)
// @ts-expect-error the path is missing
new Finalize(held, tidy, { exitPriority: 1 })
// @ts-expect-error a number is no path
new Finalize(held, tidy, { args: [1] })
// @ts-expect-error one argument too many
new Finalize(held, tidy, { args: ['a', true, 1] })
// @ts-expect-error without an object there has to be a priority
new Finalize(null, () => {})
// @ts-expect-error perhaps there is no object
new Finalize(perhaps, () => {}, {})
// @ts-expect-error a symbol is no object
new Finalize(Symbol(), () => {}, { exitPriority: 1 })
// @ts-expect-error no such option
new Finalize(held, () => {}, { priority: 1 })
const finalizer: Finalize<[string, boolean?], unknown> = new Finalize(held, tidy, { args: ['a'] })
expectTypeOf(finalizer.stillActive()).toEqualTypeOf<boolean>()
expectTypeOf(finalizer.cancel()).toEqualTypeOf<void>()
expectTypeOf(runFinalizers(0)).toEqualTypeOf<void>()
expectTypeOf(runFinalizersAsync()).toEqualTypeOf<Promise<void>>()
// @ts-expect-error a priority is a number
runFinalizers('all')

// Errors.
declare const refused: SerializationError
expectTypeOf(refused).toExtend<Error & { code: string }>()
expectTypeOf(refused.stage).toEqualTypeOf<'arguments' | 'result'>()
declare const died: WorkerDiedError
expectTypeOf(died.pid).toEqualTypeOf<number>()
