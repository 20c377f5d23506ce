// The core of a process pool in JavaScript: the native pool, the futures of its unfinished calls, and the rounds in
// which results and events are handled.
//
// The native pool's callback leads to the core. The core must not lead to the executor that users hold: so an executor
// that is dropped can be collected while its calls finish.
//
// User code runs only from `Calls.settle` and from listeners. Before it runs, all state is in fields. So user code may
// call any method, and a nested round (resultSync() in a callback) continues where the outer one has stopped.

import { isMainThread } from 'node:worker_threads'

import { Outbox } from '../codec/index.js'
import { CancelledError, InvalidStateError, SerializationError, ShutdownError, withLabel } from '../errors/index.js'
import { native, type NativePool } from '../native/index.js'
import type { RetryPolicy } from '../futures/retry-policy.js'
import { nowMs } from '../util/clock.js'
import { invalidType } from '../util/validate.js'
import { CallFlag, Drained, HostFlag, Refused, Register } from '../wire/index.js'
import { encodeBoot } from './boot-payload.js'
import { CallFuture, type CallOwner, NO_CALL } from './call-future.js'
import { CallPath } from './call-path.js'
import { CallSender } from './call-sender.js'
import { Calls } from './calls.js'
import { Listeners, type PoolEmitter } from './events.js'
import { isEnding, type Owner, registerOwner, unregisterOwner, watchForEnd } from './exit.js'
import type { BrokenEvent } from './failures/pool.js'
import { refusalError, spawnRefusal } from './failures/refusal.js'
import type { FurtherWork } from './further-work.js'
import { LoopHold } from './loop-hold.js'
import type { ResolvedOptions } from './options.js'
import { openPools, OwnForks } from './own-forks.js'
import { PoolEvents } from './pool-events.js'
import { closedToCalls, PoolState, wasShutDown } from './pool-state.js'
import { QueueRoom } from './queue-room.js'
import { RepeatedCall } from './repeated-call.js'
import { Repeats } from './repeats.js'
import { dumpFutures, poolStats } from './report.js'
import { ResultReader } from './results.js'
import type { PoolStats } from './stats.js'
import { givesBack, whileThereIsMore, PoolMemory } from './shortage.js'
import { TaskTable } from './tasks.js'

type AnyFuture = CallFuture<unknown>

/** Bytes of the buffer in which results come. */
const INBOX_BYTES = 1 << 20

/** Batches of results in one round; then the rest of the program gets a turn. */
const BATCHES_PER_TURN = 16

/** A `worker_threads` thread is terminated, and its process exits, only when the thread comes back to JavaScript. */
const LONGEST_WAIT_MS = isMainThread ? Infinity : 50

/** The way in which a call is made. */
export interface CallPlan {
  /** The public method that the user called: stacks of errors begin outside of it. */
  readonly caller: (...args: never[]) => unknown
  // None of these may be absent: it would be looked for in `Object.prototype`, where anybody may have put something.
  /** {@link CallFlag}s, or 0. */
  readonly flags: number
  /** ArrayBuffers whose memory the call takes along. They are detached when the call is accepted. */
  readonly moving: readonly ArrayBuffer[] | undefined
  /** Checks the call's options and stores them in its future. A future that is done afterwards is not sent. */
  readonly prepare: ((future: CallFuture<unknown>) => void) | undefined
}

const wasCancelled = (): CancelledError => new CancelledError('The call was cancelled')

export class PoolCore implements Owner, CallOwner {
  readonly tasks: TaskTable
  readonly #options: ResolvedOptions
  readonly #native: NativePool
  // These run once a batch of results, without the cost of a method.
  readonly #turn: () => number
  readonly #drain: () => number
  readonly #outbox = new Outbox()
  readonly #sender: CallSender
  readonly #reader: ResultReader
  readonly #room: QueueRoom
  readonly #hold: LoopHold
  /** Only for the start method 'fork': the forks of this process. */
  readonly #forks: OwnForks | undefined
  readonly #calls = new Calls()
  readonly #listeners: Listeners
  readonly #state = new PoolState()
  /** Work under way: until its end the workers stay, also those of a closed pool. */
  readonly #further = new Set<FurtherWork>()
  readonly #repeats: Repeats
  readonly #memory = new PoolMemory()
  readonly #events: PoolEvents

