// The soak: everything at once, at random, for a while: calls of all kinds and sizes, cancels, time limits, stops, and
// workers that are killed every 50 ms. Then the books must balance.
//
// The soak goes in rounds. Each round has a pool of its own, with random options and a random end, and its books are
// checked when the pool is gone. Progress goes to standard error, the verdict to standard output.

import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { holdings, holdingsInTheEnd } from '../helpers/holdings.mjs'
import { Random } from '../helpers/random.mjs'
import { Round } from '../helpers/soak-round.mjs'

const MIB = 1 << 20

class Soak {
  problems = /** @type {string[]} */ ([])
  outcomes = /** @type {Record<string, number>} */ ({})
  submitted = 0
  refused = 0
  kills = 0
  workers = 0
  warnings = 0
  broken = 0
  bytes = 0
  rounds = 0
  nextId = 1

  /** @param {Random} random */
  constructor(random) {
    this.random = random
    this.directory = mkdtempSync(join(tmpdir(), 'millrace-soak-'))
  }

  /** @param {string} outcome */
  count(outcome) {
    this.outcomes[outcome] = (this.outcomes[outcome] ?? 0) + 1
  }

  figures() {
    const { submitted, outcomes, refused, kills, workers, warnings, broken, rounds, bytes } = this
    return {
      submitted,
      outcomes,
      refused,
      kills,
      workers,
      warnings,
      broken,
      rounds,
      megabytes: Math.round(bytes / MIB),
    }
  }

  /** One pool, from its construction to the last look at its books. @param {number} ms */
  async round(ms) {
    const round = new Round(this)
    this.rounds++
    await round.run(ms)
    await round.end()
    round.audit()
  }
}

const megabytes = () => {
  globalThis.gc?.()
  return Math.round(process.memoryUsage.rss() / MIB)
}

/** @param {{ seconds: number, seed: number, roundSeconds: number }} input */
async function main({ seconds, seed, roundSeconds }) {
  const soak = new Soak(new Random(seed))
  console.error(`soak: ${seconds} s, seed ${seed}`)
  await readFile(new URL(import.meta.url))
  process.stdout.write('')
  await soak.round(1000)
  // Results of the first pool, too, may still be views of a lane.
  const before = await holdingsInTheEnd({ ...holdings(), mappings: 0 })
  const memory = [megabytes()]
  const end = performance.now() + 1000 * seconds
  while (performance.now() < end) {
    await soak.round(Math.min(1000 * roundSeconds, end - performance.now()))
    const now = await holdingsInTheEnd(before)
    memory.push(megabytes())
    if (!isDeepStrictEqual(now, before)) {
      soak.problems.push(`round ${soak.rounds}: ${JSON.stringify(before)} became ${JSON.stringify(now)}`)
    }
    const { submitted, workers, kills, outcomes } = soak
    const left = Math.max(0, Math.round((end - performance.now()) / 1000))
    console.error(
      `${left} s left: ${submitted} calls, ${workers} workers, ${kills} kills, ${memory.at(-1)} MiB, ` +
        `${JSON.stringify(now)}, ${JSON.stringify(outcomes)}`,
    )
  }
  rmSync(soak.directory, { recursive: true })
  const shared = existsSync('/dev/shm') ? readdirSync('/dev/shm').filter((name) => name.includes('millrace')) : []
  if (shared.length > 0) soak.problems.push(`left in /dev/shm: ${shared.join(', ')}`)
  const { problems, outcomes, submitted } = soak
  const counted = Object.values(outcomes).reduce((sum, count) => sum + count, 0)
  if (counted !== submitted) problems.push(`${submitted} calls were submitted, ${counted} came out`)
  const quarter = Math.ceil(memory.length / 4)
  const early = Math.max(...memory.slice(0, quarter + 1))
  const late = Math.min(...memory.slice(-quarter))
  if (late > 1.5 * early + 64) problems.push(`memory grew from ${early} to ${late} MiB`)
  console.log(JSON.stringify({ seed, seconds, ...soak.figures(), memory, problems }))
  if (problems.length > 0) process.exitCode = 1
}

await main({ seconds: 20, roundSeconds: 6, seed: Date.now() % 2 ** 32, ...JSON.parse(process.argv[2] ?? '{}') })
