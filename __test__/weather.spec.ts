// The example of weather: its data, forecasts, scores and chart, and the whole example with workers.

import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import test from 'ava'
import { best, chart, shades } from '../examples/weather/chart.js'
import { readDays } from '../examples/weather/data.js'
import { combinations, MEMORIES, score, WIDTHS } from '../examples/weather/forecast.js'

test('the real file has four years of days, one after the other', async (t) => {
  const days = await readDays()
  t.is(days.length, 1461)
  t.deepEqual(days[0], { year: 2012, ofYear: 0, high: 12.8 })
  t.deepEqual(
    [...new Set(days.map(({ year }) => year))].map((year) => days.findLast((day) => day.year === year)?.ofYear),
    [365, 364, 364, 364],
  )
})

test('a forecast is what is usual in the other years, and a share of what today deviates from that', (t) => {
  // The same two days of two years: the usual weather is that of the other year.
  const days = [
    { year: 1, ofYear: 0, high: 10 },
    { year: 1, ofYear: 1, high: 12 },
    { year: 2, ofYear: 0, high: 20 },
    { year: 2, ofYear: 1, high: 22 },
  ]
  // 12 is forecast as 22 or 22 - 10; 20 as 10 or 10 - 10; 22 as 12 or 12 + 10.
  t.is(score(days, { width: 0, memory: 0 }).error, 10)
  t.is(score(days, { width: 0, memory: 1 }).error, 20 / 3)
})

test('the chart and the text show every combination, and the best one once', (t) => {
  const scores = [...combinations()].map((one, index) => ({ ...one, error: index === 123 ? 1 : 2 + (index % 7) }))
  t.is(scores.length, WIDTHS.length * MEMORIES.length)
  t.is(best(scores), scores[123])
  const svg = chart(scores, 'A < B')
  t.notRegex(svg, /NaN|undefined|Infinity/)
  t.is(svg.match(/<g>/g)?.length, scores.length)
  t.is(shades(scores).match(/◆◆/g)?.length, 1)
})

test('the whole example sweeps in worker processes, and draws what it found', async (t) => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['examples/weather/main.js', '--workers', '2'])
  t.true(stderr.includes('100 % of'))
  t.true(stdout.includes('The best one has the same score in this process.'))
  t.regex(stdout, /0 +│ 26 +│ '72 %' │ 2\.094/)
  const path = /^The chart: (.*)$/m.exec(stdout)?.[1] ?? ''
  t.true((await readFile(path, 'utf8')).startsWith('<svg '))
})
