// Stopping calls: cancel(), cancel({ kill }), terminateWorkers(), killWorkers(). Invariant: cancel() returned true ⇔
// the call never ran.

import { BrokenProcessPool, CancelledError, type Future, ShutdownError, WorkerTerminatedError } from 'millrace'
import { exits } from './fixtures/exits.mjs'
import { tasks } from './fixtures/basic.mjs'
import { test } from './helpers/leaks.js'
import { isAlive, workersOf } from './helpers/processes.mjs'
import { claimed, failureOf, Gate, Log, makePool, record, startBoth } from './helpers/pool.js'
import { startMethod } from './helpers/start-method.mjs'
import { moment, until, untilSync, within } from './helpers/waiting.js'

const pids = (): number[] => workersOf().map(({ pid }) => pid)

test('cancel() returned true if and only if the call never ran', async (t) => {
  const pool = makePool(t, { maxWorkers: 2 })
  const log = new Log(t)
  let cancelled = 0
  let refused = 0
  const expected: string[] = []
  for (let round = 0; round < 30; round++) {
    const futures = Array.from({ length: 40 }, (_, index) => pool.submit(tasks.append, log.path, `${round}.${index}`))
    // At a different moment in each round, from both ends.
    if (round % 3 > 0) await new Promise((resolve) => setTimeout(resolve, round % 3))
    const order = futures.map((future, index) => ({ future, index }))
    if (round % 2 > 0) order.reverse()
    for (const { future, index } of order) {
      if (index % 4 !== 0 && future.cancel()) cancelled++
      else {
        if (index % 4 !== 0) refused++
        expected.push(`${round}.${index}`)
      }
    }
    await Promise.allSettled(futures.map((future) => future.result()))
  }
  t.deepEqual(log.lines.sort(), expected.sort())
  t.true(cancelled > 0, 'nothing was cancelled')
  t.is(pool.stats().cancelled, cancelled)
  t.is(pool.stats().completed, expected.length)
  t.log(`${cancelled} cancelled, ${refused} too late`)
})

test('a cancelled call makes room for the next one, and costs no worker', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const pid = await pool.submit(tasks.pid)
  for (let index = 0; index < 2000; index++) pool.submit(tasks.identity, index).cancel()
  t.is(await pool.submit(tasks.pid), pid)
  t.is(pool.stats().queued, 0)
})

test('cancel({ kill }) stops a running call: the future is cancelled at once, the worker is replaced', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const log = new Log(t)
  const future = pool.submit(exits.spin, log.path)
  await until('it to run', () => log.lines.length === 1)
  const pid = Number(log.lines[0])
  t.false(future.cancel())
  t.true(future.cancel({ kill: true }))
  t.true(future.cancelled())
  await t.throwsAsync(future.result(), { instanceOf: CancelledError })
  const next = await pool.submit(tasks.pid)
  t.not(next, pid)
  t.false(isAlive(pid))
  t.is(pool.stats().restarts, 1)
})

test('cancel({ kill }) of a call that waits cancels just that, and no worker is hurt', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const gate = new Gate(t)
  const held = pool.submit(tasks.hold, gate.path, 'held')
  await claimed(held)
  const waiting = pool.submit(tasks.identity, 1)
  t.true(waiting.cancel({ kill: true }))
  const before = pids()
  gate.open()
  t.is(await held, 'held')
  t.deepEqual(pids(), before)
})

test('calls that are queued behind a killed one run, each once, on its replacement', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const log = new Log(t)
  // Calls that take no time teach the pool to queue many calls ahead.
  await Promise.all(Array.from({ length: 300 }, (_, index) => pool.submit(tasks.add, index, 1)))
  const spinning = pool.submit(exits.spin, log.path)
  const rest = Array.from({ length: 50 }, (_, index) => pool.submit(tasks.append, log.path, `after ${index}`))
  await until('it to run', () => log.lines.length === 1)
  t.true(spinning.cancel({ kill: true }))
  await within('the rest', Promise.all(rest), () => pool.dumpState())
  t.deepEqual(
    log.lines.slice(1),
    rest.map((_, index) => `after ${index}`),
  )
})

