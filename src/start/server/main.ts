// The entry of a fork server: it loads the modules of its workers, and forks a worker whenever the host asks for one.
//
// A fork server runs no task, and opens nothing.

import { native } from '../../native/index.js'
import { becomeWorker } from '../../tasks/context.js'
import { arriveAtEntry } from '../../tasks/entry.js'
import { monotonicMs } from '../../util/clock.js'
import { setImmediate } from '../../util/globals.js'
import { sleep, turn } from '../../util/timer.js'
import { ForkRequest } from '../../wire/index.js'
import { leaveTerminalAlone, runWorker, watchOutputs } from '../../worker/run.js'
import { reasonsAgainst } from '../fork-safety.js'
import { becomeForked } from '../forked/become.js'
import { keepCrypto, RandomCaches, seedableRandom } from '../forked/random.js'
import { FORKABLE, planOf } from './plan.js'
import { tryForks } from './trial.js'

/**
 * How long to wait for work that modules have begun while they were loaded, before refusing to fork; and how often to
 * look at least: on a machine that stalls, a long time may have a single look in it.
 */
const SETTLE_MS = 2000
const SETTLE_LOOKS = 100

arriveAtEntry()
const plan = planOf(process.argv.pop())
leaveTerminalAlone()
// Before modules use the streams: the workers are copies of this process.
watchOutputs()
keepCrypto()
const seedAnew = seedableRandom()
const server = new native.NativeForkServer(() => setImmediate(serve))
// Modules see the state of a worker that is loading them.
becomeWorker(0, plan.depth, { allocate: () => null, abortRequested: () => false }).loading++

let incomplete = false
for (const url of plan.preload) {
  server.loading(url)
  // A module that does not load here fails in each worker. The worker tells the host, which starts another server.
  await import(url).catch(() => (incomplete = true))
}
let reasons = await reasonsWhenSettled()
const caches = new RandomCaches()
if (reasons.length === 0) caches.warmUp()
if (reasons.length === 0) reasons = await tryForks(server, haveOwnRandomness, caches)
if (reasons.length === 0) server.ready(incomplete)
else server.refuse(reasons.join('\n'))

/** Why this process cannot be forked, as soon as the work that modules have begun is over. */
async function reasonsWhenSettled(): Promise<string[]> {
  const start = monotonicMs()
  for (let looks = 1; ; looks++) {
    // The resource of the timer below stays in Node's list for another turn.
    await turn()
    await turn()
    const reasons = reasonsAgainst({ descriptors: server.descriptors() })
    if (reasons.length === 0 || (looks >= SETTLE_LOOKS && monotonicMs() - start > SETTLE_MS)) return reasons
    await sleep(5)
  }
}

function serve(): void {
  for (;;) {
    const requested = server.nextRequest()
    if (requested === ForkRequest.nothing) return
    // `ForkRequest.ended`: the host is gone.
    if (requested !== ForkRequest.fork) process.exit()
    const forked = server.fork()
    if (forked !== null) return becomeForked(forked, () => becomeWorkerEntry(forked.argument), runWorker)
  }
}

/** In a fork: its random numbers are none that its siblings have. */
function haveOwnRandomness(): void {
  seedAnew()
  caches.drain()
}

/** In a fork: takes the state of a spawned worker. Returns its command line. */
function becomeWorkerEntry(argument: string): string {
  haveOwnRandomness()
  process.argv[1] = plan.workerEntry
  // These options are the server's: a worker has not been given them, and must not pass them on to its own processes.
  process.execArgv.splice(-FORKABLE.length)
  return [...process.argv, argument].join(' ')
}
