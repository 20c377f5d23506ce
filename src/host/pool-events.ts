// The events of the native pool: taken in their order, and handled one after the other.
//
// Taking and handling are two steps. A listener may submit a call that gets the number of another, whose end is an
// event that waits: so the calls of all events are taken out of the books together.

import type { BrokenProcessPool } from '../errors/index.js'
import type { NativeCallFailure, NativeEvent, NativePool } from '../native/index.js'
import { signalName } from '../util/signal-names.js'
import type { CallFuture } from './call-future.js'
import type { Calls } from './calls.js'
import type { Listeners } from './events.js'
import { callFailure } from './failures/calls.js'
import { workerDeath } from './failures/deaths.js'
import { type BrokenEvent, brokenPool } from './failures/pool.js'
import { RecentEnds } from './failures/recent-ends.js'
import { errnoName } from './failures/system.js'
import { warningOf } from './failures/warnings.js'
import type { ResolvedOptions } from './options.js'
import type { PieceOutcome } from './piece-outcome.js'
import type { QueueRoom } from './queue-room.js'
import { chunkOutcome } from './results.js'
import { closeDropped, isShortage } from './shortage.js'

type AnyFuture = CallFuture<unknown>

/** An event, with the future of the call that it ends. */
interface Taken {
  readonly event: NativeEvent
  readonly future: AnyFuture | undefined
}

/** The parts of a pool's core that events concern. */
export interface EventParts {
  readonly native: NativePool
  readonly options: ResolvedOptions
  readonly calls: Calls
  readonly listeners: Listeners
  readonly room: QueueRoom
  /** The name of the task with this index. */
  nameOf(task: number): string | undefined
  /** Settles the calls whose results came before the events that were taken just now. */
  readEarlier(): void
  workerStarted(): void
  workerExited(): void
  broken(event: BrokenEvent): void
  stopped(): void
}

export class PoolEvents {
  readonly #parts: EventParts
  readonly #native: NativePool
  readonly #calls: Calls
  readonly #listeners: Listeners
  readonly #ends = new RecentEnds()
  /** Events that are taken and not handled yet. */
  readonly #taken: Taken[] = []
  /** The failure to start a worker of which a warning was given, until the pool has all of its workers. */
  #spawnWarning: string | undefined

  constructor(parts: EventParts) {
    this.#parts = parts
    this.#native = parts.native
    this.#calls = parts.calls
    this.#listeners = parts.listeners
  }

  /** Whether events are taken and not handled. */
  get areWaiting(): boolean {
    return this.#taken.length > 0
  }

  /** The number of calls whose ends are taken and not handled. */
  get endedCalls(): number {
    return this.#taken.filter(({ future }) => future !== undefined).length
  }

  /** Takes all that there are. */
  take(): void {
    for (const event of this.#native.takeEvents()) {
      const isEnd = event.kind === 'callFailed' || event.kind === 'chunkInterrupted'
      this.#taken.push({ event, future: isEnd ? this.#calls.take(event.call) : undefined })
    }
  }

  /** Handles all that there are. A nested call goes on with the events of this one. */
  handle(): void {
    for (;;) {
      for (let next = this.#taken.shift(); next !== undefined; next = this.#taken.shift()) this.#handle(next)
      if (!this.#native.hasEvents) return
      this.take()
      this.#parts.readEarlier()
    }
  }

  /** The event that tells why the pool is broken, if it is among those that wait. */
  findBroken(): BrokenEvent | undefined {
    this.take()
    return this.#taken.map(({ event }) => event).find((event) => event.kind === 'broken')
  }

  /** Makes the errors of a pool that breaks, one for each call. */
  reasonOf(event: BrokenEvent): () => BrokenProcessPool {
    const deaths = event.deaths.map((death) => {
      const future = typeof death.call === 'number' ? this.#calls.futures[death.call] : undefined
      return workerDeath(death, future?.describe())
    })
    return brokenPool(event, deaths, this.#ends, this.#parts.options)
  }

  #handle({ event, future }: Taken): void {
    switch (event.kind) {
      case 'callFailed':
        return this.#callFailed(event.failure, future)
      case 'chunkInterrupted':
        return this.#chunkInterrupted(event, future)
      case 'workerStart':
        if (this.#native.liveWorkers >= this.#parts.options.maxWorkers) this.#spawnWarning = undefined
        this.#parts.workerStarted()
        return this.#listeners.emit('workerStart', { pid: event.pid, workerId: event.workerId })
      case 'workerExit':
        return this.#workerExited(event)
      case 'workerReplace':
        return this.#listeners.emit('workerReplace', {
          oldPid: event.oldPid,
          newPid: event.newPid,
          reason: event.reason,
        })
      case 'broken':
        return this.#parts.broken(event)
      case 'room':
        if (this.#parts.room.open()) this.#listeners.emit('drain')
        return
      case 'stopped':
        return this.#parts.stopped()
      case 'spawnFailed':
        // The pool tries again after a pause.
        if (isShortage(errnoName(event.errno)) && closeDropped()) return
        return this.#warnOfSpawn(event)
      default:
        return this.#warn(event)
    }
  }

  #callFailed(failure: NativeCallFailure, future: AnyFuture | undefined): void {
    if (future === undefined) return
    future.submitStack = undefined
    if (failure.kind === 'cancelled') this.#calls.cancel(future)
    else if (failure.kind === 'terminated') this.#calls.fail(future, callFailure(failure, future.describe(), future))
    else this.#calls.attemptFailed(future, callFailure(failure, future.describe(), future))
  }

  /** A worker has ended, or was stopped, in the middle of a chunk. */
  #chunkInterrupted(event: Extract<NativeEvent, { kind: 'chunkInterrupted' }>, future: AnyFuture | undefined): void {
    if (future === undefined) return
    const { failure, pid, isUnbegun, done, journal } = event
    const outcome = chunkOutcome(future, journal, pid, done)
    future.submitStack = undefined
    this.#calls.failed++
    // What a worker says of its progress may be more than there are items.
    if (failure === undefined || failure.kind === 'cancelled' || done >= future.sentItems) {
      future.settleValue(outcome)
    } else {
      const error = callFailure(failure, future.describe(), future)
      // A chunk of one item runs as any other call does, without a word that tells of its beginning.
      const isInnocent = isUnbegun && future.sentItems > 1 && failure.kind === 'workerDied'
      future.settleValue({ ...outcome, failure: { error, isInnocent } } satisfies PieceOutcome<unknown>)
    }
  }

  #workerExited({ workerId, death, reason }: Extract<NativeEvent, { kind: 'workerExit' }>): void {
    const { pid, exitCode = null, signal } = death
    this.#ends.note(reason, death)
    this.#parts.workerExited()
    this.#listeners.emit('workerExit', { pid, workerId, exitCode, signal: signalName(signal), reason })
  }

  /** A pool that cannot have all of its workers tries again for each call. It says so once. */
  #warnOfSpawn(event: Extract<NativeEvent, { kind: 'spawnFailed' }>): void {
    const failure = `${event.syscall} ${event.errno}`
    if (this.#spawnWarning === failure) return
    this.#spawnWarning = failure
    this.#warn(event)
  }

  #warn(event: Parameters<typeof warningOf>[0]): void {
    this.#listeners.warn(warningOf(event, (index) => this.#parts.nameOf(index)))
  }
}
