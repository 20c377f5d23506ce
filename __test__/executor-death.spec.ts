// Deaths of workers under both policies: which break a pool, and which do not.

import { BrokenExecutor, BrokenProcessPool, MillraceError, WorkerDiedError } from 'millrace'
import { exits } from './fixtures/exits.mjs'
import { tasks } from './fixtures/basic.mjs'
import { test } from './helpers/leaks.js'
import { isAlive, workersOf } from './helpers/processes.mjs'
import { claimed, failureOf, Gate, Log, makePool, record } from './helpers/pool.js'
import { until, within } from './helpers/waiting.js'

const pids = (): number[] => workersOf().map(({ pid }) => pid)

interface Death {
  title: string
  submit: (pool: ReturnType<typeof makePool>) => { exception(): Promise<unknown> }
  name: string
  exitCode: number | null
  signal: string | null
  hint: RegExp | undefined
}

const deaths: Death[] = [
  {
    title: 'process.reallyExit(3)',
    submit: (pool) => pool.run(exits.reallyExit, [3], { label: 'the last' }),
    name: 'reallyExit',
    exitCode: 3,
    signal: null,
    hint: undefined,
  },
  {
    title: 'process.reallyExit(0): an end with code 0 is a death, too',
    submit: (pool) => pool.run(exits.reallyExit, [0], { label: 'the last' }),
    name: 'reallyExit',
    exitCode: 0,
    signal: null,
    hint: undefined,
  },
  {
    title: 'process.abort()',
    submit: (pool) => pool.run(exits.abort, [], { label: 'the last' }),
    name: 'abort',
    exitCode: null,
    signal: 'SIGABRT',
    hint: /max-old-space-size/,
  },
  {
    title: 'a crash in native code',
    submit: (pool) => pool.run(exits.killSelf, ['SIGSEGV'], { label: 'the last' }),
    name: 'killSelf',
    exitCode: null,
    signal: 'SIGSEGV',
    hint: /native/,
  },
  {
    title: 'SIGKILL, as of the out-of-memory killer',
    submit: (pool) => pool.run(exits.killSelf, ['SIGKILL'], { label: 'the last' }),
    name: 'killSelf',
    exitCode: null,
    signal: 'SIGKILL',
    hint: /out-of-memory/,
  },
  {
    title: 'SIGTERM that nobody here has sent',
    submit: (pool) => pool.run(exits.killSelf, ['SIGTERM'], { label: 'the last' }),
    name: 'killSelf',
    exitCode: null,
    signal: 'SIGTERM',
    hint: undefined,
  },
]