  constructor(options: ResolvedOptions, emitter: PoolEmitter) {
    this.#options = options
    this.#listeners = new Listeners(emitter)
    const { codec, payload } = encodeBoot(options, this.#outbox)
    const inbox = new Uint8Array(INBOX_BYTES)
    const registers = new Uint32Array(Register.count)
    const onEvent = (): void => this.#round()
    const make = (): NativePool =>
      new native.NativePool(
        options.native,
        codec,
        payload,
        new Uint8Array(registers.buffer),
        this.#outbox.bytes,
        inbox,
        onEvent,
      )
    this.#native = whileThereIsMore(make)
    this.#turn = this.#native.bareTurn()
    this.#drain = this.#native.bareDrain()
    this.#reader = new ResultReader(this.#native, inbox)
    this.#room = new QueueRoom(this.#native, () => this.#calls.accepted)
    this.#hold = new LoopHold(this.#native)
    this.tasks = new TaskTable(this.#native)
    this.#repeats = new Repeats({
      resend: (call) => this.#resend(call),
      fail: (call, error) => this.#calls.fail(call, error),
      countCancelled: () => this.#calls.cancelled++,
    })
    if (options.native.ownForks) this.#forks = new OwnForks(this.#native, onEvent)
    this.#sender = new CallSender({
      native: this.#native,
      path: new CallPath(this.#native, registers, this.#outbox),
      outbox: this.#outbox,
      room: this.#room,
      calls: this.#calls,
      forks: this.#forks,
      refusal: (reason, bytes) => this.#refusal(reason, bytes),
      firstCall: () => this.#firstCall(),
    })
    this.#events = new PoolEvents({
      native: this.#native,
      options,
      calls: this.#calls,
      listeners: this.#listeners,
      room: this.#room,
      nameOf: (task) => this.tasks.nameOf(task),
      readEarlier: () => this.#readEarlier(),
      workerStarted: () => this.#workerStarted(),
      workerExited: () => this.#workerExited(),
      broken: (event) => this.#break(event),
      stopped: () => this.#stop(),
    })
    openPools.add(this)
    this.#memory.set(0)
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
   * @throws The errors of {@link assertOpen} and `plan.prepare`; TypeError when `fn` is no task or `args` is no array;
   * the reason for which the native pool refuses the call. Then nothing of the call is kept.
   */
  call<T>(fn: unknown, args: readonly unknown[], plan: CallPlan): CallFuture<T> {
    const { flags, caller, moving } = plan
    if ((flags & HostFlag.further) === 0) this.#state.assertOpen()
    else this.#state.assertGoesOn()
    const future = new CallFuture<T>(this, this.tasks.entry(fn), (flags & CallFlag.chunk) === 0 ? 0 : args.length)
    if (!Array.isArray(args)) throw invalidType('args', 'an array', args)
    if (plan.prepare === undefined) {
      this.#sender.send(future, args, flags, caller, moving)
      return future
    }
    plan.prepare(future)
    if (future.done()) return future
    this.#sender.send(future, args, future.label === undefined ? flags : flags | CallFlag.labelled, caller, moving)
    return future
  }

  /**
   * Makes a call that is repeated by the rules of `policy`.
   *
   * @throws As {@link call}.
   */
  callRepeatedly<T>(fn: unknown, args: readonly unknown[], plan: CallPlan, policy: RetryPolicy): CallFuture<T> {
    this.#state.assertOpen()
    const { flags, caller, moving } = plan
    const future = new RepeatedCall<T>(this, this.tasks.entry(fn), this.#repeats, policy)
    if (!Array.isArray(args)) throw invalidType('args', 'an array', args)
    plan.prepare?.(future)
    if (future.done()) return future
    future.flags = future.label === undefined ? flags : flags | CallFlag.labelled
    try {
      this.#sender.send(future, args, future.flags, caller, moving)
    } catch (error) {
      if (!(error instanceof SerializationError)) throw error
      this.#sender.discard()
      this.#calls.fail(future, withLabel(error, future.label))
    }
    if (!future.done()) this.#keepUntilOver(future)
    return future
  }

  /** Keeps what all attempts of a call need until the call is over. */
  #keepUntilOver(call: RepeatedCall<unknown>): void {
    const { task } = call
    // Also between two attempts its number must not go to another task.
    task.unfinished++
    call.firstStack = call.submitStack
    this.begin(call)
    call.addWaiter({
      futureDone: () => {
        call.payload = call.firstStack = undefined
        task.unfinished--
        this.end(call)
      },
    })
  }

  /** Makes the next attempt of a call whose pause is over. */
  #resend(call: RepeatedCall<unknown>): void {
    try {
      this.#state.assertGoesOn()
      this.#sender.sendAgain(call)
    } catch (error) {
      this.#sender.discard()
      this.#calls.fail(call, withLabel(error, call.label))
    }
  }

  /** The first unfinished call, after there was none. */
  #firstCall(): void {
    registerOwner(this)
    // The call may come from a 'beforeExit' listener. Then the program goes on, and the pool again holds the loop only
    // for its calls.
    this.#hold.setDismissing(false)
  }

  /** Allocates memory that a worker shares, for the host to fill in place; null when there is no room. */
  allocate(bytes: number): ArrayBuffer | null {
    return this.#sender.allocate(bytes)
  }

  /** The error for a refused call, or a refused allocation, of `bytes` bytes. */
  #refusal(reason: number, bytes: number): Error {
    if (reason === Refused.broken && this.#state.broken === undefined) {
      // Another thread has seen the death, and the event of it is on its way.
      const broken = this.#events.findBroken()
      if (broken !== undefined) this.#state.break(this.#events.reasonOf(broken))
    }
    return refusalError(reason, this.#native, { bytes, maxQueue: this.#options.maxQueue, broken: this.#state.broken })
  }

  /** Cancels a future whose call is never made. */
  cancelUnsent(future: AnyFuture, error: CancelledError): void {
    this.#calls.cancel(future, error)
  }

  /** The bytes of the arguments of the last call. */
  get sentBytes(): number {
    return this.#sender.sentBytes
  }

  isRunning(future: AnyFuture): boolean {
    return future.call !== NO_CALL && this.#native.isRunning(future.call)
  }

  /**
   * Takes a call back; with `kill` also stops a running call, by ending its worker. Returns true when the call is over;
   * then nothing else settles its future.
   */
  cancel(future: AnyFuture, kill: boolean): boolean {
    const { call } = future
    if (call === NO_CALL) return this.#repeats.cancel(future)
    if (!this.#native.cancel(call) && !(kill && this.#native.stopCall(call, future.grace))) return false
    this.#calls.forget(future)
    this.#calls.cancelled++
    return true
  }

  /** Counts items of chunks. */
  countItems(completed: number, failed: number): void {
    const { items } = this.#calls
    items.completed += completed
    items.failed += failed
  }

  /**
   * Takes back the items of a running chunk that have not begun. Returns the number of items that stay with the call's
   * worker; undefined when no item has begun, or all are over.
   */
  cut(future: AnyFuture): number | undefined {
    return future.call === NO_CALL ? undefined : (this.#native.cutChunk(future.call) ?? undefined)
  }

  /** Work is under way that makes further calls. The pool takes those after `close()`, too, until {@link end}. */
  begin(work: FurtherWork): void {
    this.#further.add(work)
  }

  end(work: FurtherWork): void {
    if (this.#further.delete(work) && this.#further.size === 0) this.#letLeave()
  }

  /** The workers of a closed pool leave when the last call is over, and no work makes another. */
  #letLeave(): void {
    if (this.#state.closed && !this.#state.stopped && this.#further.size === 0) this.#native.shutDown()
  }

  #abandonFurther(makeError: () => Error): void {
    for (const work of this.#further) work.abandon(makeError)
  }

  // ---- Rounds -------------------------------------------------------------------------------------------------------

  /** Handles everything that has come: results first, then events. */
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
    if (drained !== 0 || this.#events.areWaiting) this.#events.handle()
  }

  /**
   * Settles the calls whose results came before the events that were taken just now: the relief thread may have gone
   * through a whole round, results and a death, since the last drain.
   */
  #readEarlier(): void {
    let drained = this.#drain()
    while ((drained & ~Drained.events) > 0) {
      this.#reader.read(drained & ~Drained.events, this.#calls.take, this.#calls.outcomes)
      this.#calls.settle()
      drained = this.#drain()
    }
  }

  /** Goes through rounds until the future is done or the deadline has passed. Blocks this thread between the rounds. */
  drive(future: AnyFuture, deadline: number | undefined): void {
    // The round that called this may have taken the future's outcome already.
    this.#calls.settle()
    this.#events.handle()
    while (!future.done() && (future.call !== NO_CALL || this.#repeats.has(future))) {
      if (isEnding()) return this.#failAtEnd(future)
      if (this.#repeats.isDeciding(future)) {
        throw new InvalidStateError(`${String(future)} cannot be waited for by its own retries.when()`)
      }
      this.#state.assertOwn()
      if (this.#forks?.over === false) {
        throw new InvalidStateError(
          "The pool's workers are forked in a later turn of the event loop, and this thread cannot wait for that: " +
            'await the result, or let a turn pass before',
        )
      }
      const left = deadline === undefined ? Infinity : deadline - nowMs()
      if (left <= 0) return
      const pause = this.#repeats.size === 0 ? Infinity : this.#repeats.nextDue - nowMs()
      const wait = Math.min(left, pause, LONGEST_WAIT_MS)
      this.#native.wait(wait === Infinity ? -1 : Math.max(0, wait))
      this.#round()
      if (pause !== Infinity) this.#repeats.resumeDue()
    }
  }

  #failAtEnd(future: AnyFuture): void {
    const error = new ShutdownError('The process ends, and its workers are gone')
    if (future.call === NO_CALL) return this.#repeats.fail(future as RepeatedCall<unknown>, error)
    this.#calls.forget(future)
    this.#calls.fail(future, error)
  }

  // ---- Ends ---------------------------------------------------------------------------------------------------------

  #workerStarted(): void {
    registerOwner(this)
    this.#memory.set(this.#native.liveWorkers)
  }

  #workerExited(): void {
    this.#memory.set(this.#native.liveWorkers)
    if (this.#native.liveWorkers > 0) return
    if (this.#calls.unfinished === 0) unregisterOwner(this)
    this.#hold.setDismissing(false)
  }

  #break(event: BrokenEvent): void {
    const makeError = this.#state.broken ?? this.#state.break(this.#events.reasonOf(event))
    this.#room.close(makeError)
    this.#repeats.stop()
    this.failAll(makeError)
    this.#abandonFurther(makeError)
    this.#listeners.emit('broken', makeError())
  }

  /** Fails all unfinished calls, each with an error of its own. */
  failAll(makeError: () => Error): void {
    for (const future of this.#calls.futures.filter((one) => one !== undefined)) {
      this.#calls.forget(future)
      this.#calls.outcomes.push({ future, kind: 'lost', value: makeError() })
    }
    this.#calls.settle()
  }

  #stop(): void {
    this.#state.stop()
    this.#forks?.cancel()
    openPools.delete(this)
    unregisterOwner(this)
    this.#native.destroy()
    this.#memory.set(undefined)
    this.#hold.stop()
  }

  // ---- Life ---------------------------------------------------------------------------------------------------------

  /**
   * Starts all workers; with the start method 'fork', has them forked as soon as this process can be.
   *
   * @throws WorkerSpawnError when a worker cannot be started. Then no worker is left running, and the core is stopped.
   */
  startAll(): void {
    try {
      this.#state.assertOpen()
      this.#forks?.schedule()
      let started = this.#native.startAll()
      while (!started && givesBack(this.#native)) {
        // The workers of the attempt are gone: nobody hears of them.
        this.#native.takeEvents()
        started = this.#native.startAll()
      }
      if (!started) throw spawnRefusal(this.#native)
    } catch (error) {
      this.#state.close()
      this.#stop()
      throw error
    }
    registerOwner(this)
  }

  /** Takes no more calls. Unfinished calls finish, then the workers leave. */
  close(): void {
    if (this.#state.closed) return
    this.#state.close()
    this.#room.close(wasShutDown)
    this.#letLeave()
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
    this.#abandonFurther(wasCancelled)
  }

  /** Stops everything: running calls fail as terminated, waiting calls are cancelled. */
  terminate(hard: boolean): void {
    if (this.#state.stopped) return
    this.close()
    // At the end of the process the workers are gone or will be at once. A round would start others for waiting calls.
    if (isEnding()) return
    // Results that are there already are delivered first.
    this.#round()
    if (this.#state.stopped) return
    this.#repeats.stop()
    this.#native.shutDown()
    this.#native.terminate(hard)
    this.#abandonFurther(wasCancelled)
  }

  /** Resolves when the last worker is reaped after `close()`. Holds the event loop until then. */
  async stopped(): Promise<void> {
    this.#state.assertOwn()
    return this.#hold.untilStopped()
  }

  /**
   * Resolves when the queue has room for a call, which is kept for the caller until the end of the next turn. Rejects
   * with the reason of `signal` when that is aborted, also if it was aborted before.
   */
  ready(signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason)
    const refusal = this.#state.refusal()
    if (refusal !== undefined) return Promise.reject(refusal)
    return this.#options.maxQueue === Infinity ? Promise.resolve() : this.#room.wait(signal)
  }

  setReferenced(referenced: boolean): void {
    this.#hold.setReferenced(referenced)
    this.#repeats.setReferenced(referenced)
  }

  dismissIdle(): void {
    // An unref'd pool with calls does not keep its process alive: its workers are killed at the exit.
    if (this.#state.stopped || this.#hasCalls || this.#native.liveWorkers === 0) return
    this.#native.dismissIdle()
    this.#hold.setDismissing(true)
  }

  /** In a fork: gives up everything, which is the parent's. No future is settled: the parent's code waits for them. */
  leaveBehind(): void {
    this.#state.leaveBehind()
    this.#forks?.cancel()
    this.#repeats.leaveBehind()
    this.#calls.futures.length = 0
  }

  get #hasCalls(): boolean {
    return this.#calls.unfinished > 0 || this.#repeats.size > 0
  }

  killNow(): void {
    if (!this.#state.stopped) this.#native.destroy()
  }

  /** Whether the pool takes no more calls, and finishes what it has accepted. */
  get isClosing(): boolean {
    return this.#state.closed
  }

  /** Whether the last worker is reaped, or this process is a fork of the pool's. */
  get isStopped(): boolean {
    return this.#state.stopped
  }

  /** Why the pool takes no calls; undefined while it does. */
  refusal(): Error | undefined {
    return this.#state.refusal(closedToCalls)
  }

  get isLeaving(): boolean {
    return this.#state.closed && !this.#hasCalls && this.#native.liveWorkers > 0
  }

  closeIfDropped(): boolean {
    if (this.#state.closed || !this.#listeners.areGone) return false
    this.close()
    this.#stopIfDropped()
    return true
  }

  reap(timeoutMs: number): boolean {
    const before = this.#native.liveWorkers
    this.#native.wait(timeoutMs)
    // Ends are dealt with when the round is over, and a round without calls has no results. Events stay where they are:
    // the event loop hands them on.
    if ((this.#turn() & ~Drained.events) === 0) this.#native.wakeAgain()
    const { liveWorkers } = this.#native
    this.#stopIfDropped()
    return liveWorkers < before
  }

  /** Stops a pool whose last worker is gone, if no user code can hear of that. */
  #stopIfDropped(): void {
    if (!this.#hasCalls && this.#native.liveWorkers === 0 && this.#listeners.areGone) this.#events.handle()
  }

  // ---- Inspection ---------------------------------------------------------------------------------------------------

  get size(): number {
    return this.#options.maxWorkers
  }

  stats(): PoolStats {
    const { completed, failed, cancelled, items, futures, unsettled } = this.#calls
    // Futures that are not settled are unfinished to whoever asks, be that a callback or a listener.
    const unfinished = this.#calls.unfinished + unsettled + this.#events.endedCalls
    const counts = { completed, failed, cancelled, items: { ...items } }
    return poolStats(this.#native, futures, { unfinished, paused: this.#repeats.size }, counts)
  }

  dump(): string {
    const { name } = this.#options
    const unfinished = this.#calls.unfinished + this.#repeats.size
    const head = `pool${name === '' ? '' : ` '${name}'`}: ${this.#state}, ${unfinished} unfinished futures`
    return `${head}\n${dumpFutures([...this.#calls.futures, ...this.#repeats.calls()])}${this.#native.dump()}`
  }
}
