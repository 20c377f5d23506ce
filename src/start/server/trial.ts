// The trial of a fork server: whether a fork of it works.
//
// Nothing outside of a process can tell that. So before a server says that it is ready, it makes one fork, which does
// the same things as workers do.

import { stat } from 'node:fs/promises'

import { native } from '../../native/index.js'
import { signalName } from '../../util/signal-names.js'
import { sleep, turn } from '../../util/timer.js'
import { exitNatively } from '../forked/exit.js'

/** The time limit of the trial. Its work is next to nothing: a fork that takes longer waits for something it lacks. */
const TIMEOUT_MS = 5000

/** Bytes of objects that make V8 collect garbage. */
const GARBAGE = 4 << 20

const CHUNK = 1024

/** Why a fork of this process does not work; empty if it works. To be called at the top of a turn. */
export async function tryFork(server: InstanceType<typeof native.NativeForkServer>): Promise<string[]> {
  const end = server.tryFork(TIMEOUT_MS)
  if (end === null) return exercise()
  if (end.exitCode === 0) return []
  const signal = signalName(end.signal)
  let how = `did not come to its end within ${TIMEOUT_MS} ms`
  if (signal !== null) how = `was killed by ${signal}`
  else if (end.exitCode !== undefined) how = `failed with code ${end.exitCode}`
  return [`a fork of it that only had to collect garbage, wait for a timer and look for a file ${how}`]
}

/** In the fork: uses memory, timers and the thread pool. Never returns. */
async function exercise(): Promise<never> {
  exitNatively()
  try {
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
