// Options objects, wherever options are taken: only the object itself counts, and unknown names are refused.

import test from 'ava'
import {
  asCompleted,
  Finalize,
  Future,
  getContext,
  Pool,
  ProcessPoolExecutor,
  setStartMethod,
  wait,
  type ProcessPoolOptions,
} from 'millrace'
import { tasks } from './fixtures/basic.mjs'
import { makePool } from './helpers/pool.js'

/** Calls `action` while `Object.prototype` has these properties. */
async function polluted<R>(properties: object, action: () => R): Promise<Awaited<R>> {
  Object.assign(Object.prototype, properties)
  try {
    return await action()
  } finally {
    for (const key of Object.keys(properties)) delete (Object.prototype as Record<string, unknown>)[key]
  }
}

async function listOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

test.serial('what Object.prototype has decides nothing about workers', async (t) => {
  const harmful = {
    env: { POLLUTED: 'yes' },
    execArgv: ['--stack-trace-limit=7'],
    cwd: '/',
    execPath: '/no/such/file',
    stdio: 'ignore',
    initializer: () => ((globalThis as { polluted?: boolean }).polluted = true),
    preload: ['/no/such/module'],
    maxTasksPerChild: 1,
    maxtasksperchild: 1,
    maxWorkers: 0,
    startMethod: 'nonsense',
    idleTimeout: 1,
    name: 'polluted',
    NODE_OPTIONS: '--import ./no-such-file',
  }
  const look = () => [
    process.env.POLLUTED,
    process.execArgv.includes('--stack-trace-limit=7'),
    process.cwd(),
    process.argv.includes('polluted'),
    (globalThis as { polluted?: boolean }).polluted,
  ]
  const expected = [undefined, false, process.cwd(), false, undefined]
  const { ProcessPoolExecutor: Bound, Pool: BoundPool } = getContext('spawn')
  for (const [what, make] of Object.entries({
    executor: () => new ProcessPoolExecutor({}),
    'without options': () => new ProcessPoolExecutor(),
    'of a context': () => new Bound({}),
  })) {
    const pool = await polluted(harmful, make)
    t.deepEqual(await pool.submit(look), expected, what)
    t.regex(pool.dumpState(), /^pool: /, what)
    await pool.shutdown()
  }
  for (const make of [() => new Pool(1, {}), () => new Pool(1), () => new BoundPool(1, {})]) {
    const pool = await polluted(harmful, make)
    t.deepEqual(await pool.apply(look), expected)
    await pool.terminate()
  }
})

test.serial('what Object.prototype has decides nothing about calls and waits', async (t) => {
  const pool = makePool(t, { maxWorkers: 2 })
  const jobs = new Pool(1)
  t.teardown(() => jobs.terminate())
  await pool.submit(tasks.add, 1, 2)
  const called: unknown[] = []
  const harmful = {
    timeout: 1,
    grace: 1,
    retries: 7,
    label: 'polluted',
    signal: AbortSignal.abort(),
    transfer: [new ArrayBuffer(8)],
    flags: 1,
    moving: [new ArrayBuffer(8)],
    prepare: (future: unknown) => called.push(future),
    chunksize: 0,
    buffersize: 0,
    taskTimeout: 1,
    ordered: 'no',
    kill: true,
    wait: false,
    cancelFutures: true,
    returnWhen: 'nonsense',
    callback: (value: unknown) => called.push(value),
    errorCallback: (error: unknown) => called.push(error),
    force: true,
    args: ['polluted'],
    exitPriority: 1,
  }
  const slow = async (value: unknown) => {
    await new Promise((resolve) => setTimeout(resolve, 50))
    return value
  }
  await polluted(harmful, async () => {
    t.is(await pool.submit(slow, 'submit'), 'submit')
    t.is(await pool.run(slow, ['run'], {}), 'run')
    t.deepEqual(await listOf(pool.map(slow, [1, 2], {})), [1, 2])
    t.is(await pool.submit(slow, 'result').result({}), 'result')
    t.is(pool.submit(slow, 'sync').resultSync({}), 'sync')
    t.is((await wait([pool.submit(slow, 1)], {})).done.size, 1)
    for await (const future of asCompleted([pool.submit(slow, 1)], {})) t.is(await future, 1)
    t.is(await jobs.applyAsync(slow, ['job'], {}).get({}), 'job')
    t.deepEqual(await jobs.mapAsync(slow, [1, 2], {}), [1, 2])
    t.deepEqual(await listOf(jobs.imap(slow, [1, 2], {})), [1, 2])
    const running = pool.submit(slow, 'uncancelled')
    await running.result({})
    t.false(running.cancel({}))
    const given: unknown[] = []
    new Finalize({}, (...args: unknown[]) => given.push(args), {}).call()
    t.deepEqual(given, [[]])
    const last = pool.submit(slow, 'last')
    await pool.shutdown({})
    t.is(last.state, 'finished')
    t.is(await last, 'last')
  })
  t.deepEqual(called, [])
})

