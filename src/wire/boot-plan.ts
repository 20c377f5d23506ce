// The boot plan: the work of a new worker before its first call.
//
// The payload of the boot call is the length of the plan (4 bytes, little-endian), the plan as JSON, and the encoded
// arguments of the initializer.

import { TextDecoder, TextEncoder } from '../util/globals.js'
import type { TaskDescriptor } from './task-descriptor.js'

export interface BootPlan {
  /** Modules to load, in this order. */
  preload: string[]
  initializer?: TaskDescriptor | undefined
  /** Whether the host wants to know when the heap of the worker is full. */
  notesFullHeap?: boolean | undefined
  /** An option of Node that is for the worker alone, and not for what the worker starts. */
  ownOption?: string | undefined
}

const LENGTH_BYTES = 4

const encoder = new TextEncoder()
const decoder = new TextDecoder()

export function encodeBootPlan(plan: BootPlan, initargs: Uint8Array): Uint8Array {
  const json = encoder.encode(JSON.stringify(plan))
  const bytes = new Uint8Array(LENGTH_BYTES + json.length + initargs.length)
  new DataView(bytes.buffer).setUint32(0, json.length, true)
  bytes.set(json, LENGTH_BYTES)
  bytes.set(initargs, LENGTH_BYTES + json.length)
  return bytes
}

/** The plan, and the initializer's encoded arguments: a view of `payload`. */
export function decodeBootPlan(payload: Uint8Array): { plan: BootPlan; initargs: Uint8Array } {
  const end = LENGTH_BYTES + new DataView(payload.buffer, payload.byteOffset).getUint32(0, true)
  const plan = JSON.parse(decoder.decode(payload.subarray(LENGTH_BYTES, end))) as BootPlan
  return { plan, initargs: payload.subarray(end) }
}
