// The forks of a pool's own process: all workers are forked at the top of one turn of the event loop, where no other
// code is in the middle of anything. In each fork this turn goes on as a worker, and no other code of the program runs.

import { registry } from '../finalizers/registry.js'
import type { NativePool } from '../native/index.js'
import { awaitedTurns, reasonsAgainst } from '../start/fork-safety.js'
import { becomeForked } from '../start/forked/become.js'
import { keepCrypto, RandomCaches, seedableRandom } from '../start/forked/random.js'
import { monotonicMs } from '../util/clock.js'
import { clearTimeout, setImmediate, setTimeout } from '../util/globals.js'
import { runWorker, watchOutputs } from '../worker/run.js'
import { forgetOwners } from './exit.js'

/** A pool as the whole process sees it. */
export interface OpenPool {
  /** Whether the pool is closed and without calls, and its workers are not gone yet. */
  readonly isLeaving: boolean
  /** In a fork of this process: gives the pool up. */
  leaveBehind(): void
  /** Closes the pool if its object is collected. Returns whether it was open till then. */
  closeIfDropped(): boolean
  /** Waits for so many milliseconds until workers of a pool that is leaving are gone. Returns whether some are. */
  reap(timeoutMs: number): boolean
}

/** The open pools of this process. */
export const openPools = new Set<OpenPool>()

/** How long to wait for work in progress before refusing to fork. */
const SETTLE_MS = 2000

const LOOK_AGAIN_MS = 5

/** Events whose listeners stay: some are Node's own, and by the others Node learns of new listeners. */
const KEPT_LISTENERS = new Set<string | symbol>(['newListener', 'removeListener', 'warning'])

/** The forks of one pool. They happen once. */
export class OwnForks {
  readonly #native: NativePool
  readonly #onOver: () => void
  #state: 'idle' | 'awaited' | 'over' = 'idle'
  #since = 0
  #timer: NodeJS.Timeout | undefined

  /** @param onOver - Goes through a round. Events of the forks do not hold the event loop, so they need one at once. */
  constructor(native: NativePool, onOver: () => void) {
    this.#native = native
    this.#onOver = onOver
    keepCrypto()
  }

  /** Whether the workers are there, or will never be. */
  get over(): boolean {
    return this.#state === 'over'
  }

  /** Has the workers forked as soon as this process can be. Idempotent. */
  schedule(): void {
    if (this.#state !== 'idle') return
    this.#state = 'awaited'
    this.#since = monotonicMs()
    this.#awaitTurn()
  }

  /** Gives the forks up: they are not needed any more, or belong to another process. */
  cancel(): void {
    this.#state = 'over'
    clearTimeout(this.#timer)
  }

  #awaitTurn(): void {
    awaitedTurns.count++
    // This immediate is never cleared: Node lists a cleared one for just as long.
    setImmediate(() => {
      awaitedTurns.count--
      if (this.#state === 'awaited') this.#fork()
    })
  }

  #fork(): void {
    const reasons = reasonsAgainst()
    if (reasons.length > 0 && monotonicMs() - this.#since < SETTLE_MS) {
      // The timer does not hold the event loop: the work in progress does.
      this.#timer = setTimeout(() => this.#awaitTurn(), LOOK_AGAIN_MS).unref()
      return
    }
    this.#state = 'over'
    if (reasons.length > 0) {
      this.#native.refuseForks(reasons.join('\n'))
    } else {
      const forked = this.#native.forkWorkers()
      if (forked !== null) return becomeForked(forked, forgetProgram, beginWork)
    }
    this.#onOver()
  }
}

/** In a fork: forgets everything that the program wanted to happen. Returns the title of the process. */
function forgetProgram(): string {
  for (const one of openPools) one.leaveBehind()
  openPools.clear()
  forgetOwners()
  registry.forget()
  for (const event of process.eventNames()) {
    if (!KEPT_LISTENERS.has(event)) process.removeAllListeners(event)
  }
  process.exitCode = undefined
  seedableRandom()
  // No trial has shown how many numbers are to be thrown away, so more are than any Node so far has drawn.
  const caches = new RandomCaches()
  caches.drainMore()
  caches.drain()
  return 'millrace worker'
}

/** In a fork: becomes the worker of a lane, as soon as this turn of the program is over. */
function beginWork(argument: string): void {
  watchOutputs()
  // The program may have made these streams already. Reading them registers them with `flush.ts`.
  void [process.stdout, process.stderr]
  setImmediate(() => runWorker(argument, true))
}
