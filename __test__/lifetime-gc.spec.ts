// Executors that nobody holds any more: they are collected, their calls finish, and their workers leave. Every case is
// a program of its own, with a garbage collector that the program can call.

import { join } from 'node:path'
import test from 'ava'
import { runHost } from './helpers/hosts.js'
import { tempDirectory } from './helpers/pool.js'

const execArgv = ['--expose-gc']

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index)

/** The words of each program of `hosts/gc.mjs`, once everything that its executors held is back. */
const programs: Record<string, unknown> = {
  'never used': { held: true },
  'with idle workers': { held: true, pids: 4 },
  'with calls that somebody waits for': { values: [1, 2, 3, 4, 5] },
  'with calls that nobody waits for': { lines: range(1, 20) },
  'with calls that are the only thing alive': { lines: 10, children: [] },
  'with a map that goes on': { results: [true, true, true, true, true, true] },
  'with a listener that holds it, and a future': { value: 'done', state: 'finished' },
  'shut down and dropped': {},
  'its memory': {},
}

for (const [scenario, expected] of Object.entries(programs)) {
  test.serial(`an executor that is dropped gives everything back: ${scenario}`, async (t) => {
    const path = join(tempDirectory(t), 'lines')
    t.deepEqual(await runHost(t, 'gc', { scenario, path }, { execArgv }), expected)
  })
}

test.serial('300 executors, made and shut down in one process, leave nothing behind', async (t) => {
  const count = 300
  const input = { scenario: 'made and shut down', counts: [count / 3, count], width: 4 }
  const said = await runHost<any>(t, 'gc', input, { execArgv })
  const [early, late] = said.history
  t.log(JSON.stringify(said.history))
  t.is(said.made, count)
  t.deepEqual([late.children, late.descriptors, late.threads, late.segments], [0, early.descriptors, early.threads, 0])
  // Mappings of V8 and malloc come and go. 200 leaked lanes would be 200 mappings, and their cores some 10 MiB.
  t.true(late.mappings - early.mappings < 100)
  t.true(late.heap - early.heap < 8 << 20)
})
