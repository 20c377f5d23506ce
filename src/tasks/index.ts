// Task references: the functions that workers run.
//
// A function that `defineTasks` or `importTasks` has returned is a reference to a module and a name. Any other function
// travels as its source text. Each worker gets a task as a `TaskDescriptor`, once.

import { BoundedMap } from '../util/bounded-map.js'
import { builtin } from '../util/builtins.js'
import { messageOf } from '../util/text.js'
import { hrefOf, isUrl } from '../util/url.js'
import { invalidType, invalidValue } from '../util/validate.js'
import type { TaskDescriptor } from '../wire/index.js'
import { MODULE_URL } from './bundled.js'
import { isWindowsPath, resolveSpecifier, urlOfPath } from './resolve.js'

/** Any function that can be a task. */
export type TaskFunction<A extends unknown[] = never[], R = unknown> = (...args: A) => R

type Functions = Record<string, (...args: never[]) => unknown>

// Global symbols: several copies of the package in one process understand each other's references.
const reference = Symbol.for('millrace.task')
const registrySymbol = Symbol.for('millrace.tasks')

interface Tagged {
  [reference]?: { url: string; name: string }
}

/** The functions that `defineTasks` has got in this process, by module and name. */
function registry(): Map<string, (...args: never[]) => unknown> {
  const holder = globalThis as { [registrySymbol]?: Map<string, (...args: never[]) => unknown> }
  return (holder[registrySymbol] ??= new Map())
}

function registryKey(url: string, name: string): string {
  return `${url}\0${name}`
}

/** The function that a module of this process has given to `defineTasks` under a name. */
export function definedTask(url: string, name: string): ((...args: never[]) => unknown) | undefined {
  return registry().get(registryKey(url, name))
}

/**
 * Makes functions of the calling module callable in workers by reference: a worker imports the module and calls the
 * function there. In this process the functions stay callable as before.
 *
 * @param url - The calling module's `import.meta.url`; in CommonJS its `__filename`.
 * @param tasks - The functions by name. They need not be exported.
 * @returns The functions by name, for destructuring.
 * @throws TypeError when `url` is no URL and no absolute path, or a member of `tasks` is no function.
 * @example
 * export const { parse } = defineTasks(import.meta.url, { parse: (line: string) => JSON.parse(line) as Row })
 */
export function defineTasks<T extends Functions>(url: string | URL, tasks: T): NoInfer<T> {
  // `NoInfer`: a destructuring pattern is no source for `T`. It would give the functions a type of its own, in which
  // generic functions lose their parameters.
  const href = moduleUrl(url, 'url')
  if (tasks === null || typeof tasks !== 'object') {
    throw invalidType('tasks', 'an object of functions', tasks)
  }
  const result: Functions = {}
  for (const [name, task] of Object.entries(tasks)) {
    if (typeof task !== 'function') throw invalidType(`tasks.${name}`, 'a function', task)
    registry().set(registryKey(href, name), task)
    result[name] = tag(task, href, name)
  }
  return result as NoInfer<T>
}

/** The tasks of a module that is not loaded in this process: the module's exported functions, and promises of these. */
export type ImportedTasks<T> = {
  readonly [K in keyof T as Awaited<T[K]> extends (...args: never[]) => unknown ? K : never]: Awaited<T[K]>
}

/**
 * Makes references to the exported functions of a module. Workers load the module; this process does not.
 *
 * A name is that of an export, or else of a function of the default export: so every function of an object that a
 * CommonJS module exports can be called, with this object as `this`. An export that is a promise of a function is
 * awaited.
 *
 * @param specifier - A URL, the path of a file (absolute, or with a dot from the current working directory), or the
 * name of a package as `import` takes it, resolved from the current working directory.
 * @throws TypeError when `specifier` is none of these; Node's resolution error when the name does not resolve.
 * @example
 * const jobs = importTasks<typeof import('./jobs.js')>(new URL('./jobs.js', import.meta.url))
 * await pool.submit(jobs.parse, line)
 */
export function importTasks<T extends object>(specifier: string | URL): ImportedTasks<T> {
  const href = resolveModule(specifier, 'specifier')
  // Names may come from requests. A name that was forgotten gets an equal reference.
  const known = new BoundedMap<unknown>(1 << 20)
  return new Proxy(Object.create(null) as ImportedTasks<T>, {
    get(_target, name) {
      // Not thenable: else `await importTasks(…)` would call the module's "then".
      if (typeof name !== 'string' || name === 'then') return undefined
      let task = known.get(name)
      if (task === undefined) {
        task = tag(notLoadedHere(href, name), href, name)
        known.set(name, task)
      }
      return task
    },
  })
}

function notLoadedHere(url: string, name: string): (...args: never[]) => unknown {
  return () => {
    throw new TypeError(`${name} of ${url} is loaded in worker processes only: give it to submit(), run() or map()`)
  }
}

