// The listeners of an executor's events. The core holds them weakly: they are the user's, and may hold the executor.

import type { EventEmitter } from 'node:events'

import type { MillraceError } from '../errors/index.js'

export class Listeners {
  readonly #emitter: WeakRef<EventEmitter>

  constructor(emitter: EventEmitter) {
    this.#emitter = new WeakRef(emitter)
  }

  emit(name: string, ...details: unknown[]): void {
    try {
      this.#emitter.deref()?.emit(name, ...details)
    } catch (error) {
      // A listener's error is the program's, as in any emitter; but whoever told it is not its victim.
      queueMicrotask(() => {
        throw error
      })
    }
  }

  /** Tells of something that went wrong and that the pool survives: without a listener it is a process warning. */
  warn(error: Error): void {
    if (this.#emitter.deref()?.listenerCount('warning')) this.emit('warning', error)
    else process.emitWarning(error.message, { type: 'MillraceWarning', code: (error as MillraceError).code })
  }
}
