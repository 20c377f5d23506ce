// The entry of a fork server: it loads what its workers need, and forks one whenever the host asks for it. It runs no
// task, and opens nothing.

import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'

import { reasonsAgainst } from '../fork-safety.js'
import { native } from '../../native/index.js'
import { becomeForked } from '../forked/become.js'
import { RandomCaches, seedableRandom } from '../forked/random.js'
import { ForkRequest } from '../../wire/index.js'
import { becomeWorker } from '../../tasks/context.js'
import { runWorker } from '../../worker/run.js'
import { FORKABLE, planOf } from './plan.js'
import { tryFork } from './trial.js'

/** What modules have begun when they were loaded may take so long to end. */
const SETTLE_MS = 2000

const plan = planOf(process.argv.pop())
const seedAnew = seedableRandom()
const server = new native.NativeForkServer(() => setImmediate(serve))
// Modules find themselves in a worker that loads them.
becomeWorker(0, plan.depth, () => null).loading++

let incomplete = false
for (const url of plan.preload) {
  server.loading(url)
  // What does not load here fails in each worker, which tells the host, which starts another server.
  await import(url).catch(() => (incomplete = true))
}
let reasons = await reasonsWhenSettled()
const caches = new RandomCaches()
if (reasons.length === 0) reasons = caches.empty()
if (reasons.length === 0) reasons = await tryFork(server)
if (reasons.length === 0) server.ready(incomplete)
else server.refuse(reasons.join('\n'))

/** Why this process cannot be forked, once what modules have begun is over. */
async function reasonsWhenSettled(): Promise<string[]> {
  const start = performance.now()
  for (;;) {
    // The timer's own entry in the list of what is active is gone a turn later.
    await turn()
    await turn()
    const reasons = reasonsAgainst({ descriptors: server.descriptors() })
    if (reasons.length === 0 || performance.now() - start > SETTLE_MS) return reasons
    await sleep(5)
  }
}

function serve(): void {
  for (;;) {
    const requested = server.nextRequest()
    if (requested === ForkRequest.nothing) return
    // The host is gone.
    if (requested !== ForkRequest.fork) process.exit()
    caches.empty()
    const forked = server.fork()
    if (forked !== null) return becomeForked(forked, () => becomeWorkerEntry(forked.argument), runWorker)
  }
}

/** In a fork: returns the command line of a worker that is spawned. */
function becomeWorkerEntry(argument: string): string {
  seedAnew()
  caches.release()
  process.argv[1] = plan.workerEntry
  // Those of the server: processes that a worker starts with its own options need them no more than it was given them.
  process.execArgv.splice(-FORKABLE.length)
  return [...process.argv, argument].join(' ')
}
