// What a worker does before its first call: preload modules, run the initializer.

import { decodeArguments } from '../codec/index.js'
import type { TaskDescriptor } from '../tasks/index.js'
import type { Task, TaskCache } from './task-cache.js'

/** What the host asks of each new worker. */
export interface BootPlan {
  /** Modules to load, in this order. */
  preload: string[]
  initializer?: TaskDescriptor
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** The boot call's payload: the length of the plan, the plan as JSON, the initializer's encoded arguments. */
export function encodeBootPlan(plan: BootPlan, initargs: Uint8Array): Uint8Array {
  const json = encoder.encode(JSON.stringify(plan))
  const bytes = new Uint8Array(4 + json.length + initargs.length)
  new DataView(bytes.buffer).setUint32(0, json.length, true)
  bytes.set(json, 4)
  bytes.set(initargs, 4 + json.length)
  return bytes
}

/** Carries the plan out. Rejects with what went wrong first. */
export async function boot(codec: number, payload: Uint8Array, tasks: TaskCache): Promise<void> {
  const length = new DataView(payload.buffer, payload.byteOffset).getUint32(0, true)
  const plan = JSON.parse(decoder.decode(payload.subarray(4, 4 + length))) as BootPlan
  // Copied, since it may lie in memory that is used again before the initializer has looked at it.
  const initargs = plan.initializer && decodeArguments(codec, payload.slice(4 + length))
  for (const url of plan.preload) await tasks.importModule(url)
  if (plan.initializer !== undefined) {
    const initializer: Task = await tasks.resolve(plan.initializer)
    await initializer(...(initargs as never[]))
  }
}
