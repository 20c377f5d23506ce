// Node's builtin modules that are loaded at their first use.
//
// An `import` of such a module costs each worker up to some milliseconds at its start: Node loads what the module
// itself requires, and reads each export of the module once. (To read the exports of 'node:process' creates the
// standard streams.)

import { createRequire } from 'node:module'

import { refuseForeignRuntime } from '../runtime.js'

interface Builtins {
  'node:fs': typeof import('node:fs')
  'node:perf_hooks': typeof import('node:perf_hooks')
  'node:sea': { isSea(): boolean }
  'node:stream': typeof import('node:stream')
  'node:v8': typeof import('node:v8')
  'node:vm': typeof import('node:vm')
  'node:worker_threads': typeof import('node:worker_threads')
}

// Nearly every module imports this one: here is the first code of the package that runs.
refuseForeignRuntime()

/** Loads one of Node's modules at once. */
export const load = createRequire(import.meta.url)

/** Two exports of 'node:util'. Node has loaded most of that module anyway; an `import` would load the rest. */
export const { inspect, types } = load('node:util') as typeof import('node:util')

/** The module of this name, loaded at the first call. */
export function builtin<Name extends keyof Builtins>(name: Name): Builtins[Name] {
  return load(name) as Builtins[Name]
}

/** Has Node evaluate a CommonJS module afresh at its next import: Node keeps such modules by path, not by URL. */
export function forgetCommonModule(path: string): void {
  delete load.cache[path]
}
