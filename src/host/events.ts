// The events of a pool: what they tell, who registers listeners, and who calls them.

import { EventEmitter } from 'node:events'

import type { BrokenProcessPool, MillraceError } from '../errors/index.js'

/** Why a worker left. */
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
  /** A worker was started in the place of one that left. */
  workerReplace: [info: { oldPid: number; newPid: number; reason: WorkerExitReason }]
  /** The executor broke; once. */
  broken: [error: BrokenProcessPool]
  /** The queue has room again after it was full. */
  drain: []
  /** Something went wrong that the executor survives. Without a listener it is a process warning. */
  warning: [error: Error]
}

type PoolListener<K extends keyof ProcessPoolEvents> = (...args: ProcessPoolEvents[K]) => void

/** A listener as Node's emitter takes it. */
type Untyped = (...args: unknown[]) => void

/** The listeners of one pool, as its users register them; held by the object that users hold, and by nothing else. */
export class PoolEmitter {
  readonly #emitter = new EventEmitter()

  on<K extends keyof ProcessPoolEvents>(event: K, listener: PoolListener<K>): void {
    this.#emitter.on(event, listener as Untyped)
  }

  once<K extends keyof ProcessPoolEvents>(event: K, listener: PoolListener<K>): void {
    this.#emitter.once(event, listener as Untyped)
  }

  off<K extends keyof ProcessPoolEvents>(event: K, listener: PoolListener<K>): void {
    this.#emitter.off(event, listener as Untyped)
  }

  /** @throws What a listener throws. */
  emit<K extends keyof ProcessPoolEvents>(event: K, details: ProcessPoolEvents[K]): void {
    this.#emitter.emit(event, ...details)
  }

  has(event: keyof ProcessPoolEvents): boolean {
    return this.#emitter.listenerCount(event) > 0
  }
}

/** The core's way to the listeners: a weak one, since listeners are the user's and may hold the executor. */
export class Listeners {
  readonly #emitter: WeakRef<PoolEmitter>

  constructor(emitter: PoolEmitter) {
    this.#emitter = new WeakRef(emitter)
  }

  emit<K extends keyof ProcessPoolEvents>(event: K, ...details: ProcessPoolEvents[K]): void {
    try {
      this.#emitter.deref()?.emit(event, details)
    } catch (error) {
      // A listener's error is the program's, as in any emitter; but whoever told it is not its victim.
      queueMicrotask(() => {
        throw error
      })
    }
  }

  /** Tells of something that went wrong and that the pool survives: without a listener it is a process warning. */
  warn(error: Error): void {
    if (this.#emitter.deref()?.has('warning')) this.emit('warning', error)
    else process.emitWarning(error.message, { type: 'MillraceWarning', code: (error as MillraceError).code })
  }
}
