// Construction: the options that are refused, and the effect of each accepted option.

import { mkdirSync, realpathSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { ProcessPoolExecutor, type ProcessPoolOptions, SerializationError } from 'millrace'
import { tasks } from './fixtures/basic.mjs'
import { spawnTest, test } from './helpers/leaks.js'
import { childrenOf, workersOf } from './helpers/processes.mjs'
import { Gate, makePool, tempDirectory } from './helpers/pool.js'
import { until } from './helpers/waiting.js'

const TYPE = [TypeError, 'ERR_INVALID_ARG_TYPE'] as const
const RANGE = [RangeError, 'ERR_OUT_OF_RANGE'] as const
const VALUE = [TypeError, 'ERR_INVALID_ARG_VALUE'] as const

/** Wrong values by option. */
const refused: Record<string, [value: unknown, expected: readonly [typeof TypeError | typeof RangeError, string]][]> = {
  maxWorkers: [
    [0, RANGE],
    [-1, RANGE],
    [1.5, RANGE],
    [NaN, RANGE],
    [Infinity, RANGE],
    [2 ** 53, RANGE],
    ['2', TYPE],
    [true, TYPE],
    [null, TYPE],
    [2n, TYPE],
  ],
  maxTasksPerChild: [
    [0, RANGE],
    [-3, RANGE],
    [0.5, RANGE],
    [NaN, RANGE],
    [true, TYPE],
    ['12', TYPE],
    [null, TYPE],
  ],
  maxQueue: [
    [2.5, RANGE],
    [-1, RANGE],
    [NaN, RANGE],
    [false, TYPE],
    ['9', TYPE],
  ],
  idleTimeout: [
    [-1, RANGE],
    [NaN, RANGE],
    ['100', TYPE],
    [true, TYPE],
    [null, TYPE],
  ],
  startTimeout: [
    [0, RANGE],
    [-1, RANGE],
    [NaN, RANGE],
    ['100', TYPE],
    [true, TYPE],
  ],
  maxMemoryPerWorker: [
    [0, RANGE],
    [-1, RANGE],
    [NaN, RANGE],
    ['1GB', TYPE],
    [true, TYPE],
  ],
  hardMemoryLimit: [
    [0, RANGE],
    [-1, RANGE],
    [NaN, RANGE],
    ['1GB', TYPE],
    [true, TYPE],
  ],
  onWorkerDeath: [
    ['ignore', VALUE],
    ['', VALUE],
    [true, TYPE],
    [null, TYPE],
  ],
  startMethod: [
    ['thread', VALUE],
    ['Spawn', VALUE],
    [0, TYPE],
    [null, TYPE],
  ],
  stdio: [
    ['pipe', VALUE],
    [['inherit'], TYPE],
  ],
  initializer: [
    ['setUp', TYPE],
    [{}, TYPE],
    [null, TYPE],
    [Math.max, VALUE],
  ],
  initargs: [
    ['ab', TYPE],
    [{}, TYPE],
    [new Set(), TYPE],
  ],
  execArgv: [
    ['--no-warnings', TYPE],
    [[1], TYPE],
    [['nul\0byte'], VALUE],
  ],
  env: [
    ['A=1', TYPE],
    [7, TYPE],
    [null, TYPE],
    [{ A: 'nul\0byte' }, VALUE],
  ],
  cwd: [
    [7, TYPE],
    [null, TYPE],
    [new URL('file:///'), TYPE],
    ['nul\0byte', VALUE],
  ],
  preload: [
    ['node:fs', TYPE],
    [[7], TYPE],
    [[''], TYPE],
  ],
  name: [
    [7, TYPE],
    [null, TYPE],
    ['nul\0byte', VALUE],
  ],
}

for (const [option, cases] of Object.entries(refused)) {
  test(`wrong values of ${option} are refused at construction, and the message names the option`, (t) => {
    for (const [value, [instanceOf, code]] of cases) {
      const construct = (): unknown => new ProcessPoolExecutor({ [option]: value } as ProcessPoolOptions)
      const error = t.throws(construct, { instanceOf }, `${option}: ${String(value)}`)
      t.is((error as NodeJS.ErrnoException | undefined)?.code, code, `${option}: ${String(value)}`)
      t.true(error?.message.includes(`options.${option}`), error?.message)
    }
  })
}

test('options have to be an object', (t) => {
  for (const options of [null, 4, 'spawn', true]) {
    const error = t.throws(() => new ProcessPoolExecutor(options as never), {
      instanceOf: TypeError,
      message: /"options"/,
    })
    t.is((error as NodeJS.ErrnoException).code, 'ERR_INVALID_ARG_TYPE')
  }
})

test('initargs that cannot travel are a SerializationError with the path of the value', (t) => {
  const construct = (): unknown =>
    new ProcessPoolExecutor({ initializer: tasks.identity as never, initargs: [1, { a: { b: () => {} } }] })
  const error = t.throws(construct, { instanceOf: SerializationError, code: 'ERR_MILLRACE_SERIALIZATION' })
  t.is(error?.stage, 'arguments')
  t.is(error?.path, 'initargs[1].a.b')
  t.true(error?.message.includes('initargs[1].a.b'), error?.message)
})

test('the largest and smallest values that make sense are taken', async (t) => {
  const pool = makePool(t, {
    maxWorkers: 1,
    maxTasksPerChild: 2 ** 31,
    maxQueue: Infinity,
    idleTimeout: Infinity,
    startTimeout: Infinity,
    maxMemoryPerWorker: Infinity,
    hardMemoryLimit: Infinity,
    startMethod: 'spawn',
    onWorkerDeath: 'break',
    initargs: [],
    preload: [],
    env: { ...process.env, ABSENT: undefined },
  })
  t.is(await pool.submit(tasks.add, 1, 2), 3)
})

test('undefined stands for the default of every option', async (t) => {
  const options = Object.fromEntries(Object.keys(refused).map((name) => [name, undefined]))
  const pool = makePool(t, { ...options, maxWorkers: 1, execArgv: [] })
  t.is(await pool.submit(tasks.add, 1, 2), 3)
})

test('construction starts no process', (t) => {
  makePool(t)
  t.deepEqual(childrenOf(), [])
})

test('without maxWorkers there are as many as this process may use processors', async (t) => {
  const pool = makePool(t, { maxWorkers: undefined })
  const gate = new Gate(t)
  const limit = Number(/0 of (\d+) workers/.exec(pool.dumpState())?.[1])
  t.true(limit >= 1 && limit <= availableParallelism(), `${limit} workers`)
  if (limit > 16) return
  const futures = Array.from({ length: limit + 2 }, () => pool.submit(tasks.hold, gate.path, 0))
  await until('all of them to be busy', () => pool.stats().running === limit)
  t.is(workersOf().length, limit)
  gate.open()
  await Promise.all(futures)
})

// The options of this process load a module that starts a thread, and a process with such a thread cannot be forked.
spawnTest("workers get this process's environment, directory and Node options by default", async (t) => {
  process.env.MILLRACE_TEST_VARIABLE = 'inherited'
  t.teardown(() => delete process.env.MILLRACE_TEST_VARIABLE)
  const pool = makePool(t, { maxWorkers: 1, execArgv: undefined })
  const seen = await pool.submit(() => ({
    variable: process.env.MILLRACE_TEST_VARIABLE,
    cwd: process.cwd(),
    execArgv: process.execArgv,
  }))
  t.deepEqual(seen, { variable: 'inherited', cwd: process.cwd(), execArgv: process.execArgv })
})

test('env replaces the whole environment', async (t) => {
  const pool = makePool(t, { maxWorkers: 1, env: { ONLY: 'this', EMPTY: '', NOT: undefined } })
  const env = await pool.submit(() => ({ ...process.env }))
  t.deepEqual(env, { ONLY: 'this', EMPTY: '' })
})

test('cwd is where workers run', async (t) => {
  const cwd = join(tempDirectory(t), 'a directory')
  mkdirSync(cwd)
  const pool = makePool(t, { maxWorkers: 1, cwd })
  t.is(await pool.submit(() => process.cwd()), realpathSync(cwd))
})

test('execArgv is given to Node as it is', async (t) => {
  const execArgv = ['--stack-trace-limit=3', '--no-deprecation']
  const pool = makePool(t, { maxWorkers: 1, execArgv })
  t.deepEqual(await pool.submit(() => process.execArgv), execArgv)
})

test('the name shows in the process list and in dumps, and tasks see arguments of a plain script', async (t) => {
  const pool = makePool(t, { maxWorkers: 1, name: 'thumbnails' })
  const argv = await pool.submit(() => process.argv)
  t.is(argv[0], process.execPath)
  t.false(argv.some((argument) => argument.startsWith('millrace:')))
  t.regex(pool.dumpState(), /thumbnails/)
  if (process.platform !== 'linux') return
  const { readFileSync } = await import('node:fs')
  const [pid] = workersOf().map((child) => child.pid)
  // `ps` may show one argument, or one text with all arguments.
  t.true(readFileSync(`/proc/${pid}/cmdline`, 'utf8').split(/[\0 ]/).includes('thumbnails'))
})

test('stdin of a worker is at its end, and stdio: ignore silences its output', async (t) => {
  const pool = makePool(t, { maxWorkers: 1, stdio: 'ignore' })
  const seen = await pool.submit(async () => {
    console.log('This must not be seen')
    console.error('Nor this')
    const { readFileSync, readlinkSync } = await import('node:fs')
    const links = process.platform === 'linux' ? [1, 2].map((fd) => readlinkSync(`/proc/self/fd/${fd}`)) : []
    return { input: readFileSync(0, 'utf8'), links }
  })
  t.deepEqual(seen, { input: '', links: process.platform === 'linux' ? ['/dev/null', '/dev/null'] : [] })
})
