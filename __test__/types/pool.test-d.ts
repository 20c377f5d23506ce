// The types of `Pool` that a strict user's compiler has to accept, refuse and infer. Compiled by scripts/test-types.sh,
// never run.

import { expectTypeOf } from 'expect-type'
import { type AsyncResult, type ImapIterator, importTasks, Pool, type PoolStats } from 'millrace'
import type * as jobs from './jobs.js'

declare const pool: Pool
const repeat = (text: string, times: number): string => text.repeat(times)
const later = async (n: number): Promise<string[]> => [String(n)]

// Single calls: arguments are checked, and may be left out where there are none; promises are unwrapped.
expectTypeOf(pool.apply(repeat, ['x', 3])).toEqualTypeOf<Promise<string>>()
expectTypeOf(pool.apply(() => 1)).toEqualTypeOf<Promise<number>>()
expectTypeOf(pool.apply((n?: number) => n ?? 0)).toEqualTypeOf<Promise<number>>()
expectTypeOf(pool.applyAsync(later, [1])).toEqualTypeOf<AsyncResult<string[]>>()
expectTypeOf(pool.applyAsync(() => 1, [], { callback: (n) => n.toFixed() })).toEqualTypeOf<AsyncResult<number>>()
pool.applyAsync(later, [1], {
  callback: (texts) => expectTypeOf(texts).toEqualTypeOf<string[]>(),
  errorCallback: (error: Error) => error.message,
})
// @ts-expect-error an argument is missing
pool.apply(repeat, ['x'])
// @ts-expect-error arguments are missing
pool.apply(repeat)
// @ts-expect-error a string is no number
pool.applyAsync(later, ['1'])
// @ts-expect-error arguments are a list
pool.applyAsync(later, 1)
// @ts-expect-error no such option
pool.applyAsync(later, [1], { callBack: () => {} })

// Maps.
expectTypeOf(pool.map(later, [1, 2], 4)).toEqualTypeOf<Promise<string[][]>>()
expectTypeOf(pool.map(later, new Set([1]))).toEqualTypeOf<Promise<string[][]>>()
expectTypeOf(pool.mapAsync((n: number) => n, [1], { chunksize: 2 })).toEqualTypeOf<AsyncResult<number[]>>()
pool.mapAsync((n: number) => n, [1], { callback: (values) => expectTypeOf(values).toEqualTypeOf<number[]>() })
expectTypeOf(pool.starmap(repeat, [['x', 1]])).toEqualTypeOf<Promise<string[]>>()
expectTypeOf(pool.starmapAsync(repeat, new Set<[string, number]>())).toEqualTypeOf<AsyncResult<string[]>>()
declare const numbers: AsyncIterable<number>
// @ts-expect-error the items are strings
pool.map((n: number) => n, ['one'])
// @ts-expect-error an asynchronous input is for imap()
pool.map((n: number) => n, numbers)
// @ts-expect-error the second of the pair is a number
pool.starmap(repeat, [['x', 'y']])

// Iterators.
const iterator = pool.imap(later, numbers, { chunksize: 'auto', buffersize: 10 })
expectTypeOf(iterator).toEqualTypeOf<ImapIterator<string[]>>()
expectTypeOf(iterator.next({ timeout: 5 })).toEqualTypeOf<Promise<IteratorResult<string[], undefined>>>()
expectTypeOf(pool.imapUnordered((n: number) => n, [1])).toEqualTypeOf<ImapIterator<number>>()
for await (const texts of iterator) expectTypeOf(texts).toEqualTypeOf<string[]>()
pool.imap(later, [1], { timeout: 5, settle: false })
// @ts-expect-error the name of the method says the order
pool.imap(later, [1], { ordered: true })

// Results.
declare const result: AsyncResult<number>
expectTypeOf<Awaited<AsyncResult<number>>>().toEqualTypeOf<number>()
expectTypeOf(result.get({ timeout: 1 })).toEqualTypeOf<Promise<number>>()
expectTypeOf(result.wait({ timeout: 1 })).toEqualTypeOf<Promise<void>>()
expectTypeOf([result.ready(), result.successful()]).toEqualTypeOf<boolean[]>()
expectTypeOf(result.errors).toEqualTypeOf<readonly unknown[]>()
expectTypeOf(result.then((n) => String(n))).toEqualTypeOf<Promise<string>>()

// Tasks that are loaded in workers only.
const imported = importTasks<typeof jobs>('./jobs.js')
expectTypeOf(pool.apply(imported.parse, ['1'])).toEqualTypeOf<Promise<number>>()

// The pool.
new Pool()
new Pool(undefined, { initializer: later, initargs: [1], maxtasksperchild: 10, startMethod: 'spawn' })
new Pool(2, { initializer: repeat, initargs: ['x', 1] })
// @ts-expect-error the second argument is a number
new Pool(2, { initializer: repeat, initargs: ['x', 'y'] })
// @ts-expect-error arguments are missing
new Pool(2, { initializer: repeat })
new Pool(2, { maxQueue: 10, maxMemoryPerWorker: 2 ** 30, startTimeout: 1000, stdio: 'ignore', name: 'x', env: {} })
// @ts-expect-error a death never breaks a pool
new Pool(2, { onWorkerDeath: 'break' })
// @ts-expect-error a pool keeps all its workers
new Pool(2, { idleTimeout: 5 })
// @ts-expect-error no such option
new Pool(2, { maxTasksPerChild: 5 })
expectTypeOf(pool).toExtend<AsyncDisposable>()
expectTypeOf(pool.close()).toEqualTypeOf<void>()
expectTypeOf([pool.join(), pool.terminate(), pool.ready()]).toEqualTypeOf<Promise<void>[]>()
expectTypeOf(pool.stats()).toEqualTypeOf<PoolStats>()
expectTypeOf(pool.ref().unref().dumpState()).toEqualTypeOf<string>()
pool.on('workerExit', ({ pid }) => expectTypeOf(pid).toEqualTypeOf<number>())
// @ts-expect-error no such event
pool.on('workerLost', () => {})
