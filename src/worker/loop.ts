// The worker's loop: take, run, commit, for as long as there is work.
//
// Calls run one at a time, in order. A call that returns no promise is taken, run and answered without leaving the
// loop. After a time budget the event loop gets a turn, so that timers and sockets of tasks stay alive under load.

import { encodeResult } from '../codec/index.js'
import { withLabel } from '../errors/index.js'
import { collectBuffers, collectGarbage } from '../memory/garbage.js'
import { RunningTask, type WorkerState } from '../tasks/context.js'
import { monotonicMs } from '../util/clock.js'
import { setImmediate, setTimeout } from '../util/globals.js'
import { isThenable } from '../util/thenable.js'
import { CallFlag, decodeDescriptor, Phase, ResultFlag, Status, Taken } from '../wire/index.js'
import { boot } from './boot.js'
import { OUTCOMES, runChunk } from './chunk.js'
import { Contexts } from './contexts.js'
import { encodeFailure, explainClosure } from './failure.js'
import { afterOutput } from './flush.js'
import { type Lane, LATER } from './lane.js'
import { type Task, type TaskCache } from './task-cache.js'

/** Synchronous work between two turns of the event loop. */
const TURN_BUDGET_MS = 10

/** Idle time after which the memory of consumed results is given back. */
const TRIM_AFTER_MS = 1000

/** Number of attempts to give memory back: a host that keeps results collects its garbage when V8 likes. */
const TRIMS = 4

export class Loop {
  readonly #lane: Lane
  readonly #tasks: TaskCache
  readonly #state: WorkerState
  readonly #leave: (code: number) => never
  readonly #contexts: Contexts
  #running: RunningTask | undefined
  #booting = false
  #retiring = false
  #leaving = false
  #pumping = false
  #pumpAgain = false
  #answering = false
  /** How the call in progress was answered. Its payload is in the outbox. */
  #status: number = Status.ok
  #flags = 0
  #scheduled = false
  /** The number of tasks that were started. */
  #started = 0
  #trimTimer: NodeJS.Timeout | undefined

  constructor(lane: Lane, tasks: TaskCache, state: WorkerState, leave: (code: number) => never) {
    this.#lane = lane
    this.#tasks = tasks
    this.#state = state
    this.#leave = leave
    this.#contexts = new Contexts(state.origin)
  }

