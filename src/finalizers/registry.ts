// The registry of this thread's finalizers, and the passes that run them in order.
//
// A pass goes through a snapshot, and takes each entry out just before it calls the entry's callback. So callbacks may
// register, cancel, drop objects or start passes of their own: no pass is disturbed, and nothing runs twice. No error
// leaves a pass.

import type { AsyncResource } from 'node:async_hooks'
import { types } from 'node:util'

import { thrownWarning } from '../util/thrown.js'
import { Entry } from './entry.js'

/** Number of entries that a full pass runs although they were registered after its start. More count as a circle. */
const MOST_LATE_CALLS = 10_000

/** Synchronous passes that may run one inside of the other: the stack must hold. */
const DEEPEST_PASS = 100

const WARNING = { name: 'MillraceWarning', code: 'MILLRACE_FINALIZER' }

export class Registry {
  readonly #entries = new Set<Entry>()
  readonly #home = {
    entries: this.#entries,
    objects: new FinalizationRegistry<Entry>((entry) => this.#collected(entry)),
  }
  #lastOrder = 0
  #watching = false
  #exiting = false
  /** The number of synchronous passes under way. Each was started by a callback of the one before. */
  #depth = 0
  /** Shared by these passes: else each could allow the pass inside of it the full number again. */
  #allowance = new Allowance(0)

  /** Whether the passes of the exit have begun, of this process or this thread. */
  get exiting(): boolean {
    return this.#exiting
  }

  /**
   * Registers a callback, to run once: at the collection of `object`, in a pass, or by `take()`. The callback runs in
   * `context`, which the entry holds with all that is stored there.
   */
  add(
    object: object | null,
    callback: (...args: never[]) => unknown,
    args: readonly unknown[],
    priority: number | undefined,
    context?: AsyncResource,
  ): Entry {
    this.watchExit()
    return new Entry(this.#home, object, { callback, args, context }, priority, ++this.#lastOrder)
  }

  /** Has the passes of the exit run at the exit. Idempotent. */
  watchExit(): void {
    if (this.#watching) return
    this.#watching = true
    process.on('exit', () => {
      this.#exiting = true
      const depth = this.#depth
      // A pass in which process.exit() was called does not go on.
      this.#depth = 0
      // All entries of 0 and more are over before the first below 0 begins, even if they register further ones.
      this.run(0)
      this.run()
      this.#depth = depth
    })
  }

  /** For a fork: cancels all entries, which belong to the parent. The listener for the exit is removed elsewhere. */
  forget(): void {
    for (const entry of this.#entries) entry.cancel()
    this.#watching = false
  }

  /** Runs the entries with a priority of at least `minimum`. Without `minimum`, runs all until none is left. */
  run(minimum?: number): void {
    // The passes around this one run the entries.
    if (this.#depth === DEEPEST_PASS) return
    if (this.#depth++ === 0) this.#allowance = new Allowance(this.#lastOrder)
    try {
      for (const entry of this.#due(minimum, this.#allowance)) {
        this.#call(entry, (promise, name) => this.#reportPromise(promise, name))
      }
    } finally {
      this.#depth--
    }
  }

  /** As `run()`, but waits for the promise of each callback before it calls the next. */
  async runAsync(minimum?: number): Promise<void> {
    for (const entry of this.#due(minimum, new Allowance(this.#lastOrder))) {
      const { name } = entry
      try {
        await entry.take()?.()
      } catch (error) {
        this.#report(error, name)
      }
    }
  }

  /** The entries of a pass. An entry may be over when its turn comes. */
  *#due(minimum: number | undefined, allowance: Allowance): Generator<Entry, void, void> {
    if (minimum !== undefined) return yield* this.#snapshot(minimum)
    for (let due = this.#snapshot(-Infinity); due.length > 0; due = this.#snapshot(-Infinity)) {
      for (const entry of due) {
        if (!entry.active) continue
        if (!allowance.takes(entry)) return this.#giveUp(allowance)
        yield entry
      }
    }
    for (const entry of this.#entries) entry.cancel()
  }

  /** The active entries from `minimum` on: the highest priority first, the newest first among equals. */
  #snapshot(minimum: number): Entry[] {
    const due = [...this.#entries].filter(({ priority }) => priority !== undefined && priority >= minimum)
    return due.sort((a, b) => b.priority! - a.priority! || b.order - a.order)
  }

  #giveUp(allowance: Allowance): void {
    if (allowance.warned) return
    allowance.warned = true
    const message =
      `Finalizers have registered more than ${MOST_LATE_CALLS} others while all of them were run: ` +
      `${this.#entries.size} are left. Does one register itself again?`
    this.#warn(Object.assign(new Error(message), WARNING))
  }

  #collected(entry: Entry): void {
    this.#call(entry, (promise, name) => this.#reportRejection(promise, name))
  }

  #call(entry: Entry, promised: (promise: Promise<unknown>, name: string) => void): void {
    const { name } = entry
    try {
      const returned = entry.take()?.()
      if (types.isPromise(returned)) promised(returned, name)
    } catch (error) {
      this.#report(error, name)
    }
  }

  #reportPromise(promise: Promise<unknown>, name: string): void {
    const why = this.#exiting
      ? 'nothing waits for: the process, or thread, ends'
      : 'runFinalizers() does not wait for: use runFinalizersAsync()'
    const message = `The finalizer '${name}' returned a promise, which ${why}`
    this.#warn(Object.assign(new Error(message), WARNING))
    this.#reportRejection(promise, name)
  }

  #reportRejection(promise: Promise<unknown>, name: string): void {
    // Not `promise.then`: a class of the user's, or another realm, may have a `then` of its own.
    Promise.prototype.then.call(promise, undefined, (error) => this.#report(error, name))
  }

  #report(error: unknown, name: string): void {
    this.#warn(thrownWarning(`exception in the finalizer '${name}'`, error, WARNING.code))
  }

  #warn(warning: Error): void {
    if (!this.#exiting) return process.emitWarning(warning)
    // emitWarning() would tell in a later turn, and there is none.
    try {
      process.emit('warning', warning)
    } catch {
      // The error of a listener must not stop the exit.
    }
  }
}

/** The number of late entries that a full pass, with the passes inside of it, may still run. */
class Allowance {
  readonly #lastOrder: number
  #left = MOST_LATE_CALLS
  warned = false

  /** @param lastOrder - Entries with a higher order are late. */
  constructor(lastOrder: number) {
    this.#lastOrder = lastOrder
  }

  takes(entry: Entry): boolean {
    return entry.order <= this.#lastOrder || this.#left-- > 0
  }
}

// A global symbol: several copies of the package share the registry, so that the order of finalizers holds. The symbol
// has the version of the interface of `Registry` and `Entry`: copies with another version have registries of their own.
const registrySymbol = Symbol.for('millrace.finalizers.1')
const holder = globalThis as { [registrySymbol]?: Registry }

/** The registry of this thread. */
export const registry: Registry = (holder[registrySymbol] ??= new Registry())
