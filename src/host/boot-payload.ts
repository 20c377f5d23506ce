// The boot payload: the first message to each new worker, encoded once for all of them.

import { encodeArguments, type Outbox } from '../codec/index.js'
import { SerializationError } from '../errors/index.js'
import { Buffer } from '../util/globals.js'
import { encodeBootPlan } from '../wire/index.js'
import type { ResolvedOptions } from './options.js'

/**
 * Encodes the payload of the workers' boot call. Leaves the outbox empty.
 *
 * @throws SerializationError when `initargs` cannot travel; its path begins with `initargs`.
 */
export function encodeBoot(options: ResolvedOptions, out: Outbox): { codec: number; payload: Uint8Array } {
  const { preload, initializer, initargs, hardMemoryLimit, heapOption } = options
  try {
    encodeArguments(initargs, out)
  } catch (error) {
    if (!(error instanceof SerializationError)) throw error
    const path = error.path?.replace(/^args/, 'initargs')
    const { cause } = error
    throw new SerializationError(error.message.replaceAll('args[', 'initargs['), { stage: 'arguments', path, cause })
  }
  const bytes = Buffer.concat([out.bytes.subarray(0, out.length), out.tail ?? new Uint8Array()])
  out.tail = undefined
  const notesFullHeap = hardMemoryLimit < Infinity
  const plan = { preload, initializer, notesFullHeap, ownOption: heapOption }
  return { codec: out.codec, payload: encodeBootPlan(plan, bytes) }
}
