// Pools that nobody holds: one with unfinished jobs is not collected, one without is, and then its workers leave. Every
// case is a program of its own, with a garbage collector that the program can call.

import test from 'ava'
import { runHost } from './helpers/hosts.js'

const unclosed = ['MILLRACE_UNCLOSED_POOL', 'ResourceWarning']

/** The words of each program of `hosts/pool-gc.mjs`, once everything that its pools held is back. */
const programs: Record<string, unknown> = {
  'idle and running': { unclosed },
  'never used': { during: 5, unclosed: 10 },
  'closed and not joined': { values: [1, 2, 3], unclosed: [] },
  terminated: { unclosed: [] },
  'a result keeps its pool until it is ready': { kept: true, value: 'slept', again: 'slept', unclosed },
  'a callback is called though nobody holds anything': { seen: ['slept', [1, 2, 3]] },
  'an iterator on a temporary': { results: 60, over: true, unclosed: unclosed[0] },
  'an iterator keeps its pool until the last result is there': { keptWhile: true, over: true },
  'an iterator that nobody takes from, dropped': { closed: false },
  'an iterator that was left': { over: true },
  'a listener that holds it': {},
  'its memory': {},
}

for (const [scenario, expected] of Object.entries(programs)) {
  test.serial(`a pool that is dropped: ${scenario}`, async (t) => {
    const said = await runHost<any>(t, 'pool-gc', { scenario }, { execArgv: ['--expose-gc'] })
    if (scenario.startsWith('a callback')) said.seen.sort((a: unknown) => (a === 'slept' ? -1 : 1))
    t.deepEqual(said, expected)
  })
}
