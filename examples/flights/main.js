// Aggregates 200,000 flights in worker processes and, to check the result, in this process.
//
//   node examples/flights/main.js [--workers N]

import { mkdir, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual, parseArgs } from 'node:util'
import { ProcessPoolExecutor } from 'millrace'
import { Progress } from '../progress.js'
import { emptySummary, figures, merge } from './aggregate.js'
import { chart } from './chart.js'
import { cut, readFlights } from './data.js'
import { GROUPINGS, whole } from './groups.js'
import { bars, table } from './table.js'
import { summarizeChunk } from './tasks.js'

const CHUNK_BYTES = 256 * 1024
const OUTPUT = new URL('./output/', import.meta.url)

const { values } = parseArgs({ options: { workers: { type: 'string' } } })
const workers = values.workers === undefined ? Math.min(availableParallelism(), 8) : Number(values.workers)

/** @param {number} since */
const elapsed = (since) => performance.now() - since
/** @param {number} duration */
const ms = (duration) => `${duration.toFixed(0).padStart(6)} ms`

/** @param {Uint8Array[]} chunks */
async function inWorkers(chunks) {
  const pool = new ProcessPoolExecutor({ maxWorkers: workers, name: 'flights' })
  try {
    // A pool starts a worker when a call needs it. One small call for each worker has all workers started and loaded,
    // to measure the start apart from the job.
    const starting = performance.now()
    await Promise.all(Array.from({ length: workers }, () => pool.submit(summarizeChunk, new Uint8Array())))
    const started = elapsed(starting)

    const working = performance.now()
    const progress = new Progress(chunks.length, 'chunks')
    const total = emptySummary()
    // Counts can be added up in any order, so the results need no order.
    for await (const part of pool.map(summarizeChunk, chunks, { chunksize: 1, ordered: false })) {
      merge(total, part)
      progress.advance()
    }
    return { total, started, worked: elapsed(working) }
  } finally {
    await pool.shutdown()
  }
}

/** @param {Uint8Array[]} chunks */
function inThisProcess(chunks) {
  const working = performance.now()
  const total = emptySummary()
  for (const chunk of chunks) merge(total, summarizeChunk(chunk))
  return { total, worked: elapsed(working) }
}

const chunks = cut(await readFlights(), CHUNK_BYTES)
const parallel = await inWorkers(chunks)
const single = inThisProcess(chunks)

const result = { hours: figures(parallel.total.hours), bands: figures(parallel.total.bands) }
const flights = result.hours.reduce((sum, hour) => sum + hour.flights, 0)

for (const grouping of GROUPINGS) {
  console.log(`\n${table(grouping, result[grouping.by])}\n\n${bars(grouping, result[grouping.by])}`)
}

const file = fileURLToPath(new URL('flights.svg', OUTPUT))
await mkdir(OUTPUT, { recursive: true })
await writeFile(file, chart(result, `How late are they? ${whole(flights)} flights in the United States`))
console.log(`\nThe chart: ${file}`)

const processes = `${workers} worker ${workers === 1 ? 'process' : 'processes'}`
console.log(`
${ms(parallel.started)}  to start ${processes}, once for the life of a pool
${ms(parallel.worked)}  in ${processes}: ${whole(flights)} flights in ${chunks.length} chunks
${ms(single.worked)}  the same functions in this process, one chunk after the other`)
console.log(
  parallel.started + parallel.worked > single.worked
    ? 'A job this small does not earn back the start of its workers: one that takes seconds, or a pool that lives on, does.'
    : 'The workers were faster, their start included.',
)

if (isDeepStrictEqual(result, { hours: figures(single.total.hours), bands: figures(single.total.bands) })) {
  console.log('Both results are the same.')
} else {
  console.error('The results DIFFER.')
  process.exitCode = 1
}