test('options of the class of an options object count, and others that the object inherits are refused', (t) => {
  class Config {
    readonly name = 'own'
    get maxQueue(): number {
      return 3
    }
  }
  class Special extends Config {}
  const pool = makePool(t, new Special())
  t.regex(pool.dumpState(), /'own'/)
  t.throws(() => new ProcessPoolExecutor(Object.create({ maxWorkers: 2 }) as ProcessPoolOptions), {
    code: 'ERR_INVALID_ARG_VALUE',
    message: /options\.maxWorkers.*inherited/,
  })
  // As a merge of `{"__proto__": …}` makes it.
  const poisoned = Object.assign({}, JSON.parse('{"__proto__": {"execArgv": ["--inspect"]}}')) as ProcessPoolOptions
  t.throws(() => new ProcessPoolExecutor(poisoned), { code: 'ERR_INVALID_ARG_VALUE', message: /options\.execArgv/ })
  t.notThrows(() => makePool(t, Object.assign(Object.create(null), { maxWorkers: 1 }) as ProcessPoolOptions))
  let reads = 0
  makePool(t, {
    get maxWorkers() {
      return ++reads
    },
  })
  t.is(reads, 1)
})

test('an unknown option is refused wherever options are taken, with the name that was meant', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const jobs = new Pool(1)
  t.teardown(() => jobs.terminate())
  const done = pool.submit(tasks.add, 1, 2)
  await done
  const { ProcessPoolExecutor: Bound, Pool: BoundPool } = getContext('spawn')
  const wrong: Record<string, [name: string, meant: string | undefined, use: (options: never) => unknown][]> = {
    constructors: [
      ['maxThreads', 'maxWorkers', (o) => new ProcessPoolExecutor(o)],
      ['max_workers', 'maxWorkers', (o) => new ProcessPoolExecutor(o)],
      ['MAXWORKERS', 'maxWorkers', (o) => new ProcessPoolExecutor(o)],
      ['concurrency', 'maxWorkers', (o) => new ProcessPoolExecutor(o)],
      ['maxtasksperchild', 'maxTasksPerChild', (o) => new ProcessPoolExecutor(o)],
      ['onWorkerDead', 'onWorkerDeath', (o) => new ProcessPoolExecutor(o)],
      ['idle_timeout', 'idleTimeout', (o) => new ProcessPoolExecutor(o)],
      ['filename', 'preload', (o) => new ProcessPoolExecutor(o)],
      ['evn', 'env', (o) => new ProcessPoolExecutor(o)],
      ['chunksize', undefined, (o) => new ProcessPoolExecutor(o)],
      ['__proto_', undefined, (o) => new ProcessPoolExecutor(o)],
      ['maxWorker', 'maxWorkers', (o) => new Bound(o)],
      ['iniitializer', 'initializer', (o) => new Pool(1, o)],
      ['maxTaskPerChild', 'maxtasksperchild', (o) => new Pool(1, o)],
      ['inital', undefined, (o) => new BoundPool(1, o)],
    ],
    calls: [
      ['timeOut', 'timeout', (o) => pool.run(tasks.add, [1, 2], o)],
      ['transferList', 'transfer', (o) => pool.run(tasks.add, [1, 2], o)],
      ['chunkSize', 'chunksize', (o) => pool.map(tasks.identity, [1], o)],
      ['batchSize', 'chunksize', (o) => pool.starmap(tasks.add, [[1, 2]], o)],
      ['chunkSize', 'chunksize', (o) => jobs.imap(tasks.identity, [1], o)],
      ['chunk_size', 'chunksize', (o) => jobs.imapUnordered(tasks.identity, [1], o)],
      ['error_callback', 'errorCallback', (o) => jobs.applyAsync(tasks.add, [1, 2], o)],
      ['onSuccess', 'callback', (o) => jobs.mapAsync(tasks.identity, [1], o)],
      ['calback', 'callback', (o) => jobs.starmapAsync(tasks.add, [[1, 2]], o)],
    ],
    waits: [
      ['timeOut', 'timeout', (o) => done.result(o)],
      ['timout', 'timeout', (o) => done.exception(o)],
      ['ms', 'timeout', (o) => done.resultSync(o)],
      ['Kill', 'kill', (o) => done.cancel(o)],
      ['return_when', 'returnWhen', (o) => wait([done], o)],
      ['time_out', 'timeout', (o) => asCompleted([done], o)],
      ['timeOut', 'timeout', (o) => jobs.applyAsync(tasks.add, [1, 2]).get(o)],
      ['timeOut', 'timeout', (o) => jobs.applyAsync(tasks.add, [1, 2]).wait(o)],
      ['timeOut', 'timeout', (o) => jobs.imap(tasks.identity, [1]).next(o)],
    ],
    others: [
      ['cancel_futures', 'cancelFutures', (o) => pool.shutdown(o)],
      ['forced', 'force', (o) => setStartMethod('spawn', o)],
      ['exitpriority', 'exitPriority', (o) => new Finalize({}, () => {}, o)],
    ],
  }
  for (const [name, meant, use] of Object.values(wrong).flat()) {
    const error = await t.throwsAsync(async () => use({ [name]: 1 } as never), { instanceOf: TypeError }, name)
    t.is((error as NodeJS.ErrnoException).code, 'ERR_INVALID_ARG_VALUE', name)
    t.true(error.message.includes(`"options.${name}"`), error.message)
    if (meant !== undefined) t.true(error.message.includes(`Did you mean "${meant}"?`), error.message)
    else t.regex(error.message, /Its options are: /)
  }
  t.is(await pool.submit(tasks.add, 1, 2), 3, 'nothing has happened to the pool')
})

