// Forking the workers of a pool from this process: all of them at the top of one turn of the event loop, where no other
// code is in the middle of anything. In each of them that turn goes on as a worker, and nothing of this program does.

import { becomeForked } from '../start/forked/become.js'
import { RandomCaches, seedableRandom } from '../start/forked/random.js'
import { registry } from '../finalizers/registry.js'
import { awaitedTurns, reasonsAgainst } from '../start/fork-safety.js'
import type { NativePool } from '../native/index.js'
import { forgetOwners } from './exit.js'

/** What a fork of this process must not touch again. */
export interface Inheritance {
  leaveBehind(): void
}

/** What is open in this process. */
export const inheritances = new Set<Inheritance>()

/** What the program has begun when its pool wants to fork may take so long to end. */
const SETTLE_MS = 2000

const LOOK_AGAIN_MS = 5

/** The listeners without which Node does not know of others, or that are its own in part. */
const KEPT_LISTENERS = new Set<string | symbol>(['newListener', 'removeListener', 'warning'])

/** The forks of one pool, which happen once. */
export class OwnForks {
  readonly #native: NativePool
  readonly #onOver: () => void
  #state: 'idle' | 'awaited' | 'over' = 'idle'
  #since = 0
  #timer: NodeJS.Timeout | undefined

  /** @param onOver - Goes through a round: what has come of it does not hold the event loop. */
  constructor(native: NativePool, onOver: () => void) {
    this.#native = native
    this.#onOver = onOver
  }

  /** Whether the workers are there, or never will be. */
  get over(): boolean {
    return this.#state === 'over'
  }

  /** Has the workers forked as soon as that can be. Idempotent. */
  schedule(): void {
    if (this.#state !== 'idle') return
    this.#state = 'awaited'
    this.#since = performance.now()
    this.#awaitTurn()
  }

  /** They are not needed any more, or are another process's. */
  cancel(): void {
    this.#state = 'over'
    clearTimeout(this.#timer)
  }

  #awaitTurn(): void {
    awaitedTurns.count++
    // It comes in any case: Node counts an immediate that was cleared for as long.
    setImmediate(() => {
      awaitedTurns.count--
      if (this.#state === 'awaited') this.#fork()
    })
  }

  #fork(): void {
    let reasons = reasonsAgainst()
    if (reasons.length > 0 && performance.now() - this.#since < SETTLE_MS) {
      // What is waited for holds the event loop by itself.
      this.#timer = setTimeout(() => this.#awaitTurn(), LOOK_AGAIN_MS).unref()
      return
    }
    this.#state = 'over'
    const caches = new RandomCaches()
    if (reasons.length === 0) reasons = caches.empty()
    if (reasons.length > 0) {
      caches.release()
      this.#native.refuseForks(reasons.join('\n'))
    } else {
      const forked = this.#native.forkWorkers()
      caches.release()
      if (forked !== null) return becomeForked(forked, forgetProgram, loadWorker)
    }
    this.#onOver()
  }
}

/** In a fork: nothing that the program wanted to happen happens here. Returns what to show it as. */
function forgetProgram(): string {
  for (const one of inheritances) one.leaveBehind()
  inheritances.clear()
  forgetOwners()
  registry.forget()
  for (const event of process.eventNames()) {
    if (!KEPT_LISTENERS.has(event)) process.removeAllListeners(event)
  }
  process.exitCode = undefined
  seedableRandom()
  return 'millrace worker'
}

/** In a fork: what a worker is made of changes the process that loads it, so the program has not done so. */
function loadWorker(argument: string): void {
  void import('../worker/run.js').then(({ runWorker }) => {
    // The program has made them; from here on it is known that there may be something in them.
    void [process.stdout, process.stderr]
    runWorker(argument, true)
  })
}
