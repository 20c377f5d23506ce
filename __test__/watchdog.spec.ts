// Hosts that end in every possible way while their workers do anything: no process of a host outlives it by more than
// two seconds, and nothing else of it is left.

import { readdirSync } from 'node:fs'
import test, { type ExecutionContext } from 'ava'
import { type Ending, processCount, startHost } from './helpers/hosts.js'
import { tempDirectory } from './helpers/pool.js'
import { startMethod } from './helpers/start-method.mjs'
import { until } from './helpers/waiting.js'

/** The number of processes that boot: two workers, or the server that would fork them. */
const booting = startMethod === 'forkserver' ? 2 : 3

/** What the workers do when the host ends, and the number of processes then. */
const states: Record<string, number> = {
  idle: processCount(2),
  spinning: processCount(2),
  blocked: processCount(2),
  waiting: processCount(2),
  booting,
  'stuck in a module that they load first': booting,
  'waiting for a debugger': booting,
  // Each of the two workers has a worker, which has a worker.
  nested: processCount(6, 5),
  // Each has started a process that is no worker.
  parents: processCount(2) + 2,
}

/** The ends of the host, and how each looks from outside. */
const ends: Record<string, Ending> = {
  'process.exit()': { code: 7, signal: null },
  'an uncaught error': { code: 1, signal: null },
  SIGTERM: { code: null, signal: 'SIGTERM' },
  SIGKILL: { code: null, signal: 'SIGKILL' },
}

/** Further ends, which differ for the host only, not for its workers. */
const moreEnds: Record<string, Ending> = {
  'an unhandled rejection': { code: 1, signal: null },
  'process.abort()': { code: null, signal: 'SIGABRT' },
  SIGINT: { code: null, signal: 'SIGINT' },
  SIGHUP: { code: null, signal: 'SIGHUP' },
}

/** The promise is two seconds; a busy machine gets more. */
const BOUND_MS = 5000

async function outlivesNot(t: ExecutionContext, state: string, end: string, ending: Ending, delay = 0): Promise<void> {
  const host = startHost(t, 'ends', { state, end, delay, directory: tempDirectory(t) })
  t.is(await host.line(), states[state] === booting && startMethod === 'forkserver' ? 0 : 2)
  if (end.startsWith('SIG')) {
    // A process that is about to become a worker has no environment for a moment, and so cannot be found. Hence the
    // wait.
    await until(`${states[state]} processes`, () => host.processes().length >= states[state]!)
    host.signal(end as NodeJS.Signals)
  }
  t.deepEqual(await host.ended(), ending, host.errors)
  const after = await host.vanished()
  t.log(`${Math.round(after)} ms`)
  t.true(after < BOUND_MS)
}

for (const state of Object.keys(states)) {
  for (const [end, ending] of Object.entries(ends)) {
    test.serial(`workers that are ${state} end with a host that ends by ${end}`, outlivesNot, state, end, ending)
  }
}

for (const [end, ending] of Object.entries(moreEnds)) {
  test.serial(`workers that are spinning end with a host that ends by ${end}`, outlivesNot, 'spinning', end, ending)
}

for (const delay of [5, 15, 30, 60]) {
  const title = `workers that have booted for ${delay} ms end with a host that ends by SIGKILL`
  test.serial(title, outlivesNot, 'booting', 'SIGKILL', { code: null, signal: 'SIGKILL' }, delay)
}

test.serial('nothing is left in /dev/shm', (t) => {
  t.deepEqual(
    readdirSync('/dev/shm').filter((name) => name.includes('millrace')),
    [],
  )
})