  /** Called when the host has rung: there is a call, or a control word has changed. */
  onBell(): void {
    if (this.#running !== undefined && this.#lane.abortRequested) this.#running.abort()
    this.pump()
  }

  /** The call in progress. */
  get running(): RunningTask | undefined {
    return this.#running
  }

  /** Takes calls until there are no more, or a call goes on asynchronously, or the budget is spent. */
  pump(): void {
    if (this.#pumping) {
      // A result that had to wait for room was committed while the loop below is about to end.
      this.#pumpAgain = true
      return
    }
    if (this.#running !== undefined || this.#booting || this.#leaving) return
    this.#pumping = true
    const deadline = monotonicMs() + TURN_BUDGET_MS
    try {
      do {
        this.#pumpAgain = false
        this.#takeAll(deadline)
      } while (this.#pumpAgain)
    } finally {
      this.#pumping = false
    }
  }

  #takeAll(deadline: number): void {
    const lane = this.#lane
    let count = 0
    if (this.#retiring) return this.leave(0)
    let taken = lane.take()
    for (;;) {
      switch (taken) {
        case Taken.task: {
          if (!this.#start()) return
          // The clock is read at every 16th call: a reading costs as much as a small call.
          const over = (++count & 15) === 0 && monotonicMs() > deadline
          if (over || this.#retiring) {
            lane.commit(this.#status, this.#flags, over ? this.#goOnLater : this.#goOn)
            return
          }
          taken = lane.commitAndTake(this.#status, this.#flags, this.#goOn)
          if (taken === LATER) return
          this.#running = undefined
          break
        }
        case Taken.define:
          this.#define()
          taken = lane.take()
          break
        case Taken.boot:
          return this.#boot()
        case Taken.stop:
          return this.leave(0)
        default:
          return this.#idle()
      }
    }
  }

  /** Called when the call in progress is answered. */
  readonly #goOn = (): void => {
    this.#running = undefined
    this.pump()
  }

  readonly #goOnLater = (): void => {
    this.#running = undefined
    this.#pumpLater()
  }

  #pumpLater(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.pump()
    })
  }

  /** Called when there is nothing to do. */
  #idle(): void {
    if (this.#trimTimer === undefined) this.#trimLater(TRIMS)
  }

  #trimLater(times: number): void {
    const started = this.#started
    this.#trimTimer = setTimeout(() => {
      this.#trimTimer = undefined
      if (this.#started !== started) return this.#trimLater(TRIMS)
      // The host needs the memory of arguments to which nothing here refers any more.
      if (this.#lane.lends) collectGarbage()
      else collectBuffers()
      if (this.#lane.trim() && times > 1) this.#trimLater(times - 1)
    }, TRIM_AFTER_MS)
  }

  /** Takes no further call, and leaves after the one in progress. */
  retire(): void {
    this.#retiring = true
    this.#lane.setPhase(Phase.retiring)
    if (this.#running === undefined && !this.#booting) this.leave(0)
  }

  /** Takes no further call, and ends this process as soon as its output has arrived. */
  leave(code: number): void {
    if (this.#leaving) return
    this.#leaving = true
    this.#lane.setPhase(Phase.leaving)
    afterOutput(() => this.#leave(code))
  }

  /** Whether the outcome of the call in progress is being encoded. That may run code of the task's. */
  get answering(): boolean {
    return this.#answering
  }

  /** Whether the worker is leaving: only its output still holds this process. */
  get leaving(): boolean {
    return this.#leaving
  }

  #define(): void {
    const { task } = this.#lane
    const descriptor = this.#lane.payload()
    if (descriptor.byteLength === 0) this.#tasks.forget(task)
    else this.#tasks.define(task, decodeDescriptor(descriptor))
    this.#lane.releaseDefine()
  }

  #boot(): void {
    this.#booting = true
    boot(this.#lane, this.#tasks).then(
      // A turn later it is known whether the initializer has left a rejection that nobody handles.
      () => setImmediate(() => this.#booted()),
      (error: unknown) => this.failBoot(error),
    )
  }

  #booted(): void {
    if (!this.#booting) return
    this.#booting = false
    encodeResult(undefined, this.#lane.outbox)
    this.#lane.setPhase(Phase.ready)
    this.#lane.commit(Status.ok, 0, () => this.pump())
  }

  /** Answers the boot call with an error. The first error tells why this worker does not come up. */
  failBoot(error: unknown): void {
    if (!this.#booting) return
    this.#booting = false
    encodeFailure(error, this.#lane.outbox)
    this.#lane.commit(Status.error, 0, () => this.leave(1))
  }

  /** Whether modules are being preloaded, or the initializer runs. */
  get booting(): boolean {
    return this.#booting
  }

  /** Runs the call that was taken. Returns true when it is answered; else it goes on asynchronously. */
  #start(): boolean {
    const lane = this.#lane
    this.#started++
    const running = new RunningTask(lane.taskId, this.#state.workerId, lane.attempt)
    this.#running = running
    const { flags, task: index } = lane
    try {
      const args = lane.arguments()
      running.label = lane.label
      const task = this.#tasks.loaded(index)
      const outcome =
        task === undefined ? this.#load(running, index, flags, args) : this.#call(running, task, flags, args)
      if (!isThenable(outcome)) return this.#succeed(running, outcome)
      Promise.resolve(outcome).then(
        (value) => this.#succeed(running, value) && this.#finish(),
        (error: unknown) => this.#fail(running, error, index) && this.#finish(),
      )
      return false
    } catch (error) {
      return this.#fail(running, error, index)
    }
  }

  async #load(running: RunningTask, index: number, flags: number, args: unknown[]): Promise<unknown> {
    const task = await this.#contexts
      .callApart(() => this.#tasks.load(index))
      .catch((error: unknown) => {
        throw withLabel(error, running.label)
      })
    return this.#call(running, task, flags, args)
  }

  #call(running: RunningTask, task: Task, flags: number, args: unknown[]): unknown {
    if ((flags & CallFlag.chunk) !== 0) return this.#runItems(running, task, flags, args)
    return this.#contexts.call(running, task, args)
  }

  #runItems(running: RunningTask, task: Task, flags: number, items: unknown[]): unknown {
    if (items.length === 1) {
      return this.#contexts.call(running, task, (flags & CallFlag.unary) !== 0 ? items : (items[0] as unknown[]))
    }
    const isSource = this.#tasks.isSource(this.#lane.task)
    return runChunk(this.#lane.journal, this.#lane.chunk, {
      contexts: this.#contexts.ofItems(running),
      task,
      flags,
      items,
      label: running.label,
      explain: (error) => (isSource ? explainClosure(error) : error),
      isOver: () => running.done,
      encoding: (isEncoding) => (this.#answering = isEncoding),
    })
  }

  /** Answers a call with its value. Returns false if the call was answered before. */
  #succeed(running: RunningTask, value: unknown): boolean {
    if (running.done) return false
    const { outbox } = this.#lane
    let status: number = Status.ok
    let flags = 0
    this.#answering = true
    try {
      // Getters of the value run here. They belong to the task, which is not over before its value is encoded.
      if (value === OUTCOMES) flags = ResultFlag.outcomes
      else encodeResult(value, outbox)
    } catch (error) {
      encodeFailure(withLabel(error, running.label), outbox)
      status = Status.error
    }
    return this.#answer(running, status, flags)
  }

  #fail(running: RunningTask, error: unknown, index: number): boolean {
    if (running.done) return false
    if (this.#tasks.exhausted) this.#retireAfterCall()
    return this.#answerFailure(running, error, index)
  }

  /** Answers with an error. If a chunk is open, the error is that of its present item, and other items do not begin. */
  #answerFailure(running: RunningTask, error: unknown, index: number): true {
    this.#answering = true
    if (!this.#lane.isChunkOpen) {
      this.#encodeFailure(error, index)
      return this.#answer(running, Status.error, 0)
    }
    const { journal } = this.#lane
    journal.error(this.#tasks.isSource(index) ? explainClosure(error) : error)
    journal.advance(true)
    return this.#answer(running, Status.ok, ResultFlag.outcomes)
  }

  /** Answers the call in progress with a stray error of its own. */
  failRunning(error: unknown): void {
    const running = this.#running
    if (running === undefined) return
    this.#answerFailure(running, error, this.#lane.task)
    this.#finish()
  }

  #encodeFailure(error: unknown, index: number): void {
    encodeFailure(this.#tasks.isSource(index) ? explainClosure(error) : error, this.#lane.outbox)
  }

  #answer(running: RunningTask, status: number, flags: number): true {
    running.done = true
    this.#answering = false
    this.#status = status
    this.#flags = flags
    return true
  }

  #retireAfterCall(): void {
    this.#retiring = true
    this.#lane.setPhase(Phase.retiring)
  }

  #finish(): void {
    this.#lane.commit(this.#status, this.#flags, this.#goOn)
  }
}