test('an unknown option that is undefined asks for nothing', async (t) => {
  const pool = makePool(t, { maxWorkers: 1, maxThreads: undefined } as ProcessPoolOptions)
  t.is(await pool.run(tasks.add, [1, 2], { timeOut: undefined } as never), 3)
})

test('null is no value of any option, and arrays are no options', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const future = new Future<number>()
  future.setResult(1)
  for (const use of [
    () => wait([future], { returnWhen: null } as never),
    () => wait([future], { timeout: null } as never),
    () => pool.run(tasks.add, [1, 2], { signal: null } as never),
    () => pool.run(tasks.add, [1, 2], { retries: null } as never),
    () => pool.map(tasks.identity, [1], { buffersize: null } as never),
    () => pool.map(tasks.identity, [1], [2, 3] as never),
    () => pool.map(tasks.identity, [1], [] as never),
    () => pool.shutdown({ wait: null } as never),
    () => new ProcessPoolExecutor({ execPath: null } as never),
    () => new Pool(1, { stdio: null } as never),
    () => new Finalize({}, () => {}, { exitPriority: null } as never),
    () => new Finalize({}, () => {}, { args: null } as never),
    () => setStartMethod('spawn', { force: null } as never),
    () => future.cancel({ kill: null } as never),
  ]) {
    const error = await t.throwsAsync(async () => use(), { instanceOf: TypeError }, String(use))
    t.is((error as NodeJS.ErrnoException).code, 'ERR_INVALID_ARG_TYPE', String(use))
  }
})
