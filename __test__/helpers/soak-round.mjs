// One round of the soak: a pool with random options, random calls and a random end, and then a check of the books.

import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { BrokenProcessPool, getAllStartMethods, ProcessPoolExecutor, QueueFullError } from 'millrace'
import { pattern, tasks } from '../fixtures/soak.mjs'
import { children } from './holdings.mjs'
import { patience, until } from './patience.mjs'
import { startMethod } from './start-method.mjs'
import { judge, neverReturns } from './soak-verdict.mjs'

const KILL_EVERY_MS = 50
const IN_FLIGHT = 48
const MIB = 1 << 20

const kinds = {
  echo: 60,
  produce: 12,
  nap: 10,
  block: 6,
  endless: 2,
  deaf: 1,
  fail: 4,
  unclonable: 2,
  exit: 1,
  exitLater: 1,
  die: 1,
  quit: 0.5,
  stray: 1,
  wedge: 0.2,
  hoard: 1,
}

/**
 * @typedef {{ id: number, kind: keyof typeof kinds, size: number, forced: boolean, future:
 * import('millrace').Future<unknown> }} Call
 */

export class Round {
  /** @type {Map<number, Call>} */
  open = new Map()
  books = { completed: 0, failed: 0, cancelled: 0 }
  settled = 0
  /** Ids and what became of them. @type {{ call: Call, outcome: string }[]} */
  closed = []
  broken = false
  /** The number of workers that were killed before they had done anything. */
  vain = 0

  /** @param {Soak} soak */
  constructor(soak) {
    const { random } = soak
    this.soak = soak
    this.random = random
    this.path = join(soak.directory, `log ${soak.rounds}`)
    process.env.MILLRACE_RING_SLOTS = String(random.pick([2, 8, 256]))
    /** @type {import('millrace').ProcessPoolOptions} */
    this.options = {
      maxWorkers: random.pick([1, 2, 3, 4, 6]),
      onWorkerDeath: 'isolate',
      execArgv: [],
      startMethod: startMethod ?? random.pick(getAllStartMethods().filter((method) => method !== 'fork')),
      ...(random.oneIn(2) ? { maxTasksPerChild: random.pick([1, 5, 50]) } : {}),
      ...(random.oneIn(2) ? { maxMemoryPerWorker: random.pick([80, 120]) * MIB } : {}),
      ...(random.oneIn(2) ? { idleTimeout: random.pick([0, 5, 50]) } : {}),
      ...(random.oneIn(2) ? { maxQueue: random.pick([0, 1, 8, 32]) } : {}),
    }
    this.pool = new ProcessPoolExecutor(this.options)
    this.pool.on('workerStart', () => soak.workers++)
    this.pool.on('warning', () => soak.warnings++)
    this.pool.on('broken', () => {
      this.broken = true
      soak.broken++
      if (this.vain < 3) this.complain(`broken, with ${this.vain} workers killed that had done nothing`)
    })
  }

  /** @param {string} problem */
  complain(problem) {
    this.soak.problems.push(`round ${this.soak.rounds} ${JSON.stringify(this.options)}: ${problem}`)
  }

  submit() {
    const { random, soak } = this
    const id = soak.nextId++
    const kind = random.weighted(kinds)
    const size = random.oneIn(12) ? random.below(4 * MIB) : random.pick([0, 10, 440, 480, 5000, 20_000, 100_000])
    const ms = random.below(12)
    const call = { id, kind, size, forced: false }
    const limits = this.limits(call)
    try {
      const details = { path: this.path, id, bytes: kind === 'produce' ? pattern(id, 0) : pattern(id, size), ms, size }
      const future = this.pool.run(tasks[kind], [details], limits)
      soak.submitted++
      soak.bytes += size
      const entry = Object.assign(call, { future })
      this.open.set(id, entry)
      future.addDoneCallback(() => this.close(entry))
    } catch (error) {
      if (error instanceof QueueFullError) soak.refused++
      else if (error instanceof BrokenProcessPool) this.broken = true
      else throw error
      return false
    }
    return true
  }

  /** @param {Omit<Call, 'future'>} call */
  limits(call) {
    const { random } = this
    const endless = call.kind === 'endless' || call.kind === 'deaf'
    const grace = random.pick([0, 0, 1, 20])
    if (endless || random.oneIn(25)) return { timeout: 1 + random.below(endless ? 60 : 20), grace }
    if (random.oneIn(40)) {
      call.forced = true
      return { signal: AbortSignal.timeout(random.below(30)), grace }
    }
    return {}
  }

