// What a run prints and writes: the tables, the chart, the dead letters, and the comparison with one thread.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { chart } from '../flights/chart.js'
import { GROUPINGS, whole } from '../flights/groups.js'
import { bars, table } from '../flights/table.js'
import { MARKS, REASONS } from './poison.js'
import { Warehouse } from './warehouse.js'

/**
 * What is in a database: two loads of one input have the same contents, whatever the order of their batches.
 * @param {string} path
 */
export async function contentsOf(path) {
  const warehouse = await Warehouse.open(path)
  const contents = { flights: await warehouse.fingerprint(), dead: await warehouse.deadLetters() }
  await warehouse.close()
  return contents
}
/** @typedef {Awaited<ReturnType<typeof contentsOf>>} Contents */

/**
 * Prints the delays by hour and by distance, and draws them.
 * @param {string} path of the database
 * @param {string} output
 */
export async function showDelays(path, output) {
  const warehouse = await Warehouse.open(path)
  const figures = { hours: await warehouse.figures('hours'), bands: await warehouse.figures('bands') }
  const dark = await warehouse.darkHours()
  await warehouse.close()
  for (const grouping of GROUPINGS) {
    console.log(`\n${table(grouping, figures[grouping.by])}\n\n${bars(grouping, figures[grouping.by])}`)
  }
  console.log(`\nIn the dark: ${whole(Math.round(dark))} hours of flight`)
  const flights = figures.hours.reduce((sum, hour) => sum + hour.flights, 0)
  const file = join(output, 'delays.svg')
  await writeFile(file, chart(figures, `How late are they? ${whole(flights)} flights in the United States, 2001`))
  console.log(`The chart: ${file}`)
}

/**
 * Writes the dead letters to a file, and prints how many of each kind there are.
 * @param {Contents} contents
 * @param {string} output
 */
export async function writeDeadLetters({ dead }, output) {
  const file = join(output, 'dead-letters.ndjson')
  await writeFile(file, dead.map((letter) => `${JSON.stringify(letter)}\n`).join(''))
  console.log(`\n${whole(dead.length)} dead letters: ${file}`)
  for (const reason of REASONS) {
    const letters = dead.filter((letter) => letter.reason === reason)
    if (letters.length === 0) continue
    const [{ line, error }] = letters
    console.log(`${String(letters.length).padStart(6)}  ${reason.padEnd(12)} line ${line}: ${error}`)
  }
}

/**
 * Prints both times, and whether both databases are the same.
 * @param {Contents & { title: string, seconds: number, isWhole: boolean }} parallel
 * @param {Contents & { title: string, seconds: number }} single
 * @returns {boolean} whether they are
 */
export function compare(parallel, single) {
  const leftOut = single.dead.filter(({ reason }) => isMarked(reason)).length
  console.log(`
${time(parallel.seconds)}  ${parallel.title}, their start included
${time(single.seconds)}  ${single.title}, which had to know ${leftOut} records beforehand: they would have ended it`)
  if (parallel.isWhole) console.log(`The workers were ${(single.seconds / parallel.seconds).toFixed(2)} times as fast.`)
  else console.log('The workers went on where an earlier run had stopped: these times do not compare.')

  const isSame =
    isDeepStrictEqual(parallel.flights, single.flights) &&
    isDeepStrictEqual(parallel.dead.map(comparable), single.dead.map(comparable))
  const { flights, ids } = parallel.flights
  if (isSame && flights === ids) console.log(`Both databases are the same: ${whole(flights)} flights, each once.`)
  else console.error('The databases DIFFER.', { parallel: parallel.flights, single: single.flights })
  return isSame && flights === ids
}

/** @param {number} seconds */
const time = (seconds) => `${seconds.toFixed(2).padStart(8)} s`

/**
 * What two loads have in common about a dead letter. The message of a record that was left out is another one. And on a
 * busy machine, a record that eats memory may reach its time limit first: each mark counts as the same reason.
 * @param {Contents['dead'][number]} letter
 */
const comparable = ({ line, reason, record }) => ({ line, reason: isMarked(reason) ? 'marked' : reason, record })

/** @param {string} reason */
const isMarked = (reason) => Object.values(MARKS).some((one) => one === reason)
