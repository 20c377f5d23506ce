// Workers that are killed at random, and items that end their workers, under `map` with chunks: each item is delivered or
// fails for a reason of its own, and runs once. `scripts/kills.sh` is the long form of the kills.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { TaskExitError, TaskTimeoutError, WorkerDiedError } from 'millrace'
import { tasks } from './fixtures/map-kills.mjs'
import { startHost } from './helpers/hosts.js'
import { makePool } from './helpers/pool.js'
import { Random } from './helpers/random.mjs'

interface Killed {
  seed: number
  killed: number
  deaths: number
  lost: number
  unrun: number
  problems: string[]
}

const runs = [
  { task: 'sync', chunksize: 'auto', kills: 20, items: 100_000 },
  { task: 'async', chunksize: 'auto', kills: 10, items: 100_000 },
  { task: 'sync', chunksize: 2000, kills: 10, items: 100_000 },
  { task: 'async', chunksize: 30, kills: 10, items: 50_000 },
] as const

for (const { task, chunksize, kills, items } of runs) {
  const what = `chunks of ${chunksize === 'auto' ? 'any size' : chunksize} ${task} items`
  test(`workers killed at random in ${what} cost one item each, and no item runs twice`, async (t) => {
    t.timeout(600_000)
    const seed = Date.now() % 2 ** 32
    t.log(`seed ${seed}`)
    const host = startHost(t, 'map-kills', { items, kills, chunksize, task, seed })
    const { killed, deaths, lost, unrun, problems } = await host.line<Killed>()
    t.log(`${killed} kills, ${lost} items lost, ${unrun} of these before they ran`)
    t.deepEqual(problems, [])
    t.true(killed > 0 && lost <= deaths)
    t.deepEqual(await host.ended(), { code: 0, signal: null }, host.errors)
    await host.vanished()
  })
}

const kinds = ['throw', 'exit', 'abort', 'kill', 'loop'] as const

type Kind = (typeof kinds)[number]

const reasons: Record<Kind, (error: unknown, id: number) => boolean> = {
  throw: (error, id) => error instanceof RangeError && error.message === `item ${id}`,
  exit: (error, id) => error instanceof TaskExitError && error.exitCode === id % 100,
  abort: (error) => error instanceof WorkerDiedError && error.signal === 'SIGABRT',
  kill: (error) => error instanceof WorkerDiedError && error.signal === 'SIGKILL',
  loop: (error) => error instanceof TaskTimeoutError,
}

for (const chunksize of ['auto', 100] as const) {
  test(`with chunksize ${chunksize} exactly the poisonous items fail, each with its own reason`, async (t) => {
    t.timeout(600_000)
    const seed = Date.now() % 2 ** 32
    t.log(`seed ${seed}`)
    const random = new Random(seed)
    const directory = mkdtempSync(join(tmpdir(), 'millrace-poison-'))
    t.teardown(() => rmSync(directory, { recursive: true }))
    const log = join(directory, 'ran')
    const pool = makePool(t, { onWorkerDeath: 'isolate', initializer: tasks.open, initargs: [log, 0] })

    const ITEMS = 10_000
    const poison = new Map<number, Kind>()
    // The first and the last item of chunks, neighbours, and any others.
    const quick = kinds.filter((kind) => kind !== 'loop')
    for (const id of [0, 99, 100, 101, 500, ITEMS - 1]) poison.set(id, random.pick(quick))
    for (const kind of kinds) {
      for (let n = 0; n < (kind === 'loop' ? 2 : 6); n++) poison.set(random.below(ITEMS), kind)
    }
    const items = Array.from({ length: ITEMS }, (_, id): [number, Kind | 'fine'] => [id, poison.get(id) ?? 'fine'])
    // Long against every stall of a busy machine: the other items must not run into it.
    const results = pool.map(tasks.poisoned, items, { chunksize, taskTimeout: 8000 })
    for (const [id, kind] of items) {
      const outcome = await results.next().then(
        ({ value }) => value,
        (error: unknown) => ({ error }),
      )
      if (kind === 'fine') {
        if (outcome !== id * 2) t.deepEqual(outcome, id * 2, `item ${id}`)
      } else {
        const { error } = outcome as { error: unknown }
        t.true(reasons[kind](error, id), `item ${id}, ${kind}: ${String(error)}`)
      }
    }
    t.true((await results.next()).done)

    const ran = new Uint8Array(ITEMS)
    const bytes = readFileSync(log)
    for (let at = 0; at < bytes.length; at += 4) ran[bytes.readUInt32LE(at)]!++
    t.deepEqual(
      [...ran.entries()].filter(([, times]) => times !== 1),
      [],
      'each item runs once',
    )
    t.log(JSON.stringify(Object.fromEntries(kinds.map((k) => [k, [...poison.values()].filter((p) => p === k).length]))))
  })
}
