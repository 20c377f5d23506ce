// The core of a process pool in JavaScript: the native pool, the futures of its unfinished calls, and what happens when
// the event loop says that something came.
//
// The native pool's callback reaches the core, and the core must not reach the executor that users hold: an executor
// that is dropped can then be collected while its calls finish.
//
// User code runs only from `Calls.settle` and the listeners. Whatever is needed to go on stands in fields before it is
// called, so that it may call anything here, and a nested round (resultSync() in a callback) goes on where this one is.

import { isMainThread } from 'node:worker_threads'

import { encodeBoot } from './boot-payload.js'
import { CallFuture, type CallOwner, NO_CALL } from './call-future.js'
import { CallPath } from './call-path.js'
import { Calls } from './calls.js'
import { Outbox } from '../codec/index.js'
import { type BrokenProcessPool, type CancelledError, InvalidStateError, ShutdownError } from '../errors/index.js'
import { isEnding, type Owner, registerOwner, unregisterOwner, watchForEnd } from './exit.js'
import { callFailure } from './failures/calls.js'
import { workerDeath } from './failures/deaths.js'
import { type BrokenEvent, brokenPool } from './failures/pool.js'
import { poolFailed } from './failures/system.js'
import { native, type NativeCallFailure, type NativeEvent, type NativePool } from '../native/index.js'
import type { ResolvedOptions } from './options.js'
import { signalName } from '../util/signal-names.js'
import { invalidType } from '../util/validate.js'
import { Listeners, type PoolEmitter } from './events.js'
import { LoopHold } from './loop-hold.js'
import { SubmitStacks } from './submit-stacks.js'
import { inheritances, OwnForks } from './own-forks.js'
import { RecentEnds } from './failures/recent-ends.js'
import { refusalError, spawnRefusal } from './failures/refusal.js'
import { RefusedItems } from './refused-items.js'
import { dumpFutures, poolStats } from './report.js'
import { ResultReader } from './results.js'
import { PoolState, wasShutDown } from './pool-state.js'
import { QueueRoom } from './queue-room.js'
import type { PoolStats } from './stats.js'
import { TaskTable } from './tasks.js'
import { warningOf } from './failures/warnings.js'
import { CallFlag, Drained, Refused, Register } from '../wire/index.js'

type AnyFuture = CallFuture<unknown>

/** Size of the buffer that results come in. */
const INBOX_BYTES = 1 << 20

/** Results handed on in one go, before the rest of the program gets a turn. */
const BATCHES_PER_TURN = 16

/** A `worker_threads` thread can be terminated, and its process can exit, only when it comes back to JavaScript. */
const LONGEST_WAIT_MS = isMainThread ? Infinity : 50

/** How a call is made. */
export interface CallPlan {
  /** The public method that the user called: stacks of errors begin outside of it. */
  readonly caller: (...args: never[]) => unknown
  /** {@link CallFlag}s. Default: none. */
  readonly flags?: number
  /** ArrayBuffers whose memory the call takes along. They are detached once the call is taken. */
  readonly moving?: readonly ArrayBuffer[] | undefined
  /** Checks the call's options and notes them in its future. A future that is done by then is not sent. */
  readonly prepare?: (future: CallFuture<unknown>) => void
}

export class PoolCore implements Owner, CallOwner {
  readonly tasks: TaskTable
  readonly #options: ResolvedOptions
  readonly #native: NativePool
  // What runs once a batch of results, without the cost of a method.
  readonly #turn: () => number
  readonly #drain: () => number
  readonly #outbox = new Outbox()
  readonly #path: CallPath
  readonly #reader: ResultReader
  readonly #room: QueueRoom
  readonly #hold: LoopHold
  readonly #submitStacks = new SubmitStacks()
  readonly #ends = new RecentEnds()
  /** Where the workers are forked from this process. */
  readonly #forks: OwnForks | undefined
  readonly #calls = new Calls()
  readonly #listeners: Listeners
  readonly #state = new PoolState()
  /** Events that are taken and not handled yet, with the future of the call that one is about. */
  #events: { event: NativeEvent; future: AnyFuture | undefined }[] = []

