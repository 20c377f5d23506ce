// The events of a pool: their arguments, the registration of listeners, and the calls of listeners.

import { AsyncResource } from 'node:async_hooks'
import { EventEmitter } from 'node:events'

import type { BrokenProcessPool, MillraceError } from '../errors/index.js'
import { queueMicrotask } from '../util/globals.js'

/**
 * Why a worker left. `'shutdown'`: the pool closes, or is broken. `'recycled'`: it was used up or too large, a task
 * called `process.exit()`, or a stray error made it retire. `'idle'`: `idleTimeout`. `'killed'`: the pool has ended it,
 * for a time-out, a cancel with `kill`, the end of the pool, or since it did not come to its calls any more. `'died'`:
 * anything else. `'failed-start'`: it ended before it was ready.
 */
export type WorkerExitReason = 'shutdown' | 'recycled' | 'idle' | 'killed' | 'died' | 'failed-start'

/** The events of a {@link ProcessPoolExecutor}, with the arguments of their listeners. */
export interface ProcessPoolEvents {
  /** A worker process was started. */
  workerStart: [info: { pid: number; workerId: number }]
  /** A worker process has ended and is reaped. */
  workerExit: [
    info: {
      pid: number
      workerId: number
      exitCode: number | null
      signal: NodeJS.Signals | null
      reason: WorkerExitReason
    },
  ]
  /** A worker was started in place of one that had left. */
  workerReplace: [info: { oldPid: number; newPid: number; reason: WorkerExitReason }]
  /** The executor broke. Emitted at most once. */
  broken: [error: BrokenProcessPool]
  /** The queue has room again, after it was full. */
  drain: []
  /** An error that the executor survives. Without a listener it is a process warning. */
  warning: [error: Error]
}

type PoolListener<K extends keyof ProcessPoolEvents> = (...args: ProcessPoolEvents[K]) => void

/** A listener, typed as Node's emitter takes it. */
type Untyped = (...args: unknown[]) => void

/**
 * The listeners of one pool, each of which is called in the async context that registered it. Only the object that
 * users hold refers to them.
 */
export class PoolEmitter {
  readonly #emitter = new EventEmitter()

  on<K extends keyof ProcessPoolEvents>(event: K, listener: PoolListener<K>): void {
    this.#emitter.on(event, inContext(listener as Untyped))
  }

  once<K extends keyof ProcessPoolEvents>(event: K, listener: PoolListener<K>): void {
    const emitter = this.#emitter
    const registered = inContext(listener as Untyped, () => emitter.off(event, registered))
    emitter.on(event, registered)
  }

  off<K extends keyof ProcessPoolEvents>(event: K, listener: PoolListener<K>): void {
    this.#emitter.off(event, listener as Untyped)
  }

  /** @throws The error of a listener. */
  emit<K extends keyof ProcessPoolEvents>(event: K, details: ProcessPoolEvents[K]): void {
    this.#emitter.emit(event, ...details)
  }

  has(event: keyof ProcessPoolEvents): boolean {
    return this.#emitter.listenerCount(event) > 0
  }
}

/** A listener bound to the present async context; `before` is called first. Node's emitter finds it by `listener`. */
function inContext(listener: Untyped, before?: () => void): Untyped {
  const context = new AsyncResource('MillraceListener')
  function registered(this: unknown, ...args: unknown[]): void {
    before?.()
    return context.runInAsyncScope(listener, this, ...args)
  }
  return Object.assign(registered, { listener })
}

/** The core's reference to the listeners. It is weak: a listener is the user's, and may hold the executor. */
export class Listeners {
  readonly #emitter: WeakRef<PoolEmitter>

  constructor(emitter: PoolEmitter) {
    this.#emitter = new WeakRef(emitter)
  }

  /** Whether the object that users hold is collected. A turn that has looked keeps the object to the turn's end. */
  get areGone(): boolean {
    return this.#emitter.deref() === undefined
  }

  emit<K extends keyof ProcessPoolEvents>(event: K, ...details: ProcessPoolEvents[K]): void {
    try {
      this.#emitter.deref()?.emit(event, details)
    } catch (error) {
      // A listener's error is the program's, as with any emitter, but must not stop the code that emits.
      queueMicrotask(() => {
        throw error
      })
    }
  }

  /** Reports an error that the pool survives; without a listener as a process warning. */
  warn(error: Error): void {
    if (this.#emitter.deref()?.has('warning')) this.emit('warning', error)
    else process.emitWarning(error.message, { type: 'MillraceWarning', code: (error as MillraceError).code })
  }
}
