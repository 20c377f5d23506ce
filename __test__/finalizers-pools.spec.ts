// Pools among the finalizers: they end their workers at priority 15.

import { Finalize, runFinalizers, ShutdownError, WorkerTerminatedError } from 'millrace'
import { tasks } from './fixtures/basic.mjs'
import { type Owner, registerOwner, unregisterOwner } from '../src/host/exit.js'
import { test } from './helpers/leaks.js'
import { claimed, failureOf, Gate, makePool } from './helpers/pool.js'
import { until } from './helpers/waiting.js'

test('a full pass ends the pools of a program that goes on: every call has an outcome', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const running = pool.submit(tasks.holdAsync, new Gate(t).path, 0)
  await claimed(running)
  const waiting = pool.submit(tasks.add, 1, 2)
  const order: string[] = []
  // Finalizers above the pool run while it works, and those below it when its calls are over.
  new Finalize(null, () => order.push(`16 ${running.done()}`), { exitPriority: 16 })
  new Finalize(null, () => order.push(`14 ${pool.stats().queued}`), { exitPriority: 14 })
  runFinalizers(16)
  t.true(running.running())
  runFinalizers()
  t.deepEqual(order, ['16 false', '14 0'])
  t.true((await failureOf(running)) instanceof WorkerTerminatedError)
  await until('the waiting call', () => waiting.done())
  t.true(waiting.cancelled())
  t.throws(() => pool.submit(tasks.add, 1, 2), { instanceOf: ShutdownError })
  await pool.shutdown()
  t.deepEqual(pool.stats().workers, [])
})

/** An owner that records what it is asked for. */
function talkingOwner(): { owner: Owner; asked: string[] } {
  const asked: string[] = []
  const owner = {
    dismissIdle: () => void asked.push('dismissIdle'),
    killNow: () => void asked.push('killNow'),
    terminate: (hard: boolean) => void asked.push(`terminate ${hard}`),
  }
  return { owner, asked }
}

test('an owner is a finalizer while it has workers: once, and again when it has others', (t) => {
  const { owner, asked } = talkingOwner()
  registerOwner(owner)
  registerOwner(owner)
  runFinalizers(16)
  t.deepEqual(asked, [])
  runFinalizers(15)
  runFinalizers()
  t.deepEqual(asked.splice(0), ['terminate true'])
  registerOwner(owner)
  unregisterOwner(owner)
  unregisterOwner(owner)
  runFinalizers()
  t.deepEqual(asked, [])
  registerOwner(owner)
  runFinalizers()
  t.deepEqual(asked, ['terminate true'])
  unregisterOwner(owner)
})
