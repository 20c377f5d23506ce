// However a host ends, and whatever its workers do at that moment: none of its processes outlives it by more than two
// seconds, and nothing of it is left anywhere else.

import { readdirSync } from 'node:fs'
import test from 'ava'
import { type Ending, startHost } from './helpers/hosts.js'

/** What the workers do when the host ends. */
const states = ['idle', 'spinning', 'blocked', 'waiting', 'booting', 'nested', 'child']

/** How the host ends, and how that looks from outside. */
const ends: Record<string, Ending> = {
  exit: { code: 7, signal: null },
  error: { code: 1, signal: null },
  rejection: { code: 1, signal: null },
  SIGINT: { code: null, signal: 'SIGINT' },
  SIGTERM: { code: null, signal: 'SIGTERM' },
  SIGHUP: { code: null, signal: 'SIGHUP' },
  SIGKILL: { code: null, signal: 'SIGKILL' },
}

/** The promise is two seconds; a busy machine is given more. */
const BOUND_MS = 5000

for (const state of states) {
  for (const [end, ending] of Object.entries(ends)) {
    test.serial(`no process outlives a host that ends by ${end} while its workers are ${state}`, async (t) => {
      const host = startHost(t, 'ends', { state, end })
      const workers = await host.line<number[]>()
      t.is(workers.length, 2)
      if (end.startsWith('SIG')) host.signal(end as NodeJS.Signals)
      t.deepEqual(await host.ended(), ending, host.errors)
      const after = await host.vanished()
      t.log(`${Math.round(after)} ms`)
      t.true(after < BOUND_MS)
    })
  }
}

test.serial('nothing is left in /dev/shm', (t) => {
  t.deepEqual(
    readdirSync('/dev/shm').filter((name) => name.includes('millrace')),
    [],
  )
})
