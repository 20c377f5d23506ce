// The short form of the soak; `npm run soak` is the long one.

import test from 'ava'
import { startHost } from './helpers/hosts.js'

const SECONDS = 20

interface Soaked {
  seed: number
  submitted: number
  outcomes: Record<string, number>
  kills: number
  workers: number
  rounds: number
  /** Resident memory of the host after each round, in MiB. */
  memory: number[]
  problems: string[]
}

test('everything at once, at random: the books balance, no call runs twice, nothing grows', async (t) => {
  t.timeout(600_000)
  const seed = Date.now() % 2 ** 32
  t.log(`seed ${seed}`)
  const host = startHost(t, 'soak', { seconds: SECONDS, seed, roundSeconds: 4 }, { execArgv: ['--expose-gc'] })
  const { submitted, outcomes, kills, workers, rounds, memory, problems } = await host.line<Soaked>()
  t.deepEqual(problems, [])
  t.deepEqual(await host.ended(), { code: 0, signal: null }, host.errors)
  await host.vanished()
  t.log(`${submitted} calls, ${workers} workers, ${kills} kills in ${rounds} rounds; ${memory.join(', ')} MiB`)
  t.log(JSON.stringify(outcomes))
  const out = Object.values(outcomes).reduce((sum, count) => sum + count, 0)
  t.is(out, submitted)
  t.true(submitted > 0 && kills > 0 && (outcomes.value ?? 0) > 0)
})
