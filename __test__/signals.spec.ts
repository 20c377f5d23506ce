// SIGTERM and SIGHUP to workers, as service managers and terminals send them to all processes of a program.

import { existsSync } from 'node:fs'
import { tasks } from './fixtures/basic.mjs'
import { exits } from './fixtures/exits.mjs'
import { signalled } from './fixtures/signalled.mjs'
import { startHost } from './helpers/hosts.js'
import { test } from './helpers/leaks.js'
import { claimed, failureOf, Gate, Log, makePool, record } from './helpers/pool.js'
import { isAlive, workersOf } from './helpers/processes.mjs'
import { moment, until, within } from './helpers/waiting.js'

const ENDING = ['SIGTERM', 'SIGHUP', 'SIGINT'] as const

for (const onWorkerDeath of ['isolate', 'break'] as const) {
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) {
    test(`a program that drains at ${signal} loses no call when all its processes get the signal (${onWorkerDeath})`, async (t) => {
      const host = startHost(t, 'drain', { onWorkerDeath, signal })
      t.is(await host.line(), 'ready')
      // Several times: supervisors repeat themselves.
      for (let times = 0; times < 3; times++) {
        for (const pid of host.processes()) if (pid !== host.pid) process.kill(pid, signal)
        await moment(20)
      }
      host.signal(signal)
      t.deepEqual(await host.line(), { values: [0, 1, 2, 3, 4, 5], warnings: [] }, host.errors)
      t.deepEqual(await host.ended(), { code: 0, signal: null }, host.errors)
      await host.vanished()
    })
  }

  test(`workers go on, idle, asynchronous and in a busy loop, when others signal them (${onWorkerDeath})`, async (t) => {
    const pool = makePool(t, { maxWorkers: 3, onWorkerDeath })
    const exited = record(pool, 'workerExit')
    const gate = new Gate(t)
    const held = [pool.submit(tasks.hold, gate.path, 1), pool.submit(signalled.waitFor, gate.path, 2)]
    await claimed(...held)
    await pool.submit(tasks.identity, 0)
    for (const signal of ENDING) for (const { pid } of workersOf()) process.kill(pid, signal)
    await moment()
    gate.open()
    t.deepEqual(await within('the calls', Promise.all(held)), [1, 2])
    t.deepEqual(exited, [])
  })
}

test('a time limit and terminateWorkers() end a worker at once that has got signals of others', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const exited = record(pool, 'workerExit')
  const pid = await pool.submit(tasks.pid)
  process.kill(pid, 'SIGTERM')
  const log = new Log(t)
  await failureOf(pool.run(exits.spin, [log.path], { timeout: 50 }))
  await until('the worker to be gone', () => exited.length === 1)
  t.deepEqual([exited[0]!.pid, exited[0]!.signal, exited[0]!.reason], [pid, 'SIGTERM', 'killed'])
  const spinning = pool.submit(exits.spin, log.path)
  await claimed(spinning)
  const next = pool.stats().workers[0]!.pid
  process.kill(next, 'SIGHUP')
  await within('terminateWorkers()', pool.terminateWorkers(), () => pool.dumpState())
  await failureOf(spinning)
  t.deepEqual([exited[1]!.pid, exited[1]!.signal], [next, 'SIGTERM'])
})

test('a task that listens to SIGTERM gets every signal, and none is fatal when it has stopped to listen', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const gate = new Gate(t)
  const counted = pool.submit(signalled.count, gate.path)
  await claimed(counted)
  const pid = pool.stats().workers[0]!.pid
  await until('the listener to be there', () => !existsSync(gate.path))
  process.kill(pid, 'SIGTERM')
  t.is(await within('the count', counted), 1)
  process.kill(pid, 'SIGTERM')
  process.kill(pid, 'SIGHUP')
  await moment()
  t.is(await pool.submit(tasks.pid), pid)
})

test('a signal that a task sends to its own process ends the worker', async (t) => {
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) {
    const pool = makePool(t, { maxWorkers: 1, onWorkerDeath: 'isolate' })
    const error = (await failureOf(pool.submit(exits.killSelf, signal))) as { signal: string }
    t.is(error.signal, signal)
  }
})

test('processes that a task starts end by SIGTERM as usual', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const log = new Log(t)
  const parent = pool.submit(exits.startGrandchild, log.path)
  await until('the process to be there', () => log.lines.length === 1)
  const grandchild = Number(log.lines[0])
  process.kill(grandchild, 'SIGTERM')
  await until('the process to end', () => !isAlive(grandchild))
  t.true(parent.cancel({ kill: true }))
})