  constructor(options: ResolvedOptions, emitter: PoolEmitter) {
    this.#options = options
    this.#listeners = new Listeners(emitter)
    const { codec, payload } = encodeBoot(options, this.#outbox)
    const inbox = new Uint8Array(INBOX_BYTES)
    const registers = new Uint32Array(Register.count)
    const onEvent = (): void => this.#round()
    try {
      this.#native = new native.NativePool(
        options.native,
        codec,
        payload,
        new Uint8Array(registers.buffer),
        this.#outbox.bytes,
        inbox,
        onEvent,
      )
    } catch (error) {
      throw poolFailed(error)
    }
    this.#path = new CallPath(this.#native, registers, this.#outbox)
    this.#turn = this.#native.bareTurn()
    this.#drain = this.#native.bareDrain()
    this.#reader = new ResultReader(this.#native, inbox)
    this.#room = new QueueRoom(this.#native)
    this.#hold = new LoopHold(this.#native)
    this.tasks = new TaskTable(this.#native)
    if (options.native.ownForks) this.#forks = new OwnForks(this.#native, onEvent)
    inheritances.add(this)
    watchForEnd()
  }

  // ---- Calls --------------------------------------------------------------------------------------------------------

  /** @throws As {@link PoolState.assertOpen}. */
  assertOpen(): void {
    this.#state.assertOpen()
  }

  /**
   * Makes a call: checks that the pool takes calls and that `fn` can be a task, makes the future, and sends the
   * arguments.
   *
   * @returns The future. Arguments that cannot travel fail the future.
   * @throws What {@link assertOpen} and `plan.prepare` throw, TypeError for what is no task or no list of arguments,
   * and why the native pool refuses the call. Then nothing of the call is kept.
   */
  call<T>(fn: unknown, args: readonly unknown[], plan: CallPlan): CallFuture<T> {
    this.#state.assertOpen()
    const { flags = 0, caller, moving } = plan
    const future = new CallFuture<T>(this, this.tasks.entry(fn), (flags & CallFlag.chunk) !== 0)
    if (!Array.isArray(args)) throw invalidType('args', 'an array', args)
    plan.prepare?.(future)
    if (!future.done()) this.#send(future, args, flags, caller, moving)
    return future
  }

  #send(
    future: AnyFuture,
    args: readonly unknown[],
    flags: number,
    caller: (...args: never[]) => unknown,
    moving?: readonly ArrayBuffer[],
  ): void {
    const path = this.#path
    try {
      path.encode(args)
    } catch (error) {
      if (future.isChunk && future.refused === undefined) return this.#sendRest(future, args, flags, caller)
      return this.#calls.fail(future, error)
    }
    const call = path.submit(future, flags, moving)
    if (call < 0) {
      const refusal = this.#refusal(call, path.payloadBytes)
      path.discard()
      if (call !== Refused.tooLarge) throw refusal
      return this.#calls.fail(future, refusal)
    }
    future.submitStack = this.#submitStacks.record(caller)
    this.#forks?.schedule()
    if (this.#calls.add(call, future)) {
      registerOwner(this)
      // A call from a 'beforeExit' listener: the program goes on, and its pool does not hold it any longer than its
      // calls.
      this.#hold.setDismissing(false)
    }
  }

  /** Memory that is shared with a worker, for the host to fill in place; null when there is no room. */
  allocate(bytes: number): ArrayBuffer | null {
    const memory = this.#native.allocate(bytes)
    if (typeof memory !== 'number') return memory
    throw this.#refusal(memory, bytes)
  }

  /** The error for a refused call, or a refused allocation, of so many bytes. */
  #refusal(reason: number, bytes: number): Error {
    if (reason === Refused.broken && this.#state.broken === undefined) {
      // Another thread has seen the death, whose event is on its way.
      this.#takeEvents()
      const broken = this.#events.map(({ event }) => event).find((event) => event.kind === 'broken')
      if (broken !== undefined) this.#state.broken = this.#reasonOf(broken)
    }
    return refusalError(reason, this.#native, { bytes, maxQueue: this.#options.maxQueue, broken: this.#state.broken })
  }

