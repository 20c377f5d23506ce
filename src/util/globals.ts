// The globals of Node that this package uses, taken once, when the package is loaded.
//
// A program may delete or replace globals: environments that imitate a browser bring a `URL` of their own, fake timers
// replace `setTimeout`. Node's modules have the real ones. Each is copied here, since a named import of a module would
// follow later changes of that module (`syncBuiltinESMExports()`). The linter forbids the bare globals in src/. Clocks
// are in `clock.ts`.

import type { Buffer as NodeBuffer } from 'node:buffer'

import { builtin, load } from './builtins.js'

/** The timers of Node: a time limit by the program's fake clock would be none. */
export const { clearInterval, clearTimeout, setImmediate, setInterval, setTimeout } = load(
  'node:timers',
) as typeof import('node:timers')

const { atob, Buffer: BufferClass } = load('node:buffer') as typeof import('node:buffer')
export const Buffer = BufferClass
export type Buffer = NodeBuffer

export const { TextDecoder, TextEncoder } = load('node:util') as typeof import('node:util')
export const { URL: NodeURL } = load('node:url') as typeof import('node:url')

// No module exports the next ones: as they are when the package is loaded.

/** The class of dates. A mock that comes later may make each date the same date. */
export const { Date } = globalThis

/** Calls a function soon. What the function throws, nobody catches. */
export const queueMicrotask: (callback: () => void) => void = globalThis.queueMicrotask ?? process.nextTick

const { structuredClone } = globalThis

/** Transfers the memory of an ArrayBuffer away. Throws when the memory cannot be transferred. */
export function transferAway(memory: ArrayBuffer): void {
  structuredClone?.(memory, { transfer: [memory] })
  // A replacement of the global may have made a copy only.
  if (memory.byteLength > 0) sendAway(memory)
}

/** As Node's `structuredClone` does. */
function sendAway(memory: ArrayBuffer): void {
  const { MessageChannel } = builtin('node:worker_threads')
  const { port1, port2 } = new MessageChannel()
  try {
    port1.postMessage(undefined, [memory])
  } finally {
    port1.close()
    port2.close()
  }
}

/** The class of the DOMExceptions that Node throws, which the global of this name need not be. */
export const DOMException = thrownBy(() => atob('*')).constructor as typeof globalThis.DOMException

function thrownBy(failing: () => unknown): object {
  try {
    failing()
  } catch (error) {
    return error as object
  }
  return globalThis.DOMException.prototype
}

const controllerAtLoad = Object.getOwnPropertyDescriptor(globalThis, 'AbortController')

/** A new AbortController. Its class is loaded at its first use: few tasks ask for their signal. */
export function makeAbortController(): AbortController {
  const AbortController = readLazy('AbortController', controllerAtLoad) as typeof globalThis.AbortController | undefined
  return AbortController === undefined
    ? (load('node:util') as typeof import('node:util')).transferableAbortController()
    : new AbortController()
}

/** The value of a global that Node may load at its first use. The global stays as the program has left it. */
function readLazy(name: string, atLoad: PropertyDescriptor | undefined): unknown {
  if (atLoad?.get === undefined) return atLoad?.value
  const present = Object.getOwnPropertyDescriptor(globalThis, name)
  const value: unknown = atLoad.get.call(globalThis)
  // Node's getter has put the value in its own place.
  if (present === undefined) Reflect.deleteProperty(globalThis, name)
  else if (present.get !== atLoad.get) Reflect.defineProperty(globalThis, name, present)
  return value
}