test('killing one call never hurts its neighbours, whatever the moment', async (t) => {
  const pool = makePool(t, { maxWorkers: 1, onWorkerDeath: 'isolate' })
  let killed = 0
  for (let round = 0; round < 12; round++) {
    const futures = Array.from({ length: 30 }, (_, index) => pool.submit(tasks.block, 0.2, index))
    await pool.submit(tasks.add, 0, 0)
    const more = Array.from({ length: 30 }, (_, index) => pool.submit(tasks.block, round % 3, index))
    // Too quick to be caught in most rounds, and slow enough in some.
    const slow = round % 3 === 2
    const victim = slow ? pool.submit(tasks.sleep, 60_000, 0) : more[round]!
    const last = pool.submit(tasks.identity, round)
    await until('the victim to run, or to be over', () => victim.running() || victim.done())
    if (victim.cancel({ kill: true })) killed++
    const others = [...futures, ...more.filter((future) => future !== victim), last]
    const outcomes = await within('the others', Promise.all(others.map((future) => future.exception())), () =>
      pool.dumpState(),
    )
    t.deepEqual(
      outcomes.filter((outcome) => outcome !== undefined),
      [],
    )
  }
  t.true(killed >= 4, `${killed}`)
})

test('a task that ignores SIGTERM is killed 5 s later, and all that its worker has started goes with it', async (t) => {
  // Both ways at once, because each takes its five seconds.
  const pool = makePool(t, { maxWorkers: 2 })
  const other = makePool(t, { maxWorkers: 2 })
  const [log, otherLog, children] = [new Log(t), new Log(t), new Log(t)]
  const exited = [record(pool, 'workerExit'), record(other, 'workerExit')] as const
  const stubborn = pool.submit(exits.ignoreTerm, log.path)
  const parent = pool.submit(exits.startGrandchild, children.path)
  const terminated = other.submit(exits.ignoreTerm, otherLog.path)
  const spinning = other.submit(exits.spin, otherLog.path)
  await until('all to run', () => log.lines.length + children.lines.length + otherLog.lines.length === 4)
  const grandchild = Number(children.lines[0])
  t.true(isAlive(grandchild))

  t.true(stubborn.cancel({ kill: true }))
  t.true(parent.cancel({ kill: true }))
  const gone = other.terminateWorkers()
  const errors = (await Promise.all([terminated, spinning].map(failureOf))) as WorkerTerminatedError[]
  await until('the grandchild to be gone', () => !isAlive(grandchild))
  await until('the signals to be seen', () => log.lines.includes('SIGTERM') && otherLog.lines.includes('SIGTERM'))
  await within('terminateWorkers()', gone, () => other.dumpState())

  for (const error of errors) {
    t.true(error instanceof WorkerTerminatedError, String(error))
    t.true(otherLog.lines.includes(String(error.pid)))
  }
  await until('both pools to be rid of them', () => exited[0].length === 2 && exited[1].length === 2)
  const ends = new Map([...exited[0], ...exited[1]].map(({ pid, signal, reason }) => [pid, `${reason} ${signal}`]))
  t.is(ends.get(Number(log.lines[0])), 'killed SIGKILL')
  t.is(ends.get(errors[0]!.pid), 'killed SIGKILL')
  t.is(ends.get(errors[1]!.pid), 'killed SIGTERM')
  t.is(await pool.submit(tasks.add, 1, 2), 3)
})

