// The promises of every executor, kept with worker processes: submit, order, `await using`, reports of the state.

import { execFileSync } from 'node:child_process'
import { Executor, Future, isWorker, ProcessPoolExecutor, taskContext } from 'millrace'
import { tasks } from './fixtures/basic.mjs'
import { test } from './helpers/leaks.js'
import { childrenOf, workersOf } from './helpers/processes.mjs'
import { claimed, failureOf, Gate, Log, makePool } from './helpers/pool.js'
import { within } from './helpers/waiting.js'

test('submit() calls the function with its arguments in another process', async (t) => {
  const pool = makePool(t)
  t.true(pool instanceof Executor)
  const future = pool.submit(tasks.add, 2, 3)
  t.true(future instanceof Future)
  t.is(await future, 5)
  const pid = await pool.submit(tasks.pid)
  t.not(pid, process.pid)
  t.deepEqual(
    workersOf().map((child) => child.pid),
    [pid],
  )
})

test('arguments are read at the call: what happens to them later does not matter', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const list = [1, 2, 3]
  const future = pool.submit(tasks.identity, list)
  list.push(4)
  t.deepEqual(await future, [1, 2, 3])
})

test('missing arguments are missing, and undefined ones are there', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const count = (...args: unknown[]): number => args.length
  t.is(await pool.submit(count), 0)
  t.is(await pool.submit(count, undefined, undefined), 2)
})

test('run() takes the arguments as an array', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  t.is(await pool.run(tasks.add, [4, 5]), 9)
  const error = t.throws(() => pool.run(tasks.add, 4 as never), { instanceOf: TypeError, message: /"args"/ })
  t.is((error as NodeJS.ErrnoException).code, 'ERR_INVALID_ARG_TYPE')
})

for (const wrong of [undefined, null, 'add', {}, 7]) {
  test(`submit(${JSON.stringify(wrong)}) is a TypeError that names fn, and starts nothing`, (t) => {
    const pool = makePool(t)
    for (const call of [() => pool.submit(wrong as never), () => pool.run(wrong as never, [])]) {
      const error = t.throws(call, { instanceOf: TypeError, message: /"fn"/ })
      t.is((error as NodeJS.ErrnoException).code, 'ERR_INVALID_ARG_TYPE')
    }
    t.is(pool.stats().queued, 0)
    t.deepEqual(pool.stats().workers, [])
  })
}

test('calls start in the order in which they were submitted', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const log = new Log(t)
  const lines = Array.from({ length: 200 }, (_, index) => index)
  await Promise.all(lines.map((line) => pool.submit(tasks.append, log.path, line)))
  t.deepEqual(log.lines, lines.map(String))
})

test('calls end in any order: a short one does not wait for a long one', async (t) => {
  const pool = makePool(t, { maxWorkers: 2 })
  const gate = new Gate(t)
  const long = pool.submit(tasks.hold, gate.path, 'long')
  t.is(await pool.submit(tasks.identity, 'short'), 'short')
  t.false(long.done())
  gate.open()
  t.is(await long, 'long')
})

test('a task that awaits does not let its worker start another one', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const gate = new Gate(t)
  const first = pool.submit(tasks.holdAsync, gate.path, 1)
  const second = pool.submit(tasks.identity, 2)
  await claimed(first)
  t.throws(() => second.resultSync({ timeout: 50 }), { code: 'ERR_MILLRACE_TIMEOUT' })
  t.false(second.running())
  gate.open()
  t.deepEqual(await Promise.all([first, second]), [1, 2])
})

test('100,000 calls submitted in one synchronous loop all settle, each with its own result', async (t) => {
  const pool = makePool(t, { maxWorkers: 2 })
  const count = 100_000
  const futures: Future<number>[] = []
  for (let index = 0; index < count; index++) futures.push(pool.submit(tasks.double, index))
  let wrong = 0
  for (let index = 0; index < count; index++) {
    if ((await within('the calls', futures[index]!, () => pool.dumpState())) !== 2 * index) wrong++
  }
  t.is(wrong, 0)
  const { completed, failed, cancelled, queued, running } = pool.stats()
  t.deepEqual(
    { completed, failed, cancelled, queued, running },
    {
      completed: count,
      failed: 0,
      cancelled: 0,
      queued: 0,
      running: 0,
    },
  )
})

test('`await using` waits for the calls and for the workers to be gone', async (t) => {
  const gate = new Gate(t)
  let future: Future<string>
  {
    await using pool = new ProcessPoolExecutor({ maxWorkers: 1, execArgv: [] })
    future = pool.submit(tasks.hold, gate.path, 'done')
    setTimeout(() => gate.open(), 30)
  }
  t.true(future.done())
  t.is(await future, 'done')
  t.deepEqual(childrenOf(), [])
})