/** Marks a function as a reference. A function that cannot be marked, or has another mark already, is wrapped. */
function tag(task: (...args: never[]) => unknown, url: string, name: string): (...args: never[]) => unknown {
  const existing = (task as Tagged)[reference]
  if (existing?.url === url && existing.name === name) return task
  const target =
    existing === undefined && Object.isExtensible(task) ? task : (...args: never[]): unknown => task(...args)
  Object.defineProperty(target, reference, { value: { url, name } })
  return target
}

/** The URL of a module, from a URL, a path or a specifier. The last two are resolved from the working directory. */
export function resolveModule(specifier: string | URL, argument: string): string {
  const href = hrefOf(specifier)
  if (href !== undefined) return href
  if (typeof specifier !== 'string' || specifier === '') throw invalidType(argument, 'a URL or a specifier', specifier)
  if (builtin('node:module').isBuiltin(specifier) || /^(?:file|node|data):/.test(specifier)) return specifier
  if (/^\.{0,2}\//.test(specifier)) return urlOfPath(specifier)
  if (isWindowsPath(specifier)) throw invalidValue(argument, 'a path of this system, a URL or a specifier', specifier)
  return resolveSpecifier(specifier, process.cwd())
}

function moduleUrl(url: string | URL, argument: string): string {
  if (typeof url === 'string' && url.startsWith('/')) return urlOfPath(url)
  const href = typeof url === 'string' && isUrl(url) ? url : hrefOf(url)
  if (href === undefined) throw invalidType(argument, MODULE_URL, url)
  return href
}

/**
 * The descriptor of a task, by which workers find the function.
 *
 * @throws TypeError when `task` is no function, or its source text does not stand for it.
 */
export function describeTask(task: unknown, argument = 'fn'): TaskDescriptor {
  if (typeof task !== 'function') throw invalidType(argument, 'a function', task)
  const known = (task as Tagged)[reference]
  if (known !== undefined) return { form: 'module', url: known.url, name: known.name }
  return describeSource(task as (...args: never[]) => unknown, argument)
}

function describeSource(task: (...args: never[]) => unknown, argument: string): TaskDescriptor {
  const text = Function.prototype.toString.call(task)
  const name = typeof task.name === 'string' && task.name !== '' ? task.name : 'anonymous'
  const refuse = (why: string, cause?: unknown): never => {
    const advice = 'define it in a module of its own with defineTasks(import.meta.url, {…})'
    const error = new TypeError(`The "${argument}" argument ${why}, so it cannot be sent as source: ${advice}`, {
      cause,
    })
    throw Object.assign(error, { code: 'ERR_INVALID_ARG_VALUE' })
  }
  if (/\{\s*\[native code\]\s*\}\s*$/.test(text)) refuse(`(${name}) is a native or bound function`)
  if (/^class\b/.test(text)) refuse(`(${name}) is a class`)
  const strict = isStrict(task)
  let failure: unknown
  for (const source of [text, ...functionExpressions(text)]) {
    try {
      // Parsed, not run: so `super`, accessors and computed names are errors here and not in the worker.
      new (builtin('node:vm').Script)(sourceExpression(source, strict))
      return { form: 'source', source, strict, name }
    } catch (error) {
      failure = error
    }
  }
  const usesMeta = messageOf(failure).includes('import.meta')
  return refuse(
    `(${name}) ${usesMeta ? 'uses import.meta' : 'is a method that uses super, or has a computed name'}`,
    failure,
  )
}

/** Whether a function is strict: it refuses to name its caller. All functions of a module are strict. */
function isStrict(task: object): boolean {
  try {
    return Reflect.get(task, 'caller') === undefined
  } catch {
    return true
  }
}

/** The name of a method: an identifier, also a private one, a quoted text or a number. */
const METHOD_NAME = /[\p{ID_Start}$_#][\p{ID_Continue}$]*|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\d\w*/u.source

/** The text of a method, in parts: `async`, `*`, the name, and the rest from the parameters on. */
const METHOD = new RegExp(
  String.raw`^(async(?!\s*\()\s+|async(?=\s*\*))?(\*\s*)?((?:${METHOD_NAME})\s*)(\([\s\S]*)$`,
  'u',
)

/**
 * The source text of a method (`name(a) {…}`) as function expressions: first with its name, then without, because not
 * each name of a method can be a function's. Empty for any other text.
 */
function functionExpressions(text: string): string[] {
  const [, async, star = '', name, rest] = METHOD.exec(text) ?? []
  if (name === undefined) return []
  const keyword = `${async === undefined ? '' : 'async '}function${star}`
  return [`${keyword} ${name}${rest}`, `${keyword} ${rest}`]
}

/**
 * The text of an expression whose value is the function. With `helpers` the value is an arrow function that takes what
 * these names stand for, and returns the function: an arrow function, so that `this` and `arguments` stay.
 */
export function sourceExpression(source: string, strict: boolean, helpers: readonly string[] = []): string {
  const taking = helpers.length === 0 ? '' : `(${helpers.join()})=>`
  return `${strict ? "'use strict';" : ''}${taking}(${source}\n)`
}
