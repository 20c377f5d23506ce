// The start method 'fork': programs that fork their workers from themselves.

import test, { type ExecutionContext } from 'ava'
import { faultsBinding } from './helpers/faults.js'
import { forkable, type Host, runHost, startHost } from './helpers/hosts.js'
import { until } from './helpers/waiting.js'

const start = (t: ExecutionContext, scenario: string): Host => startHost(t, 'fork', { scenario }, forkable)

const run = (t: ExecutionContext, scenario: string, env: Record<string, string> = {}): Promise<any> =>
  runHost(t, 'fork', { scenario }, { ...forkable, env })

if (process.platform === 'linux') {
  test('all workers are forked in one turn after the first call, as they are then, and never again', async (t) => {
    const host = start(t, 'all workers at once')
    const { pid, before, sync, first, children } = await host.line<any>()
    t.is(pid, host.pid)
    t.is(before, 0, 'the constructor starts none')
    t.is(children, 3)
    t.like(sync, { name: 'InvalidStateError' })
    t.regex(sync.message, /later turn of the event loop/)
    const who = [first, ...(await host.line<any[]>())]
    for (const worker of who) {
      t.is(worker.ppid, host.pid)
      t.is(worker.pid, worker.self)
      t.is(worker.pid, worker.group)
      t.true(worker.isWorker)
      t.is(worker.title, 'millrace worker')
      t.is(worker.state, 'after the first call')
      t.is(worker.input, 0)
      t.false(worker.active, 'finalizers are the program`s')
      t.deepEqual(worker.listeners, [])
      // The worker has its own lane and lifeline, and not those of the others.
      for (const kind of [/memfd/, /socket/, /pidfd/]) {
        t.is(worker.descriptors.filter((link: string) => kind.test(link)).length, 1, `${kind}: ${worker.descriptors}`)
      }
    }
    t.is(await host.line(), 0)
    t.deepEqual(await host.ended(), { code: 0, signal: null }, host.errors)
    await host.vanished()
    await until('its last words', () => host.errors.includes('finalizer'))
    t.deepEqual(host.errors.trim().split('\n').sort(), [`exit listener in ${pid}`, `finalizer in ${pid}`])
  })

  test('siblings share no randomness with each other', async (t) => {
    const drawn = await run(t, 'randomness')
    t.is(drawn.length, 30 * 50 * 3)
    t.is(new Set(drawn).size, drawn.length)
  })

  test('a worker can do what a spawned one can, and nothing with the pool of its parent', async (t) => {
    const said = await run(t, 'what a worker may do')
    t.like(said, { source: 2, moved: 1 << 20, nested: 3 })
    t.deepEqual(said.mapped, [1, 2, 3])
    t.deepEqual(said.large, [8 << 20, 7])
    for (const what of ['submit', 'shutdown', 'wait']) {
      t.like(said.foreign[what], { name: 'InvalidStateError' }, what)
      t.regex(said.foreign[what].message, /forked from it/)
    }
    t.true(said.foreign.safety.some((reason: string) => reason.includes('a worker itself')))
  })

  test('workers end in every way, are not replaced, and the end of the last one is that of the pool', async (t) => {
    const { exits, warnings, errors, later } = await run(t, 'ends')
    t.deepEqual(exits, [
      [3, null, 'recycled'],
      [4, null, 'died'],
      [null, 'SIGABRT', 'died'],
      [null, 'SIGKILL', 'died'],
      [null, 'SIGKILL', 'died'],
    ])
    t.deepEqual(warnings, [])
    t.is(errors[0].name, 'WorkerDiedError')
    for (const error of [errors[1], later]) {
      t.is(error.name, 'BrokenProcessPool')
      t.regex(error.message, /has no workers: the last is gone: worker \d+ \(killed by SIGKILL/)
      t.regex(error.message, /never replaced; those of 'forkserver' and 'spawn' are/)
    }
  })

  test('under "break" one death breaks the pool', async (t) => {
    const { error } = await run(t, 'a death under break')
    t.like(error, { name: 'BrokenProcessPool', code: 'ERR_MILLRACE_BROKEN_PROCESS_POOL' })
    t.regex(error.message, /killed by SIGKILL/)
  })

  test('an initializer that fails in all workers breaks the pool, with its error as the cause', async (t) => {
    const { error, warnings } = await run(t, 'a failing initializer')
    t.is(error.name, 'BrokenProcessPool')
    t.like(error.cause, { name: 'Error', message: 'no database' })
    t.is(warnings.length, 1)
    t.regex(warnings[0], /no database; the pool goes on with fewer$/)
  })

  test('a second pool is refused while there is another one, and is all right afterwards', async (t) => {
    const { first, other, third, again } = await run(t, 'two pools')
    t.is(first, null)
    t.is(other.name, 'BrokenProcessPool')
    t.like(other.cause, { name: 'ForkUnsafeError' })
    for (const { message } of [other, third]) {
      t.regex(message, /This process cannot be forked/)
      t.regex(message, /a pool of this process has started its workers/)
    }
    t.is(third.name, 'ForkUnsafeError')
    t.is(again, 'again')
  })

  test('what makes the process unsafe between the constructor and the fork breaks the pool, with its reasons', async (t) => {
    const { error, later, children } = await run(t, 'a process that becomes unsafe')
    for (const one of [error, later]) {
      t.is(one.name, 'BrokenProcessPool')
      t.regex(one.reasons.join('\n'), /1 TCPServerWrap\ndescriptors .* -> socket/)
      for (const reason of one.reasons) t.true(one.message.includes(reason), reason)
    }
    t.is(children, 0)
  })

  test('work that is over soon only puts the fork off', async (t) => {
    t.is(await run(t, 'work that is over in time'), 'done')
  })

  test('a shutdown before the fork lets accepted calls finish, and needs no worker without any', async (t) => {
    t.deepEqual(await run(t, 'a shutdown before the fork'), { lost: true, value: 'accepted' })
  })

  test('a Pool forks its workers and keeps those that are left', async (t) => {
    const { squares, workers, lost, pid, children } = await run(t, 'a Pool')
    t.deepEqual(squares, [1, 4, 9, 16])
    t.is(workers, 3)
    t.is(lost.name, 'WorkerDiedError')
    t.is(typeof pid, 'number')
    t.is(children, 0)
  })

  test('a Pool that nobody uses has its workers, and does not keep the program', async (t) => {
    const host = start(t, 'a Pool that nobody uses')
    t.is((await host.lines()).length, 2)
    t.deepEqual(await host.ended(), { code: 0, signal: null }, host.errors)
    await host.vanished()
  })

  test('options that a fork cannot follow are errors with it, and mean spawn where it was set', async (t) => {
    const { errors, spawned, inPool, forked } = await run(t, 'options that a fork cannot follow')
    t.deepEqual(
      errors.map((error: any) => [error.name, /"options\.(\w+)"/.exec(error.message)?.[1]]),
      [
        ['RangeError', 'idleTimeout'],
        ['RangeError', 'maxMemoryPerWorker'],
        ['RangeError', 'maxTasksPerChild'],
        ['TypeError', 'execArgv'],
        ['TypeError', 'env'],
        ['TypeError', 'cwd'],
        ['TypeError', 'stdio'],
      ],
    )
    for (const { message } of errors) t.regex(message, /absent with the start method 'fork', whose workers are/)
    t.is(spawned, '/')
    t.is(inPool, 'spawned')
    t.true(forked)
  })

  test('a pool goes on with the workers that could be forked', async (t) => {
    const binding = await faultsBinding()
    const env = { NAPI_RS_NATIVE_LIBRARY_PATH: binding, MILLRACE_FAULT: 'spawn@2' }
    const { error, live, warnings, later } = await run(t, 'no process', env)
    t.is(error, null)
    t.is(live, 1)
    t.is(warnings.length, 1)
    t.like(warnings[0].cause, { code: 'EAGAIN' })
    t.is(later, undefined)
  })

  test('a pool of which none could be forked fails what waits, and is broken', async (t) => {
    const binding = await faultsBinding()
    const env = { NAPI_RS_NATIVE_LIBRARY_PATH: binding, MILLRACE_FAULT: 'spawn' }
    const { error, live, later } = await run(t, 'no process', env)
    t.is(error.name, 'WorkerSpawnError')
    t.is(live, 0)
    t.is(later.name, 'BrokenProcessPool')
    t.regex(later.message, /has no workers: none could be forked/)
  })

  test('the workers of a program that is killed go with it, busy or not', async (t) => {
    const host = start(t, 'a host that is killed')
    t.is((await host.line<number[]>()).length, 3)
    host.signal('SIGKILL')
    await host.vanished()
    t.pass()
  })

  test('workers go with the finalizers of their program', async (t) => {
    const { later, children } = await run(t, 'a pass of finalizers')
    t.is(later.name, 'ShutdownError')
    t.is(children, 0)
  })
}
