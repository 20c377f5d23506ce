// Task descriptors: where a worker finds a task. A lane carries each task's descriptor once, as JSON.

import { TextDecoder, TextEncoder } from '../util/globals.js'

/** Where a worker finds the function of a task. */
export type TaskDescriptor =
  { form: 'module'; url: string; name: string } | { form: 'source'; source: string; strict: boolean; name: string }

const decoder = new TextDecoder()
const encoder = new TextEncoder()

export function encodeDescriptor(descriptor: TaskDescriptor): Uint8Array {
  return encoder.encode(JSON.stringify(descriptor))
}

export function decodeDescriptor(bytes: Uint8Array): TaskDescriptor {
  return JSON.parse(decoder.decode(bytes)) as TaskDescriptor
}
