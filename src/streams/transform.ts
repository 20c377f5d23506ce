// `transform`: the `map` of an executor or a `Pool` as a Duplex, for `pipeline()`.
//
//   write ──► WrittenItems ──► map(fn, …) ──► pump ──► push
//                (input)        workers        │
//                                              └──► deadLetter
//
// Each arrow waits for the next one: a slow reader stops the pump, the pump stops the reading ahead of the map, and the
// writes are left without their callbacks.

import type { Duplex } from 'node:stream'

import { CancelledError } from '../errors/index.js'
import { MAP_OPTIONS } from '../map/option-names.js'
import type { MapOptions } from '../map/options.js'
import type { ItemOutcome } from '../map/outcome.js'
import { type AbortReaction, offAbort, onAbort } from '../util/abort.js'
import { builtin } from '../util/builtins.js'
import { type OptionNames, optionNames, ownOptions } from '../util/options.js'
import { invalidType, invalidValue, validateFunction, validateInteger, withCode } from '../util/validate.js'
import { WrittenItems } from './written-items.js'

/** A `map` that yields results, or outcomes with `settle`. */
type MapMethod = (fn: (item: any) => any, items: AsyncIterable<any>, options?: any) => AsyncIterator<any>

/** What runs the items of {@link transform}: an executor, a `Pool`, or whatever has the same methods. */
export type TransformPool =
  { readonly map: MapMethod } | { readonly imap: MapMethod; readonly imapUnordered: MapMethod }

/** The outcome of an item that has failed. */
export type DeadLetter<T> = Extract<ItemOutcome<T, unknown>, { status: 'rejected' }>

/** Options of {@link transform}: those of `map`, and two of its own. */
export interface TransformOptions<T> extends MapOptions {
  /**
   * Called with the outcome of each item that fails, which is then no error of the stream and does not come out of it.
   * The stream waits for the promise that the function returns. What the function throws ends the stream. Not together
   * with `settle`.
   */
  deadLetter?: (outcome: DeadLetter<T>) => unknown
  /** The most items that wait in the stream before the map, and results behind it. Default: that of Node, 16. */
  highWaterMark?: number
}

const NAMES = optionNames<TransformOptions<unknown>>('transform()', {
  ...MAP_OPTIONS,
  deadLetter: true,
  highWaterMark: true,
})

/**
 * A Duplex in object mode for `pipeline()`: the items that are written go through `fn` in the workers of a pool, and
 * the results come out. They come in the order of the items; with `ordered: false` as they are done.
 *
 * A slow reader slows the writer: besides what the two sides of the stream hold, only the items that `map` reads ahead
 * are in the stream (`buffersize`).
 *
 * The first item that fails ends the stream with its error, except with `settle`, where the outcomes come out, or with
 * `deadLetter`. `null` and `undefined` cannot go through a stream: such a result is a failure of its item, but with
 * `settle`. Destroying the stream cancels the calls that wait.
 *
 * @throws TypeError or RangeError that names the argument, and the errors of `map`.
 *
 * @example
 * await pipeline(createReadStream('in.ndjson'), (source) => lines(source), transform(pool, parse), sink)
 */
export function transform<T, R>(pool: TransformPool, fn: (item: T) => R, options?: TransformOptions<T>): Duplex {
  const own = ownOptions(options, NAMES as OptionNames<TransformOptions<T>>)
  const { deadLetter, highWaterMark, ...ofMap } = own
  if (deadLetter !== undefined) {
    validateFunction(deadLetter, 'options.deadLetter')
    if (own.settle) throw invalidValue('options.settle', 'absent or false together with deadLetter', own.settle)
  }
  if (highWaterMark !== undefined) validateInteger(highWaterMark, 'options.highWaterMark', 0)
  const map = mapOf(pool, own.ordered)
  const input = new WrittenItems<T>(deadLetter !== undefined)
  const results = map(fn, input, deadLetter === undefined ? ofMap : { ...ofMap, settle: true })
  return new Transformation<T>(input, results, own).stream
}

