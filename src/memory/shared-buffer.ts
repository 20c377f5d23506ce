// SharedBuffer: ArrayBuffers in the memory that host and worker share.

import { native } from '../native/index.js'
import { workerState } from '../tasks/context.js'
import { builtin, types } from '../util/builtins.js'
import { transferAway } from '../util/globals.js'
import { invalidType, validateInteger } from '../util/validate.js'

// All copies of the package know this symbol: the worker may have loaded another copy than its tasks.
const brand = Symbol.for('millrace.shared-buffer')

/** An owner of memory that workers share, who sends buffers in it along with calls: a {@link ProcessPoolExecutor}. */
export interface SharedMemoryOwner {
  /** Calls a function in a worker. The buffers in `transfer` move to this worker. */
  run(fn: never, args: never, options?: { transfer?: readonly ArrayBuffer[] }): unknown
  /**
   * A block of shared memory with arbitrary content, for the host to fill in place; null when there is no room.
   *
   * @internal
   */
  allocateBlock(bytes: number): ArrayBuffer | null
}

/**
 * An ArrayBuffer in the memory that host and worker share. It moves between the two without a copy.
 *
 * | step | in code |
 * |---|---|
 * | the host allocates a buffer and fills it | `const buffer = SharedBuffer.allocate(bytes, pool)` |
 * | the buffer moves to a worker | `pool.run(fn, [new Float64Array(buffer)], { transfer: [buffer] })` |
 * | the task changes the content; the buffer, or a view of all of it, moves back | `return array` |
 *
 * A task allocates a buffer by `SharedBuffer.allocate(bytes)`. After a move the sender's buffer is detached, as after a
 * transfer by `postMessage`: its views are empty, and new views throw a `TypeError`. An argument that is not in
 * `transfer` is cloned, like any ArrayBuffer.
 *
 * Each buffer lies in the memory of one worker: at most 256 buffers a worker, with at most 8 GiB in all. A move
 * copies the buffer once, and nothing else differs, when:
 *
 * - there was no room for another buffer, or the buffer has less than 500 bytes;
 * - its call cannot go to that worker, which is busy or gone;
 * - the call has `retries`;
 * - the buffer lies in an object, or the call sends a view of only a part of it.
 *
 * The memory is free again when the buffer is garbage in the process that has it. A buffer in the host stays readable
 * when its worker has ended.
 */
export class SharedBuffer extends ArrayBuffer {
  static {
    Object.defineProperty(this.prototype, brand, { value: true })
  }

  /**
   * Allocates a buffer of `bytes` zero bytes.
   *
   * @param bytes - The size, a whole number of at least 0.
   * @param executor - The executor whose worker will get the buffer. A task leaves it out: its buffer is for its
   * result.
   * @throws RangeError or TypeError that names the argument; RangeError when there is no memory; `ShutdownError`,
   * `BrokenProcessPool` and `WorkerSpawnError` as `submit()` throws them.
   */
  static allocate(bytes: number, executor?: SharedMemoryOwner): SharedBuffer {
    validateInteger(bytes, 'bytes', 0, Number.MAX_SAFE_INTEGER)
    if (bytes === 0) return asShared(new ArrayBuffer(0))
    const memory = executor === undefined ? allocateHere(bytes) : allocateFrom(executor, bytes)
    if (memory === null) return asShared(new ArrayBuffer(bytes))
    // The block may still have the content of earlier calls.
    new Uint8Array(memory).fill(0)
    return asShared(memory)
  }

  /** Whether the buffer has moved away: it is detached, and has no content here. */
  get moved(): boolean {
    try {
      new Uint8Array(this)
      return false
    } catch {
      return true
    }
  }
}

function allocateFrom(executor: SharedMemoryOwner, bytes: number): ArrayBuffer | null {
  if (typeof (executor as SharedMemoryOwner | null)?.allocateBlock !== 'function') {
    throw invalidType('executor', 'a ProcessPoolExecutor', executor)
  }
  return executor.allocateBlock(bytes)
}

function allocateHere(bytes: number): ArrayBuffer | null {
  const state = workerState()
  if (state !== undefined) return state.allocate(bytes)
  throw invalidType('executor', 'the ProcessPoolExecutor whose worker is to get the buffer', undefined)
}

function asShared(memory: ArrayBuffer): SharedBuffer {
  return Object.setPrototypeOf(memory, SharedBuffer.prototype)
}

/** Gives the memory among `values` the class SharedBuffer: it has moved to this process. */
export function receiveShared(values: readonly unknown[]): void {
  for (const value of values) {
    const memory = ArrayBuffer.isView(value) ? value.buffer : value
    if (types.isArrayBuffer(memory)) asShared(memory)
  }
}

/** The SharedBuffer whose whole content is `bytes`; undefined when there is none. */
export function wholeShared(bytes: Uint8Array | undefined): ArrayBuffer | undefined {
  if (bytes === undefined) return undefined
  const memory = bytes.buffer as ArrayBuffer & { [brand]?: boolean }
  return memory[brand] === true && bytes.byteLength === memory.byteLength ? memory : undefined
}

/** Detaches an ArrayBuffer. One that cannot be detached, such as the memory of WebAssembly, stays as it is. */
export function detach(memory: ArrayBuffer): void {
  if (native.liesInLane(memory)) {
    native.detachBuffer(memory)
    return
  }
  try {
    // The addon would detach Node's slab as well, which small Buffers share; a transfer leaves the slab alone.
    transferAway(memory)
  } catch {
    // The memory cannot be detached.
  }
}

/** Whether an ArrayBuffer is marked as not transferable, like Node's slab. Before Node 21 the mark cannot be read. */
export function isUntransferable(memory: ArrayBuffer): boolean {
  const threads = builtin('node:worker_threads') as { isMarkedAsUntransferable?(object: object): boolean }
  return threads.isMarkedAsUntransferable?.(memory) === true && !native.liesInLane(memory)
}
