// An entry of the registry: one callback that is to run once.

import type { AsyncResource } from 'node:async_hooks'
import { inspect } from 'node:util'
import { threadId } from 'node:worker_threads'

import { functionName } from '../util/type-name.js'

/** A callback with its arguments. An entry holds it until the entry is over. */
interface Call {
  readonly callback: (...args: never[]) => unknown
  readonly args: readonly unknown[]
  /** The async context that registered the callback; undefined where it does not matter. */
  readonly context: AsyncResource | undefined
}

/** The collections in which an entry is while it is active. */
export interface Home {
  readonly entries: Set<Entry>
  /** The objects whose collection triggers entries. The token of each is its entry. */
  readonly objects: FinalizationRegistry<Entry>
}

export class Entry {
  /** Undefined when the exit does not run the entry. */
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
   * Takes the callback out of the entry, which is over then. The caller has to call it: nobody else will. Undefined
   * when the callback was taken already, or the entry was cancelled. Undefined also in a fork of the process that made
   * the entry: a fork must not undo what belongs to its parent.
   */
  take(): (() => unknown) | undefined {
    const call = this.#call
    this.cancel()
    if (call === undefined || process.pid !== this.#pid || threadId !== this.#threadId) return undefined
    const { callback, args, context } = call
    if (context === undefined) return () => callback(...(args as never[]))
    return () => context.runInAsyncScope(() => callback(...(args as never[])))
  }

  /** Ends the entry: no trigger runs it from now on, and everything that the callback held can be collected. */
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