  /** Sends a chunk without the items that cannot travel. */
  #sendRest(future: AnyFuture, items: readonly unknown[], flags: number, caller: (...args: never[]) => unknown): void {
    const refused = (future.refused = new RefusedItems(items, flags, this.#outbox))
    if (refused.rest.length > 0) return this.#send(future, refused.rest, flags, caller)
    this.#calls.failed++
    future.settleValue(refused.complete({ values: [] }))
  }

  /** Ends a future whose call is never made. */
  cancelUnsent(future: AnyFuture, error: CancelledError): void {
    this.#calls.cancel(future, error)
  }

  isRunning(future: AnyFuture): boolean {
    return future.call !== NO_CALL && this.#native.isRunning(future.call)
  }

  /**
   * Takes a call back; with `kill` also one that runs, stopping its worker. True: it is over, and nothing will settle
   * it.
   */
  cancel(future: AnyFuture, kill: boolean): boolean {
    const { call } = future
    if (call === NO_CALL) return false
    if (!this.#native.cancel(call) && !(kill && this.#native.stopCall(call, future.grace))) return false
    this.#calls.forget(future)
    this.#calls.cancelled++
    return true
  }

  // ---- Rounds -------------------------------------------------------------------------------------------------------

  /** Something came: results first, then everything else. */
  #round(): void {
    let drained = this.#turn()
    for (let batches = 1; (drained & ~Drained.events) > 0; batches++) {
      this.#reader.read(drained & ~Drained.events, this.#calls.take, this.#calls.outcomes)
      this.#calls.settle()
      if (batches === BATCHES_PER_TURN) {
        this.#native.wakeAgain()
        break
      }
      drained = this.#drain()
    }
    if (drained !== 0 || this.#events.length > 0) this.#handleEvents()
  }

  /** A nested call goes on where this one is. */
  #handleEvents(): void {
    for (;;) {
      for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) this.#handle(next)
      if (!this.#native.hasEvents) return
      this.#takeEvents()
    }
  }

  #takeEvents(): void {
    for (const event of this.#native.takeEvents()) {
      // Taken out now: by this the number is free, and a listener of an earlier event may submit a call that gets it.
      const future = event.kind === 'callFailed' ? this.#calls.take(event.call) : undefined
      this.#events.push({ event, future })
    }
  }

  /** Goes through rounds, blocking this thread in between, until the future is done or the deadline has passed. */
  drive(future: AnyFuture, deadline: number | undefined): void {
    // Its outcome may be here already, taken by the round that this was called from.
    this.#calls.settle()
    this.#handleEvents()
    while (!future.done() && future.call !== NO_CALL) {
      if (isEnding()) {
        this.#calls.forget(future)
        return this.#calls.fail(future, new ShutdownError('The process ends, and its workers are gone'))
      }
      this.#state.assertOwn()
      if (this.#forks?.over === false) {
        throw new InvalidStateError(
          "The pool's workers are forked in a later turn of the event loop, and this thread cannot wait for that: " +
            'await the result, or let a turn pass before',
        )
      }
      const left = deadline === undefined ? Infinity : deadline - performance.now()
      if (left <= 0) return
      const wait = Math.min(left, LONGEST_WAIT_MS)
      this.#native.wait(wait === Infinity ? -1 : wait)
      this.#round()
    }
  }

  // ---- Events -------------------------------------------------------------------------------------------------------

