// The trial of a fork server: whether a fork of it works.
//
// Nothing outside of a process can tell that. So before a server says that it is ready, it makes two forks, which do
// the same things as workers do. What the two draw at random must differ.

import { stat } from 'node:fs/promises'

import { native } from '../../native/index.js'
import { Buffer } from '../../util/globals.js'
import { signalName } from '../../util/signal-names.js'
import { sleep, turn } from '../../util/timer.js'
import { exitNatively } from '../forked/exit.js'
import { drawFromEach, type RandomCaches } from '../forked/random.js'

/**
 * The time limit of the trial. Its work is next to nothing: a fork that sleeps for longer waits for something it lacks.
 */
const TIMEOUT_MS = 5000

/** Bytes of objects that make V8 collect garbage. */
const GARBAGE = 4 << 20

const CHUNK = 1024

type Server = InstanceType<typeof native.NativeForkServer>
type Trial = NonNullable<ReturnType<Server['tryFork']>>

/** Why forks of this process do not work; empty if they work. To be called at the top of a turn. */
export async function tryForks(server: Server, prepare: () => void, caches: RandomCaches): Promise<string[]> {
  for (;;) {
    const drawn: Record<string, string>[] = []
    for (let sibling = 0; sibling < 2; sibling++) {
      const end = server.tryFork(TIMEOUT_MS)
      if (end === null) return exercise(server, prepare)
      if (end.exitCode !== 0) return [failed(end)]
      drawn.push(JSON.parse(Buffer.from(end.report).toString()) as Record<string, string>)
    }
    const shared = Object.keys(drawn[0]!).filter((source) => drawn[0]![source] === drawn[1]![source])
    if (shared.length === 0) return []
    if (!caches.drainMore())
      return [`under Node ${process.version} its forks draw the same numbers by ${shared.join(', ')}`]
  }
}

function failed({ exitCode, signal: number, waitedMs }: Trial): string {
  const signal = signalName(number)
  let how = `did not come to its end within ${Math.round(waitedMs / TIMEOUT_MS) * TIMEOUT_MS} ms`
  if (signal !== null) how = `was killed by ${signal}`
  else if (exitCode !== undefined) how = `failed with code ${exitCode}`
  return `a fork of it that only had to collect garbage, wait for a timer and look for a file ${how}`
}

/** In the fork: uses random numbers, memory, timers and the thread pool. Never returns. */
async function exercise(server: Server, prepare: () => void): Promise<never> {
  exitNatively()
  try {
    prepare()
    server.report(Buffer.from(JSON.stringify(drawFromEach())))
    let last: number[] = []
    for (let bytes = 0; bytes < GARBAGE; bytes += CHUNK * 8) last = new Array<number>(CHUNK).fill(last.length)
    await turn()
    await sleep(1)
    await stat('/')
    native.exitNow(0)
  } catch {
    native.exitNow(1)
  }
  return new Promise<never>(() => {})
}