for (const { title, submit, name, exitCode, signal, hint } of deaths) {
  test(`break: ${title} fails every unfinished future, each with an error of its own`, async (t) => {
    const pool = makePool(t, { onWorkerDeath: 'break', maxWorkers: 2, stdio: 'ignore', name: 'fragile' })
    const gate = new Gate(t)
    const held = pool.submit(tasks.hold, gate.path, 0)
    await claimed(held)
    const done = pool.submit(tasks.add, 1, 2)
    await done
    const dying = submit(pool) as ReturnType<typeof pool.submit>
    const waiting = Array.from({ length: 18 }, (_, index) => pool.submit(tasks.identity, index))
    const errors = (await Promise.all([held, dying, ...waiting].map(failureOf))) as BrokenProcessPool[]
    t.is(new Set(errors).size, 20)
    const task = { taskId: 3, name, label: 'the last' }
    for (const error of errors) {
      t.true(error instanceof BrokenProcessPool && error instanceof BrokenExecutor && error instanceof MillraceError)
      t.is(error.code, 'ERR_MILLRACE_BROKEN_PROCESS_POOL')
      t.is(error.workers.length, 1)
      t.deepEqual({ ...error.workers[0]! }, { pid: error.workers[0]!.pid, exitCode, signal: signal as never, task })
      for (const part of ["'fragile'", `worker ${error.workers[0]!.pid}`, `'${name}' [the last] (task 3)`]) {
        t.true(error.message.includes(part), `${part} in ${error.message}`)
      }
      t.true(error.message.includes(signal ?? `code ${exitCode}`), error.message)
      if (hint !== undefined) t.regex(error.message, hint)
    }
    t.is(await done, 3)
    for (const call of [
      () => pool.submit(tasks.add, 1, 2),
      () => pool.run(tasks.add, [1, 2]),
      () => pool.map(tasks.double, [1]),
    ]) {
      const error = t.throws(call, { instanceOf: BrokenProcessPool, code: 'ERR_MILLRACE_BROKEN_PROCESS_POOL' })
      t.is(error?.workers[0]?.pid, errors[0]!.workers[0]!.pid)
    }
    await t.throwsAsync(pool.ready(), { instanceOf: BrokenProcessPool })
    await until('the other worker to be taken down', () => pids().length === 0)
    t.is(pool.stats().failed, 20)
    t.regex(pool.dumpState(), /broken/)
  })

  test(`isolate: ${title} fails that call only, and the worker is replaced`, async (t) => {
    const pool = makePool(t, { maxWorkers: 2, onWorkerDeath: 'isolate', stdio: 'ignore' })
    const broken = record(pool, 'broken')
    const warnings = record(pool, 'warning')
    const gate = new Gate(t)
    const held = pool.submit(tasks.hold, gate.path, 'held')
    await claimed(held)
    const [heldBy] = pids()
    const dying = submit(pool) as ReturnType<typeof pool.submit>
    const waiting = Array.from({ length: 18 }, (_, index) => pool.submit(tasks.identity, index))
    const error = (await failureOf(dying)) as WorkerDiedError
    t.true(error instanceof WorkerDiedError && error instanceof BrokenProcessPool, String(error))
    t.is(error.code, 'ERR_MILLRACE_WORKER_DIED')
    t.deepEqual([error.exitCode, error.signal], [exitCode, signal as never])
    t.not(error.pid, heldBy!)
    t.deepEqual(
      error.workers.map(({ pid, task }) => [pid, task?.name]),
      [[error.pid, name]],
    )
    for (const part of [`orker ${error.pid}`, `'${name}' [the last] (task 2)`, signal ?? `code ${exitCode}`]) {
      t.true(error.message.includes(part), `${part} in ${error.message}`)
    }
    if (hint === undefined) t.is(error.hint, undefined)
    else t.regex(error.hint ?? '', hint)
    t.deepEqual(
      await within('the others', Promise.all(waiting), () => pool.dumpState()),
      waiting.map((_, index) => index),
    )
    t.false(held.done())
    gate.open()
    t.is(await held, 'held')
    t.deepEqual([broken, warnings], [[], []])
    t.is(pool.stats().restarts, 1)
    t.is(pool.stats().failed, 1)
  })
}

test('break: the death of an idle worker breaks the pool: there is no task to name', async (t) => {
  const pool = makePool(t, { onWorkerDeath: 'break', maxWorkers: 1 })
  const broken = record(pool, 'broken')
  const pid = await pool.submit(tasks.pid)
  process.kill(pid, 'SIGKILL')
  await until('the pool to be broken', () => broken.length > 0)
  t.deepEqual(broken[0]!.workers, [{ pid, exitCode: null, signal: 'SIGKILL' }])
  const error = t.throws(() => pool.submit(tasks.add, 1, 2), { instanceOf: BrokenProcessPool })
  t.true(error?.message.includes(`worker ${pid}`), error?.message)
  t.false(error?.message.includes('running'), error?.message)
})

test('isolate: the death of an idle worker is a warning, and costs no call', async (t) => {
  const pool = makePool(t, { maxWorkers: 1, onWorkerDeath: 'isolate' })
  const warnings = record(pool, 'warning')
  const pid = await pool.submit(tasks.pid)
  process.kill(pid, 'SIGKILL')
  await until('the warning', () => warnings.length > 0)
  const warning = warnings[0] as WorkerDiedError
  t.true(warning instanceof WorkerDiedError)
  t.deepEqual([warning.pid, warning.signal, warning.exitCode], [pid, 'SIGKILL', null])
  t.true(warning.message.includes('idle'), warning.message)
  t.not(await pool.submit(tasks.pid), pid)
  t.is(pool.stats().failed, 0)
})

test('isolate: calls that were queued in the lane of a dead worker run, each exactly once', async (t) => {
  const pool = makePool(t, { maxWorkers: 1, onWorkerDeath: 'isolate' })
  const log = new Log(t)
  // Calls that take no time teach the pool to queue many calls ahead.
  await Promise.all(Array.from({ length: 500 }, (_, index) => pool.submit(tasks.add, index, 1)))
  const before = Array.from({ length: 10 }, (_, index) => pool.submit(tasks.append, log.path, `a${index}`))
  const dying = pool.submit(exits.killSelf, 'SIGKILL')
  const after = Array.from({ length: 30 }, (_, index) => pool.submit(tasks.append, log.path, `b${index}`))
  await within('the rest', Promise.all([...before, ...after]), () => pool.dumpState())
  t.true((await failureOf(dying)) instanceof WorkerDiedError)
  t.deepEqual(log.lines, [...before.map((_, index) => `a${index}`), ...after.map((_, index) => `b${index}`)])
})

