// The finalizers of this thread: which there are, and in which order they run.
//
// A pass goes through a snapshot and takes each entry out just before it calls it. So whatever callbacks do meanwhile,
// such as register, cancel, drop objects or start passes of their own, disturbs no pass, and nothing runs twice.
// Nothing that is thrown leaves a pass.

import { types } from 'node:util'

import { thrownWarning } from '../util/thrown.js'
import { Entry } from './entry.js'

/** How many entries that were registered since it began a full pass runs before it takes that for a circle. */
const MOST_LATE_CALLS = 10_000

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
  /** How many synchronous passes are under way, each in a callback of the one before. */
  #depth = 0
  /** Shared by them, or each could allow the one inside it as much again. */
  #allowance = new Allowance(0)

  /** Whether the passes of the exit have begun: of this process, or of this thread. */
  get exiting(): boolean {
    return this.#exiting
  }

  /** Has a callback run once: when `object` was collected, by a pass, or by `take()`. It must not hold the object. */
  add(
    object: object | null,
    callback: (...args: never[]) => unknown,
    args: readonly unknown[],
    priority: number | undefined,
  ): Entry {
    this.watchExit()
    return new Entry(this.#home, object, { callback, args }, priority, ++this.#lastOrder)
  }

  /** From now on the passes of the exit run. Idempotent. */
  watchExit(): void {
    if (this.#watching) return
    this.#watching = true
    process.on('exit', () => {
      this.#exiting = true
      const depth = this.#depth
      // No pass that process.exit() was called in goes on.
      this.#depth = 0
      // What has a priority of 0 and more is over before anything below begins, even if it registers further ones.
      this.run(0)
      this.run()
      this.#depth = depth
    })
  }

  /** In a fork: what is registered is its parent's, and nothing of it will run. The listeners of the exit are gone. */
  forget(): void {
    for (const entry of this.#entries) entry.cancel()
    this.#watching = false
  }

  /** Runs the entries with a priority of at least `minimum`; without one all, until none is left. */
  run(minimum?: number): void {
    // It is left to the passes around this one: the stack must hold.
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

  /** As `run()`, waiting for the promise that a callback returns before the next is called. */
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

  /** What a pass goes through; some of it may be over when its turn comes. */
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

  /** The highest priority first, the newest among equals. */
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
    // Not `promise.then`: it may come from a class, or another realm, that has its own.
    Promise.prototype.then.call(promise, undefined, (error) => this.#report(error, name))
  }

  #report(error: unknown, name: string): void {
    this.#warn(thrownWarning(`exception in the finalizer '${name}'`, error, WARNING.code))
  }

  #warn(warning: Error): void {
    if (!this.#exiting) return process.emitWarning(warning)
    // There is no later turn, in which emitWarning() would tell.
    try {
      process.emit('warning', warning)
    } catch {
      // A listener's own error must not stop the exit.
    }
  }
}

/** How many late entries a full pass, with those inside it, may still run. */
class Allowance {
  readonly #lastOrder: number
  #left = MOST_LATE_CALLS
  warned = false

  /** @param lastOrder - Entries after this are late. */
  constructor(lastOrder: number) {
    this.#lastOrder = lastOrder
  }

  takes(entry: Entry): boolean {
    return entry.order <= this.#lastOrder || this.#left-- > 0
  }
}

// A global symbol: the order of finalizers holds between several copies of the package. Its number is that of the
// interface of `Registry` and `Entry`: copies that do not agree on it have registries of their own.
const registrySymbol = Symbol.for('millrace.finalizers.1')
const holder = globalThis as { [registrySymbol]?: Registry }

/** The one of this thread. */
export const registry: Registry = (holder[registrySymbol] ??= new Registry())
