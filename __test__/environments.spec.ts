// Several JavaScript environments in one process: pools in threads of worker_threads, which end in every way, beside
// each other and beside the main thread's pool. Every case is a program of its own.

import test from 'ava'
import { type Ending, runHost, startHost } from './helpers/hosts.js'

/** The checks of what threads say, by their behaviour. */
const peaceful: Record<string, (said: any[]) => boolean> = {
  'shuts its pool down': (said) => said.every((sum) => sum === 19_900),
  drains: (said) => new Set(said).size === said.length,
  'has an unfinished call': (said) => new Set(said).size === said.length,
  'has an environment of its own': (said) => said.every(([seen, own]) => seen === own),
  'has two pools': (said) => said.every(([pids, same]) => pids === 2 && same),
}

for (const [behaviour, holds] of Object.entries(peaceful)) {
  test.serial(`three threads with pools beside the main thread's pool, each of which ${behaviour}`, async (t) => {
    const said = await runHost<any>(t, 'threads', { program: 'together', behaviour, count: 3 })
    t.true(holds(said.said), JSON.stringify(said.said))
    t.deepEqual(said.ended, Array(3).fill({ code: 0 }))
    t.is(said.sum, 19_900)
    t.deepEqual(said.children, [])
  })
}

/** The ends of threads, as the main thread sees them. */
const endings = [
  { behaviour: 'waits while its pool spins', terminated: true, outcome: { code: 1 } },
  { behaviour: 'exits while its pool spins', outcome: { code: 5 } },
  { behaviour: 'waits while its workers boot', terminated: true, outcome: { code: 1 } },
  {
    behaviour: 'throws while its pool is blocked',
    outcome: { code: 1, failure: 'nobody in this thread catches this' },
  },
  { behaviour: 'waits in a burst of calls', terminated: true, outcome: { code: 1 } },
  { behaviour: 'exits while its workers boot', outcome: { code: 5 } },
  { behaviour: 'is blocked in resultSync()', terminated: true, outcome: { code: 1 } },
  { behaviour: 'waits while its pool is idle', terminated: true, outcome: { code: 1 } },
  { behaviour: 'spins while its pool spins', terminated: true, outcome: { code: 1 } },
  { behaviour: 'drains', outcome: { code: 0 } },
]

test.serial('24 threads in a row end in every way with their pools at work, and the main thread goes on', async (t) => {
  const rounds = 24
  const input = { program: 'one after the other', behaviours: endings, rounds }
  const said = await runHost<any>(t, 'threads', input)
  const expected = Array.from({ length: rounds }, (_, round) => endings[round % endings.length]!.outcome)
  t.deepEqual(said.codes, expected)
  t.deepEqual(said.after, said.before)
  t.deepEqual(said.children, [])
})

const ends: Record<string, Ending> = {
  'process.exit()': { code: 7, signal: null },
  SIGTERM: { code: null, signal: 'SIGTERM' },
  SIGKILL: { code: null, signal: 'SIGKILL' },
}

const busy = ['waits while its pool spins', 'waits while its workers boot', 'is blocked in resultSync()']

for (const [end, ending] of Object.entries(ends)) {
  for (const behaviour of busy) {
    test.serial(`nothing outlives a host that ends by ${end} while each of two threads ${behaviour}`, async (t) => {
      const host = startHost(t, 'threads', { program: 'ends', behaviour, end })
      await host.line()
      if (end.startsWith('SIG')) host.signal(end as NodeJS.Signals)
      t.deepEqual(await host.ended(), ending, host.errors)
      t.log(`${Math.round(await host.vanished())} ms`)
    })
  }
}
