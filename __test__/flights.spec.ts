// The example of flights: its data, summaries and chart, and the whole example with workers.

import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { isDeepStrictEqual, promisify } from 'node:util'
import test from 'ava'
import fc from 'fast-check'
import { emptySummary, figures, merge, summarize } from '../examples/flights/aggregate.js'
import { chart } from '../examples/flights/chart.js'
import { cut, parse, readFlights } from '../examples/flights/data.js'

const flights = fc.array(
  fc.record({
    delay: fc.integer({ min: -90, max: 1500 }),
    distance: fc.integer({ min: 0, max: 5000 }),
    time: fc.integer({ min: 0, max: 24 * 60 - 1 }).map((minute) => minute / 60),
  }),
  { minLength: 1, maxLength: 200 },
)

test('cutting the file loses no flight, whatever the size of the chunks', (t) => {
  fc.assert(
    fc.property(flights, fc.integer({ min: 1, max: 5000 }), (records, size) => {
      const chunks = cut(Buffer.from(`${JSON.stringify(records)}\n`), size)
      t.deepEqual(chunks.flatMap(parse), records)
    }),
  )
})

test('the real file has 200,000 flights', async (t) => {
  const chunks = cut(await readFlights(), 1 << 17)
  t.is(
    chunks.reduce((sum, chunk) => sum + parse(chunk).length, 0),
    200_000,
  )
})

test('parts added up in any order are the summary of the whole', (t) => {
  const parts = flights.chain((records) => {
    const cuts = fc.array(fc.nat({ max: records.length }), { maxLength: 5 })
    return fc.tuple(fc.constant(records), cuts, fc.boolean())
  })
  fc.assert(
    fc.property(parts, ([records, cuts, backwards]) => {
      const edges = [0, ...cuts.sort((a, b) => a - b), records.length]
      const pieces = edges.slice(1).map((edge, index) => summarize(records.slice(edges[index], edge)))
      const total = emptySummary()
      for (const piece of backwards ? pieces.reverse() : pieces) merge(total, piece)
      // Compared as sets of groups: the order of groups is that of their first records.
      t.true(isDeepStrictEqual(total, summarize(records)))
    }),
  )
})

test('the figures of a histogram are those of the sorted delays', (t) => {
  fc.assert(
    fc.property(flights, (records) => {
      for (const { key, flights: count, mean, median, p95 } of figures(summarize(records).hours)) {
        const delays = records.filter(({ time }) => Math.floor(time) === key).map(({ delay }) => delay)
        delays.sort((a, b) => a - b)
        const half = delays.length / 2
        t.is(count, delays.length)
        t.is(mean, delays.reduce((sum, delay) => sum + delay, 0) / delays.length)
        t.is(median, half % 1 === 0 ? (delays[half - 1] + delays[half]) / 2 : delays[Math.floor(half)])
        t.is(p95, delays[Math.ceil(delays.length * 0.95) - 1])
      }
    }),
  )
})

test('all distances from 2,500 miles on are one band', (t) => {
  const summary = summarize([2499, 2500, 4962].map((distance) => ({ delay: 0, distance, time: 0 })))
  t.deepEqual([...summary.bands.keys()], [2250, 2500])
})

test('the chart is well-formed, with a bar for each group', (t) => {
  fc.assert(
    fc.property(flights, (records) => {
      const summary = summarize(records)
      const svg = chart({ hours: figures(summary.hours), bands: figures(summary.bands) }, 'A < B & "C"')
      t.notRegex(svg, /NaN|undefined|Infinity/)
      t.true(svg.includes('A &#60; B &#38; &#34;C&#34;'))
      t.is(svg.match(/ 95 % -?\d+ min</g)?.length, summary.hours.size + summary.bands.size)

      const open: string[] = []
      for (const [, slash, name, selfClosing] of svg.matchAll(/<(\/?)(\w+)[^<>]*?(\/?)>/g)) {
        if (slash) t.is(open.pop(), name)
        else if (!selfClosing) open.push(name)
      }
      t.deepEqual(open, [])
    }),
    { numRuns: 20, examples: [[[{ delay: 0, distance: 0, time: 0 }]], [[{ delay: -9, distance: 0, time: 0 }]]] },
  )
})

test('the whole example gets the same result from worker processes, and draws it', async (t) => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['examples/flights/main.js', '--workers', '2'])
  t.true(stderr.includes('100 % of'))
  t.true(stdout.includes('Both results are the same.'))
  t.regex(stdout, /06 +13,048 +-1\.3 +-3\.0 +22/)
  const path = /^The chart: (.*)$/m.exec(stdout)?.[1] ?? ''
  t.true((await readFile(path, 'utf8')).startsWith('<svg '))
})
