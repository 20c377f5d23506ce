// A thousand jobs while workers are killed all the time: every job has one outcome, and none runs twice.

import test from 'ava'
import { tasks } from './fixtures/basic.mjs'
import { Log } from './helpers/pool.js'
import { startPool } from './helpers/pools.js'
import { Random } from './helpers/random.mjs'
import { until, within } from './helpers/waiting.js'

const JOBS = 1000
const KILL_EVERY_MS = 50

/** Kills a worker again and again, until it is stopped. */
function killer(pids: () => number[], random: Random): { kills: number; stop(): void } {
  const state = { kills: 0, stop: () => clearInterval(timer) }
  const timer = setInterval(() => {
    const victims = pids()
    if (victims.length === 0) return
    try {
      process.kill(random.pick(victims), 'SIGKILL')
      state.kills++
    } catch {
      // The worker has ended already.
    }
  }, KILL_EVERY_MS)
  return state
}

for (const kind of ['calls', 'an iterator'] as const) {
  test.serial(`a thousand jobs as ${kind}, a random worker killed every 50 ms`, async (t) => {
    t.timeout(600_000)
    const log = new Log(t)
    const pool = startPool(t, 4, { stdio: 'ignore' })
    pool.on('warning', () => {})
    const seed = Date.now() % 1_000_000
    t.log(`seed ${seed}`)
    const random = new Random(seed)
    // Three ends in a row in vain break a pool: on a slow machine no worker would ever come up.
    const ready = (): number[] =>
      pool
        .stats()
        .workers.filter(({ state, tasksDone }) => state !== 'starting' && tasksDone > 0)
        .map(({ pid }) => pid)
    const storm = killer(ready, random)
    t.teardown(() => storm.stop())
    const outcomes: ('completed' | 'failed')[] = []
    const details = (): string => `${outcomes.length} outcomes\n${pool.dumpState()}`
    const died: string[] = []
    const fail = (error: { code: string }): void => {
      died.push(error.code)
      outcomes.push('failed')
    }
    if (kind === 'calls') {
      for (let n = 0; n < JOBS; n++) {
        pool.applyAsync(tasks.appendSlowly, [log.path, n], {
          callback: () => outcomes.push('completed'),
          errorCallback: fail,
        })
      }
      await until('the first is there', () => outcomes.length > 0, details)
    } else {
      const items = Array.from({ length: JOBS }, (_, n) => ({ path: log.path, n }))
      const slowly = async ({ path, n }: { path: string; n: number }): Promise<void> => {
        const { appendFileSync } = await import('node:fs')
        appendFileSync(path, `${n}\n`)
        await new Promise((resolve) => setTimeout(resolve, 2))
      }
      const iterator = pool.imapUnordered(slowly, items)
      for (;;) {
        const next = iterator.next().then(({ done }) => {
          if (!done) outcomes.push('completed')
          return done
        }, fail)
        if (await within('a result', next, details)) break
      }
    }
    pool.close()
    await within('the end', pool.join(), details)
    storm.stop()
    t.is(outcomes.length, JOBS)
    t.true(storm.kills > 0)
    t.true(
      died.every((code) => code === 'ERR_MILLRACE_WORKER_DIED'),
      died.join(),
    )
    t.is(new Set(log.lines).size, log.lines.length, 'none ran twice')
    const completed = outcomes.filter((outcome) => outcome === 'completed').length
    t.true(log.lines.length >= completed)
    t.true(completed > died.length)
    t.log(`${storm.kills} kills, ${completed} completed, ${died.length} failed`)
  })
}