test('`await using` does not swallow what its block throws', async (t) => {
  const log = new Log(t)
  const body = async (): Promise<void> => {
    await using pool = new ProcessPoolExecutor({ maxWorkers: 1, execArgv: [] })
    pool.submit(tasks.append, log.path, 'ran')
    throw new RangeError('from the block')
  }
  await t.throwsAsync(body, { instanceOf: RangeError, message: 'from the block' })
  t.deepEqual(log.lines, ['ran'])
  t.deepEqual(childrenOf(), [])
})

test('taskContext() tells a task its numbers, and nobody else', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  t.is(taskContext(), undefined)
  t.false(isWorker)
  const first = await pool.submit(tasks.context)
  const second = await pool.submit(tasks.context)
  t.deepEqual(
    [first, second],
    [
      { taskId: 1, workerId: 1, aborted: false },
      { taskId: 2, workerId: 1, aborted: false },
    ],
  )
  t.true(
    await pool.submit(async () => {
      const millrace = await import('millrace')
      return millrace.isWorker
    }),
  )
})

test('a program is no worker because of what its last argument looks like', (t) => {
  const program = "import { isWorker } from 'millrace'; console.log(isWorker)"
  for (const argument of ['millrace:notes', 'millrace-server:', 'millrace:1:2']) {
    const said = execFileSync(process.execPath, ['--input-type=module', '--eval', program, argument])
    t.is(said.toString(), 'false\n', argument)
  }
})

test('stats() counts what waits, runs and has ended', async (t) => {
  const pool = makePool(t, { maxWorkers: 2 })
  const before = Date.now()
  const gate = new Gate(t)
  t.deepEqual(pool.stats(), {
    queued: 0,
    running: 0,
    idle: 0,
    completed: 0,
    failed: 0,
    cancelled: 0,
    items: { completed: 0, failed: 0 },
    restarts: 0,
    workers: [],
  })
  const held = [pool.run(tasks.hold, [gate.path, 1], { label: 'one' }), pool.submit(tasks.hold, gate.path, 2)]
  await claimed(...held)
  const waiting = [pool.submit(tasks.identity, 3), pool.submit(tasks.fail, 'four'), pool.submit(tasks.identity, 5)]
  const stats = pool.stats()
  t.is(stats.queued, 3)
  t.is(stats.running, 2)
  t.is(stats.idle, 0)
  t.deepEqual(
    stats.workers.map((worker) => worker.pid).sort(),
    workersOf()
      .map(({ pid }) => pid)
      .sort(),
  )
  for (const worker of stats.workers) {
    t.is(worker.state, 'busy')
    t.is(worker.tasksDone, 0)
    t.is(worker.task?.name, 'hold')
    t.is(worker.task?.label, worker.task?.taskId === 1 ? 'one' : undefined)
    t.true(worker.startedAt instanceof Date && worker.startedAt.getTime() >= before - 1000)
    if (process.platform === 'linux') t.true(worker.rss! > 1 << 20)
  }
  t.true(waiting[2]!.cancel())
  t.is(pool.stats().queued, 2)
  t.is(pool.stats().cancelled, 1)
  gate.open()
  await Promise.all([...held, waiting[0]])
  await failureOf(waiting[1]!)
  const after = pool.stats()
  t.deepEqual(
    {
      queued: after.queued,
      running: after.running,
      idle: after.idle,
      completed: after.completed,
      failed: after.failed,
    },
    { queued: 0, running: 0, idle: 2, completed: 3, failed: 1 },
  )
  t.is(
    after.workers.reduce((sum, { tasksDone }) => sum + tasksDone, 0),
    4,
  )
  t.true(after.workers.every(({ state, task }) => state === 'idle' && task === undefined))
})

test('stats() counts every kind of failure and of cancellation', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  await failureOf(pool.submit(tasks.fail, 'thrown'))
  await failureOf(pool.submit(tasks.identity, () => {}))
  await failureOf(pool.run(tasks.sleep, [60_000, 0], { timeout: 10 }))
  t.is(pool.stats().failed, 3)
  const running = pool.submit(tasks.sleep, 60_000, 0)
  await claimed(running)
  t.true(running.cancel({ kill: true }))
  t.true(pool.run(tasks.add, [1, 2], { signal: AbortSignal.abort() }).cancelled())
  t.is(pool.stats().cancelled, 2)
})

test('dumpState() shows the pool, its workers and its calls as text', async (t) => {
  const pool = makePool(t, { maxWorkers: 1, name: 'dumped' })
  const gate = new Gate(t)
  const held = pool.run(tasks.hold, [gate.path, 1], { label: 'the first' })
  await claimed(held)
  const waiting = pool.submit(tasks.identity, 2)
  const text = pool.dumpState()
  const [pid] = workersOf().map((child) => child.pid)
  for (const part of [
    "'dumped'",
    'open',
    `pid ${pid}`,
    "'hold' [the first] (task 1): running",
    "'identity' (task 2): pending",
  ]) {
    t.true(text.includes(part), `${part} in\n${text}`)
  }
  gate.open()
  await waiting
  await pool.shutdown()
  t.regex(pool.dumpState(), /stopped/)
})
