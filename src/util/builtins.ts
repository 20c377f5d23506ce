// Modules of Node's that are loaded when they are first needed. `import` of one takes up to some milliseconds of the
// start of each worker: of what it requires itself, and of each of its exports, which are read once; those of
// 'node:process' make the standard streams.

import { createRequire } from 'node:module'

interface Builtins {
  'node:fs': typeof import('node:fs')
  'node:stream': typeof import('node:stream')
  'node:v8': typeof import('node:v8')
  'node:vm': typeof import('node:vm')
  'node:worker_threads': typeof import('node:worker_threads')
}

const load = createRequire(import.meta.url)

/** Of 'node:util', most of which is there from the start; the rest would come with an `import`. */
export const { inspect, types } = load('node:util') as typeof import('node:util')

/** The module, loaded now if it has not been. */
export function builtin<Name extends keyof Builtins>(name: Name): Builtins[Name] {
  return load(name) as Builtins[Name]
}
