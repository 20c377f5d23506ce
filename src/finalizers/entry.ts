// One callback that is to run once, and whether it still is.

import { inspect } from 'node:util'
import { threadId } from 'node:worker_threads'

import { functionName } from '../util/type-name.js'

/** A callback with its arguments: what an entry holds until it is over. */
interface Call {
  readonly callback: (...args: never[]) => unknown
  readonly args: readonly unknown[]
}

/** Where entries are while they are active. */
export interface Home {
  readonly entries: Set<Entry>
  /** Of the objects whose end is a trigger, by the entry as the token. */
  readonly objects: FinalizationRegistry<Entry>
}

export class Entry {
  /** Undefined: the exit is no reason to run it. */
  readonly priority: number | undefined
  /** Grows from entry to entry. */
  readonly order: number
  readonly #home: Home
  readonly #pid = process.pid
  readonly #threadId = threadId
  #call: Call | undefined

  constructor(home: Home, object: object | null, call: Call, priority: number | undefined, order: number) {
    this.#home = home
    this.#call = call
    this.priority = priority
    this.order = order
    if (object !== null) home.objects.register(object, this, this)
    home.entries.add(this)
  }

  get active(): boolean {
    return this.#home.entries.has(this)
  }

  /**
   * Takes the callback out for good: whoever gets it has to call it, since nobody else will. Undefined if that has
   * happened, or the entry was cancelled. A process that was forked has the entries of its parent, and must not undo
   * what is not its own.
   */
  take(): (() => unknown) | undefined {
    const call = this.#call
    this.cancel()
    if (call === undefined || process.pid !== this.#pid || threadId !== this.#threadId) return undefined
    const { callback, args } = call
    return () => callback(...(args as never[]))
  }

  /** Whatever triggers it from now on, nothing happens. What the callback held can be collected. */
  cancel(): void {
    this.#home.entries.delete(this)
    this.#home.objects.unregister(this)
    this.#call = undefined
  }

  /** The callback's name, for messages. */
  get name(): string {
    return this.#call === undefined ? '' : functionName(this.#call.callback)
  }

  describe(): string {
    if (this.#call === undefined) return '<Finalize object, dead>'
    const { args } = this.#call
    const parts = ['<Finalize object', `callback=${this.name}`]
    if (args.length > 0) parts.push(`args=${inspect(args)}`)
    if (this.priority !== undefined) parts.push(`exitpriority=${this.priority}`)
    return `${parts.join(', ')}>`
  }
}