for (const method of ['terminateWorkers', 'killWorkers'] as const) {
  const signal = method === 'killWorkers' ? 'SIGKILL' : 'SIGTERM'

  test(`${method}(): running calls fail, waiting ones are cancelled, process trees go, nothing is accepted`, async (t) => {
    const pool = makePool(t, { maxWorkers: 2 })
    const exited = record(pool, 'workerExit')
    const log = new Log(t)
    const children = new Log(t)
    const running: Future<unknown>[] = [
      pool.submit(exits.spin, log.path),
      pool.submit(exits.startGrandchild, children.path),
    ]
    await until('both to run', () => log.lines.length + children.lines.length === 2)
    const waiting = Array.from({ length: 20 }, () => pool.submit(tasks.append, log.path, 'never'))
    const workers = pids()
    const grandchild = Number(children.lines[0])
    await within(`${method}()`, pool[method](), () => pool.dumpState())
    for (const future of running) {
      const error = (await failureOf(future)) as WorkerTerminatedError
      t.true(error instanceof WorkerTerminatedError, String(error))
      t.is(error.code, 'ERR_MILLRACE_WORKER_TERMINATED')
      t.true(workers.includes(error.pid))
    }
    t.true(waiting.every((future) => future.cancelled()))
    await until('the grandchild to be gone', () => !isAlive(grandchild))
    t.deepEqual(pids(), [])
    t.is(log.lines.length, 1)
    t.is(exited.length, 2)
    for (const exit of exited) t.deepEqual([exit.reason, exit.signal, exit.exitCode], ['killed', signal, null])
    t.throws(() => pool.submit(tasks.add, 1, 2), { instanceOf: ShutdownError })
    await within('a second time', pool[method]())
    await within('shutdown() afterwards', pool.shutdown())
  })

  test(`${method}() while workers start: no warning, no broken pool, and the calls are cancelled`, async (t) => {
    const pool = makePool(t, { maxWorkers: 4 })
    const [exited, broken, warnings] = [record(pool, 'workerExit'), record(pool, 'broken'), record(pool, 'warning')]
    const futures = Array.from({ length: 8 }, (_, index) => pool.submit(tasks.add, index, 1))
    await within(`${method}()`, pool[method](), () => pool.dumpState())
    t.true(futures.every((future) => future.cancelled()))
    t.deepEqual([broken, warnings], [[], []])
    t.deepEqual(
      exited.map(({ reason }) => reason),
      // While a fork server boots, there are no workers.
      startMethod === 'forkserver' ? [] : ['killed', 'killed', 'killed', 'killed'],
    )
  })

  test(`${method}() on a pool with idle workers, from a callback, and on a broken pool`, async (t) => {
    const idle = makePool(t, { maxWorkers: 1 })
    await idle.submit(tasks.pid)
    await within('idle', idle[method]())

    const called = makePool(t, { maxWorkers: 1 })
    const first = called.submit(tasks.add, 1, 2)
    const second = called.submit(tasks.sleep, 60_000, 0)
    let promise: Promise<void> | undefined
    first.addDoneCallback(() => (promise = called[method]()))
    t.is(await first, 3)
    await within('from a callback', promise!)
    t.true(second.cancelled() || (await second.exception()) instanceof WorkerTerminatedError)

    const broken = makePool(t, { maxWorkers: 1 })
    t.true((await failureOf(broken.submit(exits.reallyExit, 1))) instanceof BrokenProcessPool)
    await within('broken', broken[method]())
  })
}

test('results that are there are delivered before the workers are killed', async (t) => {
  const pool = makePool(t, { maxWorkers: 2 })
  await startBoth(t, pool)
  const log = new Log(t)
  const finished = pool.submit(tasks.append, log.path, 'finished')
  const running = pool.submit(exits.spin, log.path)
  // This blocks the thread, so that the result stays unread.
  untilSync('the result and the other call to be there', () => log.lines.length === 2)
  t.false(finished.done())
  await pool.killWorkers()
  t.is(finished.outcome, 'value')
  t.true((await failureOf(running)) instanceof WorkerTerminatedError)
})

test('cancel() options are checked', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const future = pool.submit(tasks.sleep, 20, 0)
  for (const kill of [1, 'yes', null]) {
    const error = t.throws(() => future.cancel({ kill: kill as never }), {
      instanceOf: TypeError,
      message: /options\.kill/,
    })
    t.is((error as NodeJS.ErrnoException).code, 'ERR_INVALID_ARG_TYPE')
  }
  await moment(1)
  t.is(await future, 0)
})