  /** @param {Call} call */
  close(call) {
    const { future } = call
    this.open.delete(call.id)
    this.settled++
    if (future.outcome === 'cancelled') {
      this.books.cancelled++
      this.closed.push({ call, outcome: 'cancelled' })
    } else if (future.outcome === 'error') {
      this.books.failed++
      void future.exception().then((error) => this.closed.push({ call, outcome: nameOf(error) }))
    } else {
      this.books.completed++
      void future.result().then((value) => {
        const right =
          neverReturns.has(call.kind) || (Buffer.isBuffer(value) && value.equals(pattern(call.id, call.size)))
        if (!right) this.complain(`call ${call.id} (${call.kind}) has a wrong value`)
        this.closed.push({ call, outcome: 'value' })
      })
    }
  }

  /** @param {number} ms */
  async run(ms) {
    const { random, pool, soak } = this
    const end = performance.now() + ms
    const killer = setInterval(() => {
      // A pool gives up, as it should, when three workers in a row end in vain: so such a kill is seldom.
      const victims = pool
        .stats()
        .workers.filter(({ tasksDone }) => tasksDone > random.pick([0, 0, 5]) || random.oneIn(30))
      if (victims.length === 0) return
      const victim = random.pick(victims)
      if (victim.tasksDone === 0) this.vain++
      try {
        process.kill(victim.pid, 'SIGKILL')
        soak.kills++
      } catch {
        // The worker has ended since, and its fork server has reaped it.
      }
    }, KILL_EVERY_MS)
    const target = random.pick([4, IN_FLIGHT, IN_FLIGHT])
    let seen = 0
    let since = performance.now()
    while (performance.now() < end && !this.broken) {
      for (let burst = 1 + random.below(16); burst > 0 && this.open.size < target; burst--) {
        if (!this.submit()) {
          if (random.oneIn(4)) await Promise.race([pool.ready().catch(() => {}), sleep(20)])
          break
        }
      }
      if (random.oneIn(12)) this.interfere()
      await sleep(random.below(4))
      if (this.settled !== seen || this.open.size === 0) {
        seen = this.settled
        since = performance.now()
      } else if (performance.now() - since > 2 * patience()) {
        // Twice: a worker that does not come back is given up after five seconds.
        throw new Error(`no call has settled for ${Math.round(performance.now() - since)} ms\n${this.describe()}`)
      }
    }
    clearInterval(killer)
  }

  interfere() {
    const { random } = this
    const call = random.pick([...this.open.values()])
    if (call === undefined) return
    if (random.oneIn(3)) {
      call.forced = true
      call.future.cancel({ kill: true })
    } else {
      call.future.cancel()
    }
  }

  async end() {
    const { random, pool } = this
    const how = random.pick([{}, {}, { cancelFutures: true }, { kill: true }, { timeout: 50, kill: true }])
    const state = { over: false }
    void pool.shutdown(how).then(() => (state.over = true))
    const progress = () => this.settled + this.soak.workers + pool.stats().workers.length
    // A worker that is asked to leave has five seconds. After SIGTERM it has five more.
    await until(
      `the shutdown by ${JSON.stringify(how)}`,
      () => state.over,
      () => this.describe(),
      progress,
      3,
    )
  }

  describe() {
    const calls = [...this.open.values()].map(({ id, kind, future }) => `call ${id} ${kind}: ${String(future)}\n`)
    return `round ${this.soak.rounds} ${JSON.stringify(this.options)}\n${calls.join('')}${this.pool.dumpState()}`
  }

  audit() {
    const { soak, pool, books } = this
    const { completed, failed, cancelled } = pool.stats()
    if (!isDeepStrictEqual(books, { completed, failed, cancelled })) {
      this.complain(
        `stats() says ${JSON.stringify({ completed, failed, cancelled })}, the futures ${JSON.stringify(books)}`,
      )
    }
    if (this.open.size > 0) this.complain(`${this.open.size} calls have no outcome`)
    const lines = existsSync(this.path) ? readFileSync(this.path, 'utf8').split('\n').slice(0, -1) : []
    const runs = new Map()
    for (const line of lines) runs.set(Number(line), (runs.get(Number(line)) ?? 0) + 1)
    for (const { call, outcome } of this.closed) {
      const ran = runs.get(call.id) ?? 0
      const problem = judge(call, outcome, ran, this.broken)
      if (problem) this.complain(`call ${call.id} (${call.kind}, ${outcome}) ${problem}`)
      soak.count(outcome)
    }
    rmSync(this.path, { force: true })
    const left = children()
    if (left.length > 0) this.complain(`left behind: ${left.join(', ')}`)
  }
}

/** @param {unknown} error */
const nameOf = (error) => (error instanceof Error ? error.name : String(error))