  #handle({ event, future }: { event: NativeEvent; future: AnyFuture | undefined }): void {
    switch (event.kind) {
      case 'callFailed':
        return this.#callFailed(event.failure, future)
      case 'workerStart':
        registerOwner(this)
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
        return this.#break(event)
      case 'room':
        this.#room.open()
        return this.#listeners.emit('drain')
      case 'stopped':
        return this.#stop()
      default:
        return this.#listeners.warn(warningOf(event))
    }
  }

  #callFailed(failure: NativeCallFailure, future: AnyFuture | undefined): void {
    if (future === undefined) return
    future.submitStack = undefined
    if (failure.kind === 'cancelled') this.#calls.cancel(future)
    else this.#calls.fail(future, callFailure(failure, future.describe(), future))
  }

  #workerExited({ workerId, death, reason }: Extract<NativeEvent, { kind: 'workerExit' }>): void {
    const { pid, exitCode = null, signal } = death
    this.#ends.note(reason, death)
    if (this.#native.liveWorkers === 0) this.#lastWorkerLeft()
    this.#listeners.emit('workerExit', { pid, workerId, exitCode, signal: signalName(signal), reason })
  }

  #lastWorkerLeft(): void {
    if (this.#calls.unfinished === 0) unregisterOwner(this)
    this.#hold.setDismissing(false)
  }

  #reasonOf(event: BrokenEvent): () => BrokenProcessPool {
    const deaths = event.deaths.map((death) => {
      const future = typeof death.call === 'number' ? this.#calls.futures[death.call] : undefined
      return workerDeath(death, future?.describe())
    })
    return brokenPool(event, deaths, this.#ends, this.#options)
  }

  #break(event: BrokenEvent): void {
    const makeError = (this.#state.broken ??= this.#reasonOf(event))
    this.#room.close(makeError)
    this.failAll(makeError)
    this.#listeners.emit('broken', makeError())
  }

  /** Everything that is unfinished fails, each call with an error of its own. */
  failAll(makeError: () => Error): void {
    for (const future of this.#calls.futures.filter((one) => one !== undefined)) {
      this.#calls.forget(future)
      this.#calls.outcomes.push({ future, kind: 'error', value: makeError() })
    }
    this.#calls.settle()
  }

  #stop(): void {
    this.#state.stopped = true
    this.#forks?.cancel()
    inheritances.delete(this)
    unregisterOwner(this)
    this.#native.destroy()
    this.#hold.stop()
  }

  // ---- Life ---------------------------------------------------------------------------------------------------------

  /**
   * Starts all workers, or has them forked from this process as soon as that can be.
   *
   * @throws WorkerSpawnError when one cannot be started: none is left running then, and the core is of no use.
   */
  startAll(): void {
    try {
      this.#state.assertOpen()
      this.#forks?.schedule()
      if (!this.#native.startAll()) throw spawnRefusal(this.#native)
    } catch (error) {
      this.#state.closed = true
      this.#stop()
      throw error
    }
    registerOwner(this)
  }

  /** Takes no more calls; what there is finishes, then the workers leave. */
  close(): void {
    if (this.#state.closed) return
    this.#state.closed = true
    this.#room.close(wasShutDown)
    this.#native.shutDown()
  }

  /** Cancels every call that no worker has claimed, before it returns. */
  cancelWaiting(): void {
    for (const call of this.#native.cancelWaiting()) {
      const future = this.#calls.futures[call]
      if (future === undefined) continue
      this.#calls.forget(future)
      this.#calls.outcomes.push({ future, kind: 'cancelled', value: undefined })
    }
    this.#calls.settle()
  }

  /** Stops everything: running calls fail as terminated, waiting ones are cancelled. */
  terminate(hard: boolean): void {
    if (this.#state.stopped) return
    this.close()
    // The workers are gone, or will be at once, and a round would start others for the calls that wait.
    if (isEnding()) return
    // Results that are there are delivered first.
    this.#round()
    if (!this.#state.stopped) this.#native.terminate(hard)
  }

  /** Resolves when the last worker is reaped after `close()`. Holds the event loop until then. */
  async stopped(): Promise<void> {
    this.#state.assertOwn()
    return this.#hold.untilStopped()
  }

  /** Resolves when the queue has room. */
  ready(): Promise<void> {
    const refusal = this.#state.refusal()
    return refusal === undefined ? this.#room.wait() : Promise.reject(refusal)
  }

  setReferenced(referenced: boolean): void {
    this.#hold.setReferenced(referenced)
  }

  dismissIdle(): void {
    // An unref'd pool that still has calls does not keep its process: its workers are killed at the exit.
    if (this.#state.stopped || this.#calls.unfinished > 0 || this.#native.liveWorkers === 0) return
    this.#native.dismissIdle()
    this.#hold.setDismissing(true)
  }

  /** In a fork: everything here is its parent's. Nothing is settled: who waits for it is the parent's code. */
  leaveBehind(): void {
    this.#state.leaveBehind()
    this.#forks?.cancel()
    this.#calls.futures.length = 0
  }

  killNow(): void {
    if (!this.#state.stopped) this.#native.destroy()
  }

  // ---- Inspection ---------------------------------------------------------------------------------------------------

  get size(): number {
    return this.#options.maxWorkers
  }

  stats(): PoolStats {
    const { completed, failed, cancelled, futures } = this.#calls
    return poolStats(this.#native, futures, { completed, failed, cancelled })
  }

  dump(): string {
    const { name } = this.#options
    const head = `pool${name === '' ? '' : ` '${name}'`}: ${this.#state}, ${this.#calls.unfinished} unfinished futures`
    return `${head}\n${dumpFutures(this.#calls.futures)}${this.#native.dump()}`
  }
}
