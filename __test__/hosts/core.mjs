// The abilities of every pool, whatever its mechanisms. Says which mechanisms the pool used; ends with code 1 and a
// reason when a check fails.

import assert from 'node:assert/strict'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { defineTasks, isWorker, ProcessPoolExecutor } from 'millrace'
import { workersOf } from '../helpers/processes.mjs'
import { startMethod } from '../helpers/start-method.mjs'
import { holdings, say } from './observe.mjs'

const tasks = defineTasks(import.meta.url, {
  pid: () => process.pid,

  /** @type {<T>(value: T) => T} */
  identity: (value) => value,

  /** @type {<T>(ms: number, value: T) => Promise<T>} */
  sleep: (ms, value) => sleep(ms, value),

  spin: () => {
    for (;;);
  },

  /** @type {(code: number) => unknown} */
  reallyExit: (code) => /** @type {any} */ (process).reallyExit(code),

  /** @type {(code: number) => never} */
  exit: (code) => process.exit(code),
})

/** @param {import('millrace').ProcessPoolOptions} [options] */
const makePool = (options) => new ProcessPoolExecutor({ maxWorkers: 2, startMethod, ...options })

/** @param {import('millrace').Future<unknown>} future */
async function claimed(future) {
  while (!future.running()) await sleep(1)
}

/** @type {Record<string, () => unknown>} */
const checks = {
  calls: async () => {
    const pool = makePool()
    const list = Array.from({ length: 500 }, (_, index) => index)
    assert.deepEqual(await Promise.all(list.map((value) => pool.submit(tasks.identity, value))), list)
    // Both sides fall asleep in between.
    for (const pause of [0, 1, 30, 60]) {
      await sleep(pause)
      assert.equal(await pool.submit(tasks.identity, pause), pause)
    }
    const slow = [
      pool.submit(tasks.sleep, 40, 'a'),
      pool.submit(tasks.sleep, 20, 'b'),
      pool.submit(tasks.sleep, 1, 'c'),
    ]
    assert.deepEqual(await Promise.all(slow), ['a', 'b', 'c'])
    const mapped = []
    for await (const value of pool.map(tasks.identity, list)) mapped.push(value)
    assert.deepEqual(mapped, list)
    assert.equal(pool.submit(tasks.identity, 'sync').resultSync(), 'sync')
    await pool.shutdown()
  },

  burst: async () => {
    const pool = makePool()
    let settled = 0
    for (let index = 0; index < 10_000; index++) pool.submit(tasks.identity, index).addDoneCallback(() => settled++)
    await pool.shutdown()
    assert.equal(settled, 10_000)
  },

  'isolated deaths': async () => {
    const pool = makePool({ onWorkerDeath: 'isolate' })
    pool.on('warning', () => {})
    const future = pool.submit(tasks.spin)
    const other = pool.submit(tasks.sleep, 100, 'other')
    await claimed(future)
    const pid = pool.stats().workers.find(({ task }) => task?.name === 'spin')?.pid ?? 0
    process.kill(pid, 'SIGKILL')
    const error = /** @type {any} */ (await future.exception())
    assert.deepEqual([error.name, error.pid, error.exitCode, error.signal], ['WorkerDiedError', pid, null, 'SIGKILL'])
    assert.equal(await other, 'other')
    const exited = /** @type {any} */ (await pool.submit(tasks.reallyExit, 0).exception())
    assert.deepEqual([exited.name, exited.exitCode, exited.signal], ['WorkerDiedError', 0, null])
    const polite = /** @type {any} */ (await pool.submit(tasks.exit, 4).exception())
    assert.deepEqual([polite.name, polite.exitCode], ['TaskExitError', 4])
    // A worker that dies while it is idle.
    process.kill(await pool.submit(tasks.pid), 'SIGKILL')
    assert.equal(await pool.submit(tasks.identity, 'still there'), 'still there')
    await pool.shutdown()
  },

  'a death that breaks the pool': async () => {
    const pool = makePool({ onWorkerDeath: 'break', maxWorkers: 1 })
    const futures = [pool.submit(tasks.reallyExit, 3), pool.submit(tasks.identity, 1), pool.submit(tasks.identity, 2)]
    for (const future of futures) {
      const error = /** @type {any} */ (await future.exception())
      assert.equal(error.name, 'BrokenProcessPool')
      assert.deepEqual([error.workers[0].exitCode, error.workers[0].signal], [3, null])
    }
    await pool.shutdown()
  },

  cancellation: async () => {
    const pool = makePool({ maxWorkers: 1 })
    const first = pool.submit(tasks.spin)
    const waiting = [pool.submit(tasks.identity, 1), pool.submit(tasks.identity, 2)]
    await claimed(first)
    assert.deepEqual([first.cancel(), waiting[0]?.cancel()], [false, true])
    assert.equal(first.cancel({ kill: true }), true)
    assert.equal(await waiting[1], 2)
    const timed = /** @type {any} */ (await pool.run(tasks.spin, [], { timeout: 50 }).exception())
    assert.equal(timed.name, 'TaskTimeoutError')
    await pool.shutdown()
  },

  'large payloads': async () => {
    const pool = makePool()
    const payloads = [447, 448, 449, 16_384, 65_536, 1 << 20, 20 << 20].map((size) => Buffer.alloc(size, size % 251))
    const arrived = await Promise.all(payloads.map((payload) => pool.submit(tasks.identity, payload)))
    arrived.forEach((payload, index) => assert.ok(payload.equals(/** @type {Buffer} */ (payloads[index]))))
    const objects = { rows: Array.from({ length: 50_000 }, (_, id) => ({ id, name: `row ${id}` })) }
    assert.deepEqual(await pool.submit(tasks.identity, objects), objects)
    await pool.shutdown()
  },

  recycling: async () => {
    const pool = makePool({ maxTasksPerChild: 2, maxWorkers: 1 })
    const pids = new Set(await Promise.all([1, 2, 3, 4].map(() => pool.submit(tasks.pid))))
    assert.equal(pids.size, 2)
    await pool.shutdown()
  },

  'the end in every way': async () => {
    const [shut, killed, terminated, idle] = [makePool(), makePool(), makePool(), makePool({ idleTimeout: 10 })]
    const spinning = [killed, terminated].map((pool) => pool.submit(tasks.spin))
    await Promise.all([shut.submit(tasks.pid), idle.submit(tasks.pid), ...spinning.map(claimed)])
    await Promise.all([shut.shutdown(), killed.killWorkers(), terminated.terminateWorkers()])
    for (const future of spinning) {
      assert.equal(/** @type {any} */ (await future.exception()).name, 'WorkerTerminatedError')
    }
    while (workersOf().length > 0) await sleep(2)
    await idle.shutdown()
  },
}

async function main() {
  const pool = makePool()
  await pool.submit(tasks.pid)
  await pool.shutdown()
  const before = holdings()
  for (const [name, check] of Object.entries(checks)) {
    try {
      await check()
      // Results that are views of a lane keep its memory until they are collected.
      for (let turn = 0; turn < 100 && !isDeepStrictEqual(holdings(), before); turn++) {
        globalThis.gc?.()
        await sleep(10)
      }
      assert.deepEqual(holdings(), before)
    } catch (error) {
      throw new Error(`The check '${name}' failed`, { cause: error })
    }
  }
  say(/^platform: (.*)$/m.exec(pool.dumpState())?.[1])
}

if (!isWorker) await main()
