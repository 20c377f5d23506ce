// Node's builtin modules, without an `import`: each import costs a worker's start up to some milliseconds. Node loads
// what the module itself requires, makes a module of exports beside it, and reads each export once. (To read the
// exports of 'node:process' creates the standard streams.) Of what a worker loads, only `paths.ts` and `binaries.ts`
// import theirs, so that tools which follow files understand the paths there.

import type * as AsyncHooks from 'node:async_hooks'

import { refuseForeignRuntime } from '../runtime.js'

interface Builtins {
  'node:crypto': typeof import('node:crypto')
  'node:events': typeof import('node:events')
  'node:fs': typeof import('node:fs')
  'node:inspector': typeof import('node:inspector')
  'node:module': typeof import('node:module')
  'node:net': typeof import('node:net')
  'node:path': typeof import('node:path')
  'node:perf_hooks': typeof import('node:perf_hooks')
  'node:sea': { isSea(): boolean }
  'node:stream': typeof import('node:stream')
  'node:url': typeof import('node:url')
  'node:v8': typeof import('node:v8')
  'node:vm': typeof import('node:vm')
  'node:worker_threads': typeof import('node:worker_threads')
}

// Nearly every module imports this one: here is the first code of the package that runs.
refuseForeignRuntime()

/** Loads one of Node's modules at once. */
export const load = process.getBuiltinModule('node:module').createRequire(import.meta.url)

/** Two exports of 'node:util'. Node has loaded most of that module anyway; an `import` would load the rest. */
export const { inspect, types } = load('node:util') as typeof import('node:util')

/** Two classes of 'node:async_hooks'. */
export const { AsyncLocalStorage, AsyncResource } = load('node:async_hooks') as typeof AsyncHooks
export type AsyncLocalStorage<Store> = AsyncHooks.AsyncLocalStorage<Store>
export type AsyncResource = AsyncHooks.AsyncResource

/** The module of this name, loaded at the first call. */
export function builtin<Name extends keyof Builtins>(name: Name): Builtins[Name] {
  return load(name) as Builtins[Name]
}

/** Has Node evaluate a CommonJS module afresh at its next import: Node keeps such modules by path, not by URL. */
export function forgetCommonModule(path: string): void {
  delete load.cache[path]
}