test('isolate: a pool survives many deaths in a row, as long as other calls finish', async (t) => {
  const pool = makePool(t, { maxWorkers: 2, onWorkerDeath: 'isolate' })
  const futures: { exception(): Promise<unknown> }[] = []
  for (let index = 0; index < 8; index++) {
    futures.push(pool.submit(exits.reallyExit, index))
    futures.push(pool.submit(tasks.add, index, 1))
  }
  const outcomes = await within('all', Promise.all(futures.map((future) => future.exception())), () => pool.dumpState())
  t.deepEqual(
    outcomes.map((outcome) => (outcome as WorkerDiedError | undefined)?.exitCode),
    outcomes.map((_, index) => (index % 2 === 0 ? index / 2 : undefined)),
  )
})

test('what a worker has started goes with it when it dies', async (t) => {
  const pool = makePool(t, { maxWorkers: 1, onWorkerDeath: 'isolate' })
  const log = new Log(t)
  const future = pool.submit(exits.startGrandchild, log.path)
  await until('the grandchild', () => log.lines.length === 1)
  const grandchild = Number(log.lines[0])
  t.true(isAlive(grandchild))
  process.kill(pids()[0]!, 'SIGKILL')
  t.true((await failureOf(future)) instanceof WorkerDiedError)
  await until('the grandchild to be gone', () => !isAlive(grandchild))
})

test('results that were committed before the death are delivered', async (t) => {
  const pool = makePool(t, { onWorkerDeath: 'break', maxWorkers: 1 })
  const log = new Log(t)
  await Promise.all(Array.from({ length: 500 }, (_, index) => pool.submit(tasks.add, index, 1)))
  const finished = [pool.submit(tasks.append, log.path, 1), pool.submit(tasks.append, log.path, 2)]
  const dying = pool.submit(exits.reallyExit, 9)
  await failureOf(dying)
  t.deepEqual(
    finished.map(({ outcome }) => outcome),
    ['value', 'value'],
  )
})

test('a future that was cancelled before the pool broke stays cancelled', async (t) => {
  const pool = makePool(t, { onWorkerDeath: 'break', maxWorkers: 1 })
  const dying = pool.submit(exits.reallyExit, 1)
  const cancelled = pool.submit(tasks.add, 1, 2)
  cancelled.cancel()
  await failureOf(dying)
  t.true(cancelled.cancelled())
})

test('a pool that broke does not break again: later deaths change nothing', async (t) => {
  const pool = makePool(t, { onWorkerDeath: 'break', maxWorkers: 2 })
  const broken = record(pool, 'broken')
  const futures = [pool.submit(exits.reallyExit, 1), pool.submit(exits.reallyExit, 2)]
  await Promise.all(futures.map(failureOf))
  await until('the workers to be gone', () => pids().length === 0)
  await pool.shutdown()
  t.is(broken.length, 1)
})

test('a call that comes when the pool has broken, and nobody knows yet, is refused with the reason', async (t) => {
  const pool = makePool(t, { onWorkerDeath: 'break', maxWorkers: 1 })
  const pid = await pool.submit(tasks.pid)
  const futures = [pool.submit(exits.killSelf, 'SIGKILL'), pool.submit(tasks.pid), pool.submit(tasks.pid)]
  let refused: unknown
  // This thread has no turn in which the news could reach it.
  for (const end = performance.now() + 60_000; refused === undefined && performance.now() < end;) {
    for (const pause = performance.now() + 5; performance.now() < pause;);
    try {
      futures.push(pool.submit(tasks.pid))
    } catch (error) {
      refused = error
    }
  }
  t.true(refused instanceof BrokenProcessPool)
  const { workers, message } = refused as BrokenProcessPool
  t.like(workers, [{ pid, signal: 'SIGKILL', task: { name: 'killSelf' } }])
  t.regex(message, new RegExp(`worker ${pid} \\(killed by SIGKILL, running 'killSelf'`))
  for (const future of futures) t.true((await failureOf(future)) instanceof BrokenProcessPool)
})
