// Kills workers at random while they run the chunks of a `map`, and checks what has become of each item: it is delivered
// or has failed with its worker, and has run once at most.

import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { isWorker, ProcessPoolExecutor, WorkerDiedError } from 'millrace'
import { tasks, wanted } from '../fixtures/map-kills.mjs'
import { patience } from '../helpers/patience.mjs'
import { Random } from '../helpers/random.mjs'
import { startMethod } from '../helpers/start-method.mjs'

/**
 * @typedef {object} Input
 * @property {number} items
 * @property {number} kills At most so many; the map may be over before.
 * @property {number | 'auto'} chunksize
 * @property {keyof typeof tasks} task
 * @property {number} seed
 * @property {number} [microseconds] How long an item takes at least.
 */

/** @param {Input} input */
async function run({ items, kills, chunksize, task, seed, microseconds = 0 }) {
  const random = new Random(seed)
  const directory = mkdtempSync(join(tmpdir(), 'millrace-kills-'))
  const log = join(directory, 'ran')
  closeSync(openSync(log, 'w'))
  const pool = new ProcessPoolExecutor({
    maxWorkers: 2,
    onWorkerDeath: 'isolate',
    execArgv: [],
    startMethod,
    initializer: tasks.open,
    initargs: [log, microseconds],
  })
  const live = new Set()
  let deaths = 0
  pool.on('workerStart', ({ pid }) => live.add(pid))
  pool.on('workerExit', ({ pid, reason }) => {
    live.delete(pid)
    deaths += Number(reason === 'died')
  })

  const problems = /** @type {string[]} */ ([])
  const problem = (/** @type {string} */ text) => problems.length < 20 && problems.push(text)
  const failed = new Set()
  let taken = 0
  const isOver = () => taken === items
  const results = pool.map(
    tasks[task],
    Array.from({ length: items }, (_, id) => id),
    { chunksize },
  )

  async function collect() {
    for (let id = 0; id < items; id++) {
      try {
        const { value } = await results.next()
        if (value !== wanted(id)) problem(`item ${id} has the value ${String(value)}`)
      } catch (error) {
        failed.add(id)
        if (!(error instanceof WorkerDiedError)) problem(`item ${id}: ${String(error)}`)
      }
      taken++
      // Items that are there are taken in one turn: the killer needs turns as well.
      if (taken % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    if ((await results.next()).done !== true) problem('there are more results than items')
  }

  let killed = 0
  /** The kills are spread over the items that run, each at a random moment of a worker that works. */
  async function kill() {
    let next = random.next()
    while (killed < kills && !isOver()) {
      if (statSync(log).size / 4 < (next * items) / (kills + 1)) {
        await new Promise((resolve) => setImmediate(resolve))
        continue
      }
      if (random.oneIn(2)) await sleep(random.below(5))
      for (const end = performance.now() + random.below(2000) / 1000; performance.now() < end;);
      const busy = pool.stats().workers.filter(({ state, pid }) => state === 'busy' && live.has(pid))
      if (busy.length === 0) {
        await sleep(1)
        continue
      }
      const { pid } = random.pick(busy)
      process.kill(pid, 'SIGKILL')
      live.delete(pid)
      next = ++killed + random.next()
    }
  }

  /** Nothing hangs: some item comes while there are any. */
  async function watch() {
    for (let seen = -1, since = performance.now(); ; await sleep(100)) {
      if (isOver()) return
      if (seen !== taken) [seen, since] = [taken, performance.now()]
      else if (performance.now() - since > 6 * patience()) {
        throw new Error(`nothing has come since item ${taken}; seed ${seed}\n${pool.dumpState()}`)
      }
    }
  }

  await Promise.all([collect(), kill(), watch()])
  const { items: counted } = pool.stats()
  await pool.shutdown()

  const ran = new Uint8Array(items)
  const bytes = readFileSync(log)
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    const id = bytes.readUInt32LE(at)
    if (++ran[id] > 1) problem(`item ${id} ran ${ran[id]} times`)
  }
  for (let id = 0; id < items; id++) {
    if (ran[id] === 0 && !failed.has(id)) problem(`item ${id} has a value and did not run`)
  }
  const unrun = [...failed].filter((id) => ran[id] === 0).length
  if (failed.size > deaths) problem(`${failed.size} items are lost with ${deaths} workers`)
  if (counted.completed + counted.failed !== items || counted.failed !== failed.size)
    problem('the books do not balance')
  rmSync(directory, { recursive: true })
  return { seed, killed, deaths, lost: failed.size, unrun, problems }
}

if (!isWorker) console.log(JSON.stringify(await run(JSON.parse(process.argv[2] ?? ''))))
