// `batches`: the items of an iterable in arrays, each closed by a number of items, of bytes, or by time.

import type { AsyncItems } from '../util/async-items.js'
import { Fifo } from '../util/fifo.js'
import { type OptionNames, optionNames, ownOptions } from '../util/options.js'
import { readyItems } from '../util/ready-items.js'
import { Timer } from '../util/timer.js'
import { invalidType, invalidValue, validateFunction, validateInteger, validateNumber } from '../util/validate.js'
import { Batch, type BatchLimits } from './batch.js'

/** Options of {@link batches}: at least one of `items`, `bytes` and `ms`. */
export interface BatchesOptions<T> {
  /** The most items of a batch. */
  items?: number
  /** The most bytes of a batch. An item that is larger comes alone. */
  bytes?: number
  /** Milliseconds from a batch's first item until the batch comes, however small. */
  ms?: number
  /**
   * The bytes of an item, for `bytes`. Default: the length of a string in UTF-8, of a Buffer, a view or an ArrayBuffer;
   * other items have no size of their own.
   */
  size?: (item: T) => number
}

const NAMES = optionNames<BatchesOptions<unknown>>('batches()', { items: true, bytes: true, ms: true, size: true })

/**
 * The items of an iterable in arrays. A batch is read when it is asked for, and none is empty. Leaving the loop early
 * closes the iterable. What was read before an error of the iterable comes before that error.
 *
 * @throws TypeError or RangeError that names the argument. The iterator rejects with a TypeError when `bytes` is given
 * and an item has no size.
 */
export function batches<T>(iterable: AsyncIterable<T> | Iterable<T>, options: BatchesOptions<T>): AsyncItems<T[]> {
  const limits = ownOptions(options, NAMES as OptionNames<BatchesOptions<T>>)
  const { items, bytes, ms, size } = limits
  if (items !== undefined) validateInteger(items, 'options.items', 1)
  if (bytes !== undefined) validateInteger(bytes, 'options.bytes', 1)
  if (ms !== undefined) validateNumber(ms, 'options.ms', 0)
  if (size !== undefined) validateFunction(size, 'options.size')
  if (items === undefined && bytes === undefined && ms === undefined) {
    throw invalidValue('options', 'an object with at least one limit: items, bytes or ms', options)
  }
  return new Batches(inputOf(iterable), limits)
}

type Input<T> = { async: AsyncIterator<T> } | { sync: Iterator<T> }

function inputOf<T>(iterable: AsyncIterable<T> | Iterable<T>): Input<T> {
  const { [Symbol.asyncIterator]: async } = (iterable ?? {}) as Partial<AsyncIterable<T>>
  if (typeof async === 'function') return { async: async.call(iterable) }
  const { [Symbol.iterator]: sync } = (iterable ?? {}) as Partial<Iterable<T>>
  if (typeof sync === 'function') return { sync: sync.call(iterable) }
  throw invalidType('iterable', 'an iterable or an async iterable', iterable)
}

/** Items that are taken at once from an input that has them ready. */
const READ_AT_ONCE = 256

class Batches<T> implements AsyncItems<T[]> {
  readonly #input: Input<T>
  readonly #batch: Batch<T>
  /** Items that were read and are in no batch. */
  readonly #items = new Fifo<T>()
  /** Whether an answer of the input is awaited. */
  #asking = false
  /** Ends the wait for the input. */
  #wake: (() => void) | undefined
  /** The input has ended, with this error if it failed. */
  #ended: { failure?: { error: unknown } } | undefined
  #isClosed = false
  #last: Promise<unknown> = Promise.resolve()

  constructor(input: Input<T>, limits: BatchLimits<T>) {
    this.#input = input
    this.#batch = new Batch(limits)
  }

  next(): Promise<IteratorResult<T[], undefined>> {
    const answer = this.#last.then(() => this.#read())
    this.#last = answer.catch(ignore)
    return answer
  }

  async return(): Promise<IteratorResult<T[], undefined>> {
    await this.#close()
    return { done: true, value: undefined }
  }

  async throw(error?: unknown): Promise<IteratorResult<T[], undefined>> {
    await this.#close()
    throw error
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close()
  }

  async #read(): Promise<IteratorResult<T[], undefined>> {
    while (!this.#isClosed) {
      if (this.#isComplete()) return { done: false, value: this.#batch.take() }
      if (this.#ended !== undefined) return this.#end(this.#ended.failure)
      if ('sync' in this.#input) this.#readSync(this.#input.sync)
      else await this.#readAsync(this.#input.async)
    }
    return { done: true, value: undefined }
  }

  /** Whether the batch is to come, after the items that were read were moved into it. */
  #isComplete(): boolean {
    const batch = this.#batch
    try {
      while (!batch.isFull && this.#items.length > 0) {
        if (!batch.add(this.#items.peek()!)) return true
        this.#items.shift()
      }
    } catch (error) {
      this.#closeInput().catch(ignore)
      this.#items.clear()
      this.#ended = { failure: { error } }
    }
    return batch.isFull || (this.#ended !== undefined && !batch.isEmpty)
  }

  #end(failure: { error: unknown } | undefined): IteratorResult<T[], undefined> {
    this.#isClosed = true
    if (failure !== undefined) throw failure.error
    return { done: true, value: undefined }
  }

  #readSync(input: Iterator<T>): void {
    try {
      this.#received(input.next())
    } catch (error) {
      this.#ended = { failure: { error } }
    }
  }

  /** Waits until the input has answered, or the batch has to come. */
  async #readAsync(input: AsyncIterator<T>): Promise<void> {
    if (!this.#asking) this.#ask(input)
    const { dueIn } = this.#batch
    await new Promise<void>((resolve) => {
      const timer = dueIn === Infinity ? undefined : new Timer(Math.max(0, dueIn), resolve)
      this.#wake = () => {
        timer?.clear()
        resolve()
      }
    })
  }

  #ask(input: AsyncIterator<T>): void {
    this.#asking = true
    new Promise<IteratorResult<T>>((resolve) => resolve(input.next()))
      .then((result) => {
        this.#received(result)
        for (const item of readyItems(input, READ_AT_ONCE)) this.#items.push(item)
      })
      .catch((error: unknown) => {
        this.#ended = { failure: { error } }
      })
      .then(() => {
        this.#asking = false
        this.#wake?.()
      })
  }

  #received(result: IteratorResult<T>): void {
    if (result.done) this.#ended = {}
    else this.#items.push(result.value)
  }

  async #close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#wake?.()
    if (this.#ended !== undefined) return
    const closing = this.#closeInput()
    // An async generator answers only when its present `next()` is over, and that may take for ever.
    if (this.#asking) closing.catch(ignore)
    else await closing
  }

  async #closeInput(): Promise<void> {
    if ('sync' in this.#input) this.#input.sync.return?.()
    else await this.#input.async.return?.()
  }
}

function ignore(): void {}
