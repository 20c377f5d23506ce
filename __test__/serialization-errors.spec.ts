// The stages of a call at which a value cannot be encoded or decoded: only that call fails.

import { type Future, SerializationError, TaskExitError, WorkerDiedError } from 'millrace'
import { tasks } from './fixtures/basic.mjs'
import { uncloneable } from './fixtures/uncloneable.mjs'
import { test } from './helpers/leaks.js'
import { childrenOf } from './helpers/processes.mjs'
import { failureOf, makePool } from './helpers/pool.js'

const throwing = {
  deep: {
    get bad(): never {
      throw new RangeError('from the getter')
    },
  },
}

const refusedArguments: [title: string, args: unknown[], path: string][] = [
  ['a function', [() => 1], 'args[0]'],
  ['a symbol', [1, Symbol('no')], 'args[1]'],
  ['a function deep inside', [{ rows: [0, 1, 2, { fn: () => 1 }] }], 'args[0].rows[3].fn'],
  ['a promise', [{ later: Promise.resolve() }], 'args[0].later'],
  ['a proxy', [[new Proxy({}, {})]], 'args[0][0]'],
  ['a WeakMap', [{ cache: new WeakMap() }], 'args[0].cache'],
  ['a WeakRef', [new WeakRef({})], 'args[0]'],
  ['a key that is no identifier', [{ 'a-b': { 7: () => 1 } }], 'args[0]["a-b"][7]'],
  ['a getter that throws', [throwing], 'args[0].deep.bad'],
]

for (const [title, args, path] of refusedArguments) {
  test(`A. arguments with ${title} fail that future, with the path, and start no worker`, async (t) => {
    const pool = makePool(t, { maxWorkers: 1 })
    for (const submit of [
      () => pool.submit(tasks.identity, ...(args as [unknown])),
      () => pool.run(tasks.identity, args as [unknown]),
    ]) {
      const future: Future<unknown> = submit()
      t.true(future.done())
      const error = (await failureOf(future)) as SerializationError
      t.true(error instanceof SerializationError, String(error))
      t.is(error.code, 'ERR_MILLRACE_SERIALIZATION')
      t.deepEqual([error.stage, error.path], ['arguments', path])
      t.true(error.message.includes(path), error.message)
    }
    t.deepEqual(childrenOf(), [])
    t.deepEqual([pool.stats().queued, pool.stats().failed], [0, 2])
    t.is(await pool.submit(tasks.add, 1, 2), 3)
  })
}

test("A. a getter's own error is the cause", async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const error = (await failureOf(pool.submit(tasks.identity, throwing))) as SerializationError
  t.true(error.cause instanceof RangeError)
  t.is((error.cause as Error).message, 'from the getter')
})

test('A. a getter may submit calls itself: each call gets its own arguments', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  let inner: Future<unknown> | undefined
  const tricky = {
    before: 'x'.repeat(100),
    get nested() {
      inner = pool.submit(tasks.identity, { mine: [1, 2, 3] })
      return 'from the getter'
    },
    after: 'y'.repeat(100),
  }
  const outer = pool.submit(tasks.identity, tricky)
  t.deepEqual(await outer, { before: 'x'.repeat(100), nested: 'from the getter', after: 'y'.repeat(100) } as never)
  t.deepEqual(await inner, { mine: [1, 2, 3] })
})

test('A. 100 failing submits in a row leave no trace, between calls that work', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  for (let index = 0; index < 100; index++) {
    const [bad, good] = [pool.submit(tasks.identity, () => index), pool.submit(tasks.identity, index)]
    t.true(bad.done())
    t.is((await good) as number, index)
  }
})

const refusedResults: [kind: string, path: string][] = [
  ['function', 'result'],
  ['symbol', 'result'],
  ['nested', 'result.rows[1].x.fn'],
  ['promiseWithin', 'result.later[0]'],
  ['proxy', 'result.proxy'],
  ['weakMap', 'result.cache'],
  ['getter', 'result.bad'],
]

test('D. results that cannot travel fail that future, with the path, and the worker survives', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const pid = await pool.submit(tasks.pid)
  for (const [kind, path] of refusedResults) {
    const error = (await failureOf(pool.submit(uncloneable.give, kind))) as SerializationError
    t.true(error instanceof SerializationError, `${kind}: ${String(error)}`)
    t.deepEqual([error.code, error.stage, error.path], ['ERR_MILLRACE_SERIALIZATION', 'result', path], kind)
    t.true(error.message.includes(path), error.message)
  }
  const inMap = (await failureOf(pool.submit(uncloneable.give, 'map'))) as SerializationError
  t.is(inMap.stage, 'result')
  t.regex(inMap.path ?? '', /^result/)
  const getter = (await failureOf(pool.submit(uncloneable.give, 'getter'))) as SerializationError
  t.is((getter.cause as Error).message, 'from the getter')
  t.is(await pool.submit(tasks.pid), pid)
})

test('D. a getter of a result that exits is the task that exits; one that kills is a death', async (t) => {
  const pool = makePool(t, { maxWorkers: 1, onWorkerDeath: 'isolate' })
  const exited = (await failureOf(pool.submit(uncloneable.getterExits))) as TaskExitError
  t.true(exited instanceof TaskExitError, String(exited))
  t.is(exited.exitCode, 21)
  const died = (await failureOf(pool.submit(uncloneable.getterKills))) as WorkerDiedError
  t.true(died instanceof WorkerDiedError, String(died))
  t.is(died.exitCode, 22)
  t.is(await pool.submit(tasks.add, 1, 2), 3)
})

test('D. results with holes in the chunk of a map fail item by item', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const results = pool.map((n: number) => (n % 2 === 0 ? n : () => n), [0, 1, 2, 3, 4], { chunksize: 5 })
  for (let index = 0; index < 5; index++) {
    if (index % 2 === 0) {
      t.deepEqual(await results.next(), { done: false, value: index })
    } else {
      const error = await t.throwsAsync(results.next(), { instanceOf: SerializationError })
      t.is(error?.stage, 'result')
      t.is(error?.path, 'result')
    }
  }
})
