// The main example, small: its records, its database, and runs that are stopped or killed in the middle and go on.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { parseBatch } from '../examples/etl/batch.js'
import { LeftOut, leaveOut, REASONS } from '../examples/etl/poison.js'
import { EXAMPLE, HEADER, parse, RecordError } from '../examples/etl/record.js'
import { contentsOf, type Contents } from '../examples/etl/report.js'
import { darkMinutes, milesBetween, placeAt } from '../examples/etl/sphere.js'
import { zoneOf } from '../examples/etl/zones.js'
import { tempDirectory } from './helpers/pool.js'
import { within } from './helpers/waiting.js'

/** Enough for several ranges. */
const RECORDS = 20_000
const SMALL = ['--records', String(RECORDS), '--workers', '2', '--transaction', '1000']

class Run {
  readonly #child: ChildProcess
  readonly #ended: Promise<[code: number | null, signal: string | null]>
  out = ''
  errors = ''

  constructor(t: ExecutionContext, args: string[]) {
    const { NODE_OPTIONS: _, ...env } = process.env
    this.#child = spawn(process.execPath, ['examples/etl/main.js', ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    t.teardown(() => this.#child.kill('SIGKILL'))
    this.#child.stdout!.setEncoding('utf8').on('data', (text: string) => (this.out += text))
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => (this.errors += text))
    this.#ended = once(this.#child, 'close') as Promise<[number | null, string | null]>
  }

  /** Waits for a line of progress: from then on, a part of the input is in the database. */
  async begun(): Promise<void> {
    const progress = async () => {
      while (!this.errors.includes('processes: ')) await once(this.#child.stderr!, 'data')
    }
    await within('the first progress', Promise.race([progress(), this.#ended]), () => this.errors)
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** @returns the exit code, or the signal */
  async ended(): Promise<number | string | null> {
    const [code, signal] = await within('the end of the program', this.#ended, () => this.out + this.errors)
    return code ?? signal
  }
}

async function runWhole(t: ExecutionContext, args: string[]): Promise<Run> {
  const run = new Run(t, args)
  t.is(await run.ended(), 0, run.out + run.errors)
  return run
}

/** The database of a run that nothing has stopped: the first test sets it. */
let whole: Contents

test.serial('all flights are in the database but the poisoned ones, which are the dead letters', async (t) => {
  t.timeout(300_000)
  const output = tempDirectory(t)
  const run = await runWhole(t, [...SMALL, '--output', output])
  whole = await contentsOf(join(output, 'flights.duckdb'))
  t.regex(run.out, /Both databases are the same: 19,987 flights, each once\./)
  t.regex(run.out, /The workers were \d+\.\d\d times as fast\./)
  t.true((await readFile(join(output, 'delays.svg'), 'utf8')).startsWith('<svg '))
  const letters = (await readFile(join(output, 'dead-letters.ndjson'), 'utf8')).trim().split('\n')
  t.deepEqual(
    letters.map((letter) => JSON.parse(letter)),
    whole.dead,
  )

  t.is(whole.flights.flights + whole.dead.length, RECORDS)
  for (const { line, record, error } of whole.dead) {
    t.regex(record, /,(?:n\/a|LOOP|ABRT|HEAP),|,\?\?\?,/)
    // The number of a record is its place in the file; the first line is the header.
    t.is(Number(record.split(',')[0]), line - 1)
    t.not(error, '')
  }
  const reasons = new Set<string>(whole.dead.map(({ reason }) => reason))
  // On a busy machine the record that eats memory may reach its time limit first.
  for (const reason of REASONS) t.true(reasons.has(reason) || reason === 'eats memory', reason)
})

test.serial('the simple program, a record a call, makes the same database', async (t) => {
  t.timeout(300_000)
  const output = tempDirectory(t)
  await runWhole(t, [...SMALL, '--stream', '--output', output])
  sameAsWhole(t, await contentsOf(join(output, 'flights.duckdb')))
})

for (const program of ['ranges', 'stream']) {
  for (const signal of ['SIGINT', 'SIGKILL'] as const) {
    test.serial(`after ${signal} in the middle, --resume makes the same database (${program})`, async (t) => {
      t.timeout(300_000)
      const output = tempDirectory(t)
      const args = [...SMALL, '--output', output, ...(program === 'stream' ? ['--stream'] : [])]
      const stopped = new Run(t, args)
      await stopped.begun()
      stopped.kill(signal)
      t.is(await stopped.ended(), signal === 'SIGINT' ? 130 : signal, stopped.errors)
      if (signal === 'SIGINT') t.regex(stopped.errors, /Stopping\. .* --resume/)

      const part = await contentsOf(join(output, 'flights.duckdb'))
      t.log(`${part.flights.flights} of ${whole.flights.flights} flights before ${signal}`)
      t.true(part.flights.flights > 0)

      const resumed = await runWhole(t, [...args, '--resume'])
      t.regex(resumed.out, /The workers went on where an earlier run had stopped/)
      sameAsWhole(t, await contentsOf(join(output, 'flights.duckdb')))
    })
  }
}

/** Reasons are not compared: see above. */
function sameAsWhole(t: ExecutionContext, { flights, dead }: Contents): void {
  t.deepEqual(flights, whole.flights)
  t.deepEqual(
    dead.map(({ line, record }) => ({ line, record })),
    whole.dead.map(({ line, record }) => ({ line, record })),
  )
}

test.serial('a database is not mixed with another input', async (t) => {
  t.timeout(300_000)
  const output = tempDirectory(t)
  const input = join(output, 'input.csv')
  await writeFile(input, `${HEADER}\n${EXAMPLE}\n`)
  const args = ['--input', input, '--workers', '1', '--output', output]
  await runWhole(t, args)
  t.deepEqual((await contentsOf(join(output, 'flights.duckdb'))).flights.flights, 1)

  await writeFile(input, `${HEADER}\n${EXAMPLE}\n${EXAMPLE}\n`)
  const mixed = new Run(t, [...args, '--resume'])
  t.is(await mixed.ended(), 1)
  t.regex(mixed.errors, /begun with another/)

  await writeFile(input, 'a,b\n1,2\n')
  const other = new Run(t, args)
  t.is(await other.ended(), 1)
  t.regex(other.errors, /begins with "a,b"/)
})

test.serial('--help tells the options, and unknown or wrong ones are refused', async (t) => {
  const help = await runWhole(t, ['--help'])
  for (const name of ['workers', 'records', 'input', 'stream', 'resume', 'output'])
    t.true(help.out.includes(`--${name}`))
  for (const [args, message] of [
    [['--wrokers', '2'], /--wrokers/],
    [['--workers', '0'], /--workers must be a whole number from 1/],
    [['--records', '1e9'], /--records must be/],
    [['--records', '1000', '--input', 'x.csv'], /--input/],
    [['more'], /more/],
    [['--input', 'no such file.csv'], /no such file/],
  ] as const) {
    const run = new Run(t, [...args])
    t.is(await run.ended(), 1)
    t.regex(run.errors, message)
    t.notRegex(run.errors, /^ +at /m)
  }
})

test('a record is checked and enriched', (t) => {
  const flight = parse(EXAMPLE, leaveOut)
  t.like(flight, { id: 1, hour: 0, delay: 33, filed: 2176, departed: Date.UTC(2001, 0, 1, 8, 1) })
  t.is(Math.round(flight.miles), 2171)
  const [id, date, delay, , origin, destination] = EXAMPLE.split(',')
  for (const [line, message] of [
    ['', /6 fields are expected, and there are 1/],
    [`${EXAMPLE},`, /6 fields are expected, and there are 7/],
    [EXAMPLE.replace(date!, '2001-01-01'), /the date is "2001-01-01"/],
    [EXAMPLE.replace(date!, '2001-02-30 00:01'), /the date is "2001-02-30 00:01"/],
    [EXAMPLE.replace(date!, '2001-01-01 24:00'), /the date is "2001-01-01 24:00"/],
    [EXAMPLE.replace(`,${delay},`, ',,'), /the delay is ""/],
    [EXAMPLE.replace(`,${delay},`, ',1.5,'), /the delay is "1\.5"/],
    [EXAMPLE.replace(`${id},`, 'x,'), /the id is "x"/],
    [EXAMPLE.replace('2176', '217'), /are 2171 miles apart, not 217/],
  ] as const) {
    t.throws(() => parse(line, leaveOut), { instanceOf: RecordError, message }, line)
  }
  t.throws(() => parse(EXAMPLE.replace(origin!, '???'), leaveOut), { instanceOf: TypeError })
  t.throws(() => parse(EXAMPLE.replace(destination!, ''), leaveOut), { instanceOf: TypeError })
  t.throws(() => parse(EXAMPLE.replace(`,${delay},`, ',LOOP,'), leaveOut), { instanceOf: LeftOut })
})

test('a batch keeps the records that are right, and says which lines are not', (t) => {
  const bad = EXAMPLE.replace(',33,', ',n/a,')
  for (const end of ['\n', '\r\n']) {
    const batch = parseBatch(Buffer.from([EXAMPLE, bad, EXAMPLE, 'x', ''].join(end)), leaveOut)
    t.is(batch.lines, 4)
    t.is(batch.table.flights, 2)
    t.deepEqual(
      batch.dead.map(({ line, reason, text }) => ({ line, reason, text })),
      [
        { line: 1, reason: 'malformed', text: bad },
        { line: 3, reason: 'malformed', text: 'x' },
      ],
    )
  }
})

test('local times become UTC by the rules of the zone and the year', (t) => {
  const utc = (state: string, longitude: number, ...local: [number, number, number, number, number]) => {
    const [year, month, day, hour, minute] = local
    return new Date(zoneOf(state, longitude)!.toUtc(Date.UTC(year, month - 1, day, hour, minute), year)).toISOString()
  }
  t.is(utc('NY', -73.9, 2001, 1, 1, 0, 0), '2001-01-01T05:00:00.000Z')
  t.is(utc('NY', -73.9, 2001, 12, 31, 23, 0), '2002-01-01T04:00:00.000Z')
  t.is(utc('HI', -157.9, 2001, 12, 31, 23, 59), '2002-01-01T09:59:00.000Z')
  // In 2001 the clocks changed on the first of April and the 28th of October.
  t.is(utc('NY', -73.9, 2001, 4, 1, 1, 59), '2001-04-01T06:59:00.000Z')
  t.is(utc('NY', -73.9, 2001, 4, 1, 2, 30), '2001-04-01T07:30:00.000Z')
  t.is(utc('NY', -73.9, 2001, 4, 1, 3, 0), '2001-04-01T07:00:00.000Z')
  t.is(utc('NY', -73.9, 2001, 10, 28, 1, 30), '2001-10-28T05:30:00.000Z')
  t.is(utc('NY', -73.9, 2001, 10, 28, 2, 0), '2001-10-28T07:00:00.000Z')
  // In Arizona they do not change; nor did they in Indiana, but for the places in the zone of Chicago.
  t.is(utc('AZ', -112, 2001, 7, 1, 0, 0), '2001-07-01T07:00:00.000Z')
  t.is(utc('IN', -86.3, 2001, 7, 1, 0, 0), '2001-07-01T05:00:00.000Z')
  t.is(utc('IN', -87.5, 2001, 1, 1, 0, 0), '2001-01-01T06:00:00.000Z')
  t.is(utc('TX', -106.4, 2001, 1, 1, 0, 0), '2001-01-01T07:00:00.000Z')
  t.is(zoneOf('CQ', 145.7), undefined)
})

test('great circles, and the dark along them', (t) => {
  const [newYork, london] = [placeAt(40.64, -73.78), placeAt(51.47, -0.46)]
  t.is(Math.round(milesBetween(newYork, london) / 10), 344)
  fc.assert(
    fc.property(
      fc.double({ min: -89, max: 89, noNaN: true }),
      fc.double({ min: -180, max: 180, noNaN: true }),
      (a, b) => {
        t.true(Math.abs(milesBetween(placeAt(a, b), placeAt(-a, b + 180)) - Math.PI * 3958.76) < 0.01)
        t.true(milesBetween(placeAt(a, b), placeAt(a, b)) < 0.01)
      },
    ),
  )
  // 5 h 30 min by this reckoning, from 20:30 local time on a winter's evening.
  const miles = milesBetween(newYork, london)
  const night = darkMinutes(newYork, london, miles, Date.UTC(2001, 0, 1, 1, 30))
  t.true(night > 400, `${night} minutes`)
  t.is(darkMinutes(newYork, london, miles, Date.UTC(2001, 5, 21, 11)), 0)
})