function mapOf(pool: TransformPool, ordered = true): MapMethod {
  const { imap, imapUnordered, map } = (pool ?? {}) as Partial<Record<'imap' | 'imapUnordered' | 'map', MapMethod>>
  // First: `map` of a `Pool` is another one.
  if (typeof imap === 'function' && typeof imapUnordered === 'function') {
    const method = ordered ? imap : imapUnordered
    return (fn, items, options) => method.call(pool, fn, items, { ...options, ordered: undefined })
  }
  if (typeof map === 'function') return (fn, items, options) => map.call(pool, fn, items, options)
  throw invalidType('pool', 'an executor or a Pool', pool)
}

class Transformation<T> implements AbortReaction {
  readonly stream: Duplex
  readonly #input: WrittenItems<T>
  readonly #results: AsyncIterator<unknown>
  readonly #settle: boolean
  readonly #deadLetter: ((outcome: DeadLetter<T>) => unknown) | undefined
  readonly #signal: AbortSignal | undefined
  #isPumping = false

  constructor(input: WrittenItems<T>, results: AsyncIterator<unknown>, options: TransformOptions<T>) {
    this.#input = input
    this.#results = results
    const { settle = false, deadLetter, signal, highWaterMark } = options
    this.#settle = settle
    this.#deadLetter = deadLetter
    this.#signal = signal
    const { Duplex } = builtin('node:stream')
    this.stream = new Duplex({
      objectMode: true,
      ...(highWaterMark === undefined ? {} : { highWaterMark }),
      write: (item: T, _encoding, callback) => input.write([item], callback),
      writev: (chunks, callback) =>
        input.write(
          chunks.map(({ chunk }) => chunk as T),
          callback,
        ),
      final: (callback) => {
        input.end()
        callback()
      },
      read: () => void this.#pump(),
      destroy: (error, callback) => this.#destroy(error, callback),
    })
    // The map ends by the signal as well, but is heard only by a reader that reads. If the signal is aborted already,
    // that is soon enough: nobody listens to the stream's errors yet.
    if (signal?.aborted === false) onAbort(signal, this)
  }

  aborted(reason: unknown): void {
    this.stream.destroy(new CancelledError('The transform was cancelled by its signal', { cause: reason }))
  }

  /** Moves results into the stream, until it has enough of them. */
  async #pump(): Promise<void> {
    if (this.#isPumping) return
    this.#isPumping = true
    const { stream } = this
    try {
      if (this.#signal?.aborted) return this.aborted(this.#signal.reason)
      for (;;) {
        const { done, value } = await this.#results.next()
        if (stream.destroyed) return
        if (done) return void stream.push(null)
        let result: unknown = value
        if (this.#deadLetter !== undefined) {
          const failed = this.#failureOf(value as ItemOutcome<T, unknown>)
          if (failed !== undefined) {
            await this.#deadLetter(failed)
            if (stream.destroyed) return
            continue
          }
          result = (value as { value: unknown }).value
        } else if (isNothing(result) && !this.#settle) {
          throw noResult(result)
        }
        if (!stream.push(result)) return
      }
    } catch (error) {
      stream.destroy(asError(error))
    } finally {
      this.#isPumping = false
    }
  }

  /** The outcome of an item as a failure; undefined if the item has a value that can go through a stream. */
  #failureOf(outcome: ItemOutcome<T, unknown>): DeadLetter<T> | undefined {
    const { index } = outcome
    const item = this.#input.takeKept(index)
    if (outcome.status === 'rejected') return outcome
    if (!isNothing(outcome.value)) return undefined
    return { status: 'rejected', index, item: item as T, reason: noResult(outcome.value) }
  }

  #destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (this.#signal !== undefined) offAbort(this.#signal, this)
    this.#input.close()
    // Calls are cancelled before `return()` returns. Calls that run already are not waited for.
    try {
      Promise.resolve(this.#results.return?.()).catch(ignore)
    } finally {
      callback(error)
    }
  }
}

/** Whether a stream cannot carry a value, or would take it for its end. */
function isNothing(value: unknown): boolean {
  return value === null || value === undefined
}

function noResult(value: unknown): TypeError {
  const advice = 'which a stream cannot carry: return another value, or use settle'
  const message = `The function returned ${String(value)}, ${advice}`
  return withCode(new TypeError(message), 'ERR_INVALID_RETURN_VALUE')
}

/** What ends a stream. For a stream a falsy value would be no error. */
function asError(thrown: unknown): Error {
  return thrown ? (thrown as Error) : new Error(`An item failed with ${String(thrown)}`, { cause: thrown })
}

function ignore(): void {}
