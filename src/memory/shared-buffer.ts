import { builtin, types } from '../util/builtins.js'
import { native } from '../native/index.js'
import { invalidType, validateInteger } from '../util/validate.js'
import { workerState } from '../tasks/context.js'

// A symbol that all copies of the package know: the worker's may be another than its tasks'.
const brand = Symbol.for('millrace.shared-buffer')

/** Whoever shares memory with workers, and takes buffers in it along with calls: a {@link ProcessPoolExecutor}. */
export interface SharedMemoryOwner {
  /** Calls a function in a worker; the buffers of `transfer` move there. */
  run(fn: never, args: never, options?: { transfer?: readonly ArrayBuffer[] }): unknown
  /**
   * So many bytes of that memory, arbitrary ones, for the host to fill in place; null when there is no room.
   *
   * @internal
   */
  allocateBlock(bytes: number): ArrayBuffer | null
}

/**
 * An ArrayBuffer in the memory that host and worker share: it moves between them without being copied.
 *
 * | step | in code |
 * |---|---|
 * | the host allocates one and fills it | `const buffer = SharedBuffer.allocate(bytes, pool)` |
 * | it moves to a worker | `pool.run(fn, [new Float64Array(buffer)], { transfer: [buffer] })` |
 * | the worker changes it, and returns it or a view of all of it: it moves back | `return array` |
 *
 * A task allocates one by `SharedBuffer.allocate(bytes)`. Whoever has moved a buffer has it no more: it is detached, as
 * by `postMessage`, so that views of it are empty and new ones throw a `TypeError`. One that is an argument without
 * being in `transfer` is cloned, like any ArrayBuffer.
 *
 * It is memory of one worker, of which there are at most 64 pieces with 512 MiB. It moves by one copy, and nothing else
 * differs, where there was no room for another, or it has less than 500 bytes; where its call cannot go to that worker,
 * which is busy or gone; where the call has `retries`; and where it lies in an object, or a view of a part of it is
 * sent.
 *
 * Its memory is free again when it is garbage, here or there, and when the worker ends.
 */
export class SharedBuffer extends ArrayBuffer {
  static {
    Object.defineProperty(this.prototype, brand, { value: true })
  }

  /**
   * A buffer of so many zero bytes.
   *
   * @param executor - Whose worker is to get it. In a task it may be left out: then the buffer is for its result.
   * @throws RangeError or TypeError that names the argument, or RangeError when there is no memory; `ShutdownError`,
   * `BrokenProcessPool` and `WorkerSpawnError` as `submit()`.
   */
  static allocate(bytes: number, executor?: SharedMemoryOwner): SharedBuffer {
    validateInteger(bytes, 'bytes', 0, Number.MAX_SAFE_INTEGER)
    if (bytes === 0) return asShared(new ArrayBuffer(0))
    const memory = executor === undefined ? allocateHere(bytes) : allocateFrom(executor, bytes)
    if (memory === null) return asShared(new ArrayBuffer(bytes))
    // It may have the content of earlier calls.
    new Uint8Array(memory).fill(0)
    return asShared(memory)
  }

  /** Whether it has moved away. */
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

/** Makes the memory of the one buffer among `values` a SharedBuffer: it has moved here. */
export function receiveShared(values: readonly unknown[]): void {
  for (const value of values) {
    const memory = ArrayBuffer.isView(value) ? value.buffer : value
    if (types.isArrayBuffer(memory)) asShared(memory)
  }
}

/** The SharedBuffer whose whole content `bytes` is, if that is so. */
export function wholeShared(bytes: Uint8Array | undefined): ArrayBuffer | undefined {
  if (bytes === undefined) return undefined
  const memory = bytes.buffer as ArrayBuffer & { [brand]?: boolean }
  return memory[brand] === true && bytes.byteLength === memory.byteLength ? memory : undefined
}

/** Takes an ArrayBuffer's memory away from it; one that cannot lose it, such as a WebAssembly memory, keeps it. */
export function detach(memory: ArrayBuffer): void {
  if (native.liesInLane(memory)) {
    native.detachBuffer(memory)
    return
  }
  try {
    // And not by the addon: this leaves Node's slab alone, which small Buffers have in common.
    structuredClone(memory, { transfer: [memory] })
  } catch {
    // As above.
  }
}

/** Whether an ArrayBuffer is known not to lose its memory, as Node's slab: before Node 21 nothing tells. */
export function isUntransferable(memory: ArrayBuffer): boolean {
  const threads = builtin('node:worker_threads') as { isMarkedAsUntransferable?(object: object): boolean }
  return threads.isMarkedAsUntransferable?.(memory) === true && !native.liesInLane(memory)
}
