// The async context (AsyncLocalStorage) of callbacks, listeners and inputs in a host, and of calls in a worker.

import { AsyncLocalStorage } from 'node:async_hooks'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Finalize, Future, Pool, type ProcessPoolExecutor, runFinalizers } from 'millrace'
import { tasks } from './fixtures/basic.mjs'
import { test } from './helpers/leaks.js'
import { failureOf, makePool, tempDirectory } from './helpers/pool.js'
import { startMethod } from './helpers/start-method.mjs'
import { until, within } from './helpers/waiting.js'

const storage = new AsyncLocalStorage<string>()

test('a done-callback sees the store of the code that registered it, not of the code that settled the future', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const seen: Record<string, string | undefined> = {}
  const called = (key: string, future: Future<unknown>): Promise<void> =>
    storage.run(key, () => {
      return new Promise((resolve) => {
        future.addDoneCallback(() => {
          seen[key] = storage.getStore()
          resolve()
        })
      })
    })
  const shared = pool.submit(tasks.sleep, 50, 0)
  const cancelled = new Future<void>()
  const failed = new Future<void>()
  const all = [called('a', pool.submit(tasks.sleep, 20, 0)), called('b', shared), called('c', shared)]
  all.push(called('d', cancelled), called('e', failed), called('f', failed))
  storage.run('a stranger', () => {
    cancelled.cancel()
    failed.setException(new Error('failed'))
  })
  await within('the callbacks', Promise.all(all))
  await called('g', shared)
  t.deepEqual(seen, { a: 'a', b: 'b', c: 'c', d: 'd', e: 'e', f: 'f', g: 'g' })
})

test('what a done-callback throws is still a warning, and the next callback runs', async (t) => {
  const warnings: Error[] = []
  const listen = (warning: Error): void => void warnings.push(warning)
  process.on('warning', listen)
  t.teardown(() => process.off('warning', listen))
  const future = new Future<number>()
  const seen: unknown[] = []
  storage.run('one', () => {
    future.addDoneCallback(() => {
      throw new Error('of a callback in a context')
    })
  })
  storage.run('two', () => future.addDoneCallback((settled) => seen.push(storage.getStore(), settled)))
  future.setResult(1)
  t.deepEqual(seen, ['two', future])
  t.is(storage.getStore(), undefined)
  await until('the warning', () => warnings.some(({ cause }) => /in a context/.test(String(cause))))
})

test('listeners of a pool see the store of the code that added them, and can be removed as before', async (t) => {
  const pool = makePool(t, { maxWorkers: 1, maxTasksPerChild: 1 })
  const seen: unknown[] = []
  const listener = (): void => void seen.push(storage.getStore())
  storage.run('on', () => pool.on('workerStart', listener))
  storage.run('once', () => pool.once('workerStart', listener))
  storage.run('removed', () => {
    pool.once('workerStart', listener).off('workerStart', listener)
    pool.on('workerExit', listener).off('workerExit', listener)
  })
  await storage.run('a stranger', () => pool.submit(tasks.pid))
  t.deepEqual(seen, ['on', 'once'])
  await pool.submit(tasks.pid)
  await until('the second start', () => seen.length === 3)
  t.deepEqual(seen, ['on', 'once', 'on'])
})

test('the callbacks of a job of a Pool see the store of the code that began the job', async (t) => {
  const pool = new Pool(1, { execArgv: [], startMethod })
  t.teardown(() => pool.terminate())
  const seen: unknown[] = []
  const callback = (): void => void seen.push(storage.getStore())
  const options = { callback, errorCallback: callback }
  const results = [
    storage.run('value', () => pool.applyAsync(tasks.double, [1], options)),
    storage.run('error', () => pool.applyAsync(tasks.fail, ['x'], options)),
    storage.run('map', () => pool.mapAsync(tasks.double, [1, 2], options)),
    storage.run('nothing', () => pool.mapAsync(tasks.double, [], options)),
  ]
  await storage.run('a stranger', () => Promise.all(results.map((result) => result.wait())))
  t.deepEqual(seen, ['nothing', 'value', 'error', 'map'])
  // `this` is the object of the options, as in a call of its method.
  const own = {
    seen: undefined as unknown,
    callback(this: unknown): void {
      own.seen = this
    },
  }
  await pool.applyAsync(tasks.double, [1], own)
  t.is(own.seen, own)
})

test('a finalizer sees the store of the code that made it', (t) => {
  const seen: unknown[] = []
  const look = (key: string): void => void seen.push([key, storage.getStore()])
  const called = storage.run('call', () => new Finalize({}, look, { args: ['call'] }))
  storage.run('pass', () => new Finalize(null, look, { args: ['pass'], exitPriority: 77_777 }))
  storage.run('a stranger', () => {
    called.call()
    runFinalizers(77_777)
  })
  t.deepEqual(seen, [
    ['call', 'call'],
    ['pass', 'pass'],
  ])
})

