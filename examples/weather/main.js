// Tries hundreds of combinations of two parameters in worker processes, to find the best forecast of tomorrow's
// temperature.
//
//   node examples/weather/main.js [--workers N]

import { mkdir, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Pool } from 'millrace'
import { Progress } from '../progress.js'
import { best, chart, shades } from './chart.js'
import { readDays } from './data.js'
import { combinations, score } from './forecast.js'
import { evaluate, prepare } from './tasks.js'

const OUTPUT = new URL('./output/', import.meta.url)

const { values } = parseArgs({ options: { workers: { type: 'string' } } })
const workers = values.workers === undefined ? Math.min(availableParallelism(), 8) : Number(values.workers)

async function sweep() {
  const pool = new Pool(workers, { initializer: prepare, name: 'weather' })
  try {
    const all = [...combinations()]
    const progress = new Progress(all.length, 'combinations')
    /** @type {import('./forecast.js').Score[]} */
    const scores = []
    for await (const one of pool.imapUnordered(evaluate, all, { chunksize: 4 })) {
      scores.push(one)
      progress.advance()
    }
    pool.close()
    await pool.join()
    return scores
  } finally {
    // Ends the workers if something above has thrown.
    await pool.terminate()
  }
}

const scores = await sweep()
const winner = best(scores)
console.log(`\n${shades(scores)}\n`)
console.table(
  scores
    .sort((a, b) => a.error - b.error)
    .slice(0, 5)
    .map(({ width, memory, error }) => ({
      'days ±': width,
      memory: `${Math.round(memory * 100)} %`,
      'off by, °C': Number(error.toFixed(3)),
    })),
)

const file = fileURLToPath(new URL('weather.svg', OUTPUT))
await mkdir(OUTPUT, { recursive: true })
await writeFile(file, chart(scores, 'Tomorrow’s high in Seattle: 2012 to 2015'))
console.log(`The chart: ${file}`)

const again = score(await readDays(), winner)
if (again.error === winner.error) {
  console.log('The best one has the same score in this process.')
} else {
  console.error(`Here the best one is off by ${again.error}, and not by ${winner.error}.`)
  process.exitCode = 1
}