test('the input of a map is read in the context that began the map', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const seen = new Set<unknown>()
  function* numbers(): Generator<number> {
    try {
      for (let i = 0; i < 50; i++) {
        seen.add(storage.getStore())
        yield i
      }
    } finally {
      seen.add(storage.getStore())
    }
  }
  async function* asynchronous(): AsyncGenerator<number> {
    for (const i of numbers()) {
      await null
      seen.add(storage.getStore())
      yield i
    }
  }
  for (const input of [numbers(), asynchronous()]) {
    const results = storage.run('the map', () => pool.map(tasks.double, input, { chunksize: 2, buffersize: 4 }))
    await storage.run('a stranger', async () => {
      for await (const result of results) if (result === 60) break
    })
  }
  t.deepEqual([...seen], ['the map'])
})

// ---- in a worker ----------------------------------------------------------------------------------------------------

/** Enters a store, and returns the one that was there. */
const enter = (id: unknown): unknown => {
  const hooks = process.getBuiltinModule('node:async_hooks')
  const own = ((globalThis as any).own ??= new hooks.AsyncLocalStorage()) as AsyncLocalStorage<unknown>
  const found = own.getStore() ?? null
  own.enterWith(id)
  return found
}

const enterAsync = async (id: unknown): Promise<unknown> => {
  const hooks = process.getBuiltinModule('node:async_hooks')
  const own = ((globalThis as any).own ??= new hooks.AsyncLocalStorage()) as AsyncLocalStorage<unknown>
  const found = own.getStore() ?? null
  own.enterWith(id)
  await null
  if (own.getStore() !== id) return 'lost after a promise'
  await new Promise((resolve) => setTimeout(resolve, 1))
  return own.getStore() === id ? found : 'lost after a timer'
}

const enterAndFail = (id: unknown): unknown => {
  const hooks = process.getBuiltinModule('node:async_hooks')
  const own = ((globalThis as any).own ??= new hooks.AsyncLocalStorage()) as AsyncLocalStorage<unknown>
  const found = own.getStore()
  own.enterWith(id)
  throw new Error(`found ${String(found)}`)
}

async function foundBy(pool: ProcessPoolExecutor, task: (id: unknown) => unknown): Promise<unknown[]> {
  const found: unknown[] = []
  for (let i = 0; i < 3; i++) found.push(await pool.submit(task, `one ${i}`))
  found.push(...(await Promise.all(['a', 'b', 'c', 'd'].map((id) => pool.submit(task, id)))))
  for await (const value of pool.map(task, [1, 2, 3, 4, 5], { chunksize: 3 })) found.push(value)
  for await (const value of pool.starmap(task, [[1], [2], [3]], { chunksize: 3 })) found.push(value)
  return found
}

test('what a call enters, or an item of a chunk, is not seen by the next one', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  for (const task of [enter, enterAsync]) {
    const found = await foundBy(pool, task)
    t.is(found.length, 15)
    t.true(
      found.every((store) => store === null),
      JSON.stringify(found),
    )
  }
  // A task that throws, and calls of each kind in turn.
  for (let i = 0; i < 3; i++) {
    t.is(((await failureOf(pool.submit(enterAndFail, i))) as Error).message, 'found undefined')
    t.is(await pool.submit(enterAsync, i), null)
    t.is(await pool.submit(enter, i), null)
  }
})

test('a call keeps what it has entered, and knows itself, in all that stems from it', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const task = async (id: number, entry: string): Promise<unknown> => {
    const hooks = process.getBuiltinModule('node:async_hooks')
    const { taskContext } = await import(entry)
    const own = new hooks.AsyncLocalStorage()
    own.enterWith(id)
    const before = taskContext()?.taskId
    await new Promise((resolve) => setTimeout(resolve, 2))
    const inTimer = await new Promise((resolve) => setImmediate(() => resolve(own.getStore())))
    return [own.getStore(), inTimer, before !== undefined && before === taskContext()?.taskId]
  }
  const entry = new URL('../dist/index.js', import.meta.url).href
  t.deepEqual(await pool.submit(task, 1, entry), [1, 1, true])
  const results: unknown[] = []
  const items: [number, string][] = [1, 2, 3].map((id) => [id, entry])
  for await (const result of pool.starmap(task, items, { chunksize: 3 })) results.push(result)
  t.deepEqual(results, [
    [1, 1, true],
    [2, 2, true],
    [3, 3, true],
  ])
})

test('listeners of a task’s signal run in the context of the task', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const task = async (entry: string, file: string): Promise<void> => {
    const { taskContext } = await import(entry)
    const { signal, taskId } = taskContext()
    const hooks = process.getBuiltinModule('node:async_hooks')
    const { writeFileSync } = process.getBuiltinModule('node:fs')
    const own = new hooks.AsyncLocalStorage<number>()
    await own.run(7, () => {
      const context = taskContext()
      return new Promise<void>((resolve) => {
        const { signal: again } = context
        again.addEventListener('abort', () => {
          writeFileSync(file, `${taskContext()?.taskId === taskId} ${signal === again}`)
          resolve()
        })
      })
    })
  }
  const file = join(tempDirectory(t), 'seen')
  const entry = new URL('../dist/index.js', import.meta.url).href
  await within('the outcome', failureOf(pool.run(task, [entry, file], { timeout: 500, grace: 60_000 })))
  await until('the listener', () => existsSync(file))
  t.is(readFileSync(file, 'utf8'), 'true true')
})
