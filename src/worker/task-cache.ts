// The functions behind the numbers of tasks, loaded at their first call.

import { TaskLoadError } from '../errors/index.js'
import type { WorkerState } from '../tasks/context.js'
import { NO_SUCH_FILE } from '../tasks/bundled.js'
import { definedTask, sourceExpression } from '../tasks/index.js'
import { nameHelper, nameHelpersOf } from '../tasks/inserted-names.js'
import { BoundedMap } from '../util/bounded-map.js'
import { builtin, forgetCommonModule } from '../util/builtins.js'
import { monotonicMs } from '../util/clock.js'
import { withEngineFlag } from '../util/engine-flags.js'
import { messageOf } from '../util/text.js'
import type { TaskDescriptor } from '../wire/index.js'
import { type Found, findExported } from './exports.js'

export type Task = (...args: never[]) => unknown

interface Entry {
  /** Undefined once the function is loaded: the source text is not needed any more. */
  descriptor: TaskDescriptor | undefined
  /** Undefined until the function is loaded. */
  task: Task | undefined
  readonly isSource: boolean
}

/** A module that did not load. */
interface Failure {
  error: TaskLoadError
  fingerprint: string
  at: number
}

/** Time until a failed module is tried again, because the mistake may be in a module that it imports. */
const RETRY_AFTER_MS = 1000

/** Most characters of the names and URLs that are remembered because they could not be loaded. */
const MAX_REMEMBERED = 1 << 20

export class TaskCache {
  readonly #entries: (Entry | undefined)[] = []
  readonly #failures = new BoundedMap<Failure>(MAX_REMEMBERED)
  /** The URL under which a module was imported last, where this is not the module's own URL. */
  readonly #actualUrls = new Map<string, string>()
  /** Functions that a module lacked, with the module's fingerprint at that time. */
  readonly #lacking = new BoundedMap<string>(MAX_REMEMBERED)
  readonly #state: WorkerState
  #attempts = 0
  /**
   * A module has failed that this process had tried to load before. Node keeps failed dependencies in its cache: only a
   * new process can load them afresh.
   */
  exhausted = false

  constructor(state: WorkerState) {
    this.#state = state
  }

  define(index: number, descriptor: TaskDescriptor): void {
    this.#entries[index] = { descriptor, task: undefined, isSource: descriptor.form === 'source' }
  }

  /** The host needs the function no more. */
  forget(index: number): void {
    this.#entries[index] = undefined
  }

  /** The function with this number, if it is loaded. */
  loaded(index: number): Task | undefined {
    return this.#entries[index]?.task
  }

  /** Whether the function came as source text. */
  isSource(index: number): boolean {
    return this.#entries[index]?.isSource === true
  }

  /**
   * Loads the function with this number.
   *
   * @throws TaskLoadError
   */
  async load(index: number): Promise<Task> {
    const entry = this.#entries[index]
    if (entry?.descriptor === undefined) throw new TaskLoadError(`Task ${index} was not defined in this worker`)
    entry.task = await this.resolve(entry.descriptor)
    entry.descriptor = undefined
    return entry.task
  }

  /** The function of a descriptor, which need not have a number. */
  async resolve(descriptor: TaskDescriptor): Promise<Task> {
    if (descriptor.form === 'source') return compile(descriptor)
    const { url, name } = descriptor
    const inherited = this.#state.inherits ? definedTask(url, name) : undefined
    if (inherited !== undefined) return inherited as Task
    const key = `${url}\0${name}`
    const fingerprint = fingerprintOf(url)
    // A loaded module is evaluated again only if its file has changed since the module lacked the function.
    const changed = this.#lacking.has(key) && this.#lacking.get(key) !== fingerprint
    const exports = await this.importModule(url, changed)
    const task = definedTask(url, name) ?? definedTask(exports.url, name)
    const found = task === undefined ? await this.#find(url, name, exports.namespace) : { task, exists: true }
    if (found.task === undefined) {
      this.#lacking.set(key, fingerprint)
      const what = found.exists ? 'exports something that is not a function as' : 'does not export or define'
      throw new TaskLoadError(`${url} ${what} '${name}'`)
    }
    this.#lacking.delete(key)
    return found.task as Task
  }

  async #find(url: string, name: string, namespace: Record<string, unknown>): Promise<Found> {
    this.#state.loading++
    try {
      return await findExported(namespace, name)
    } catch (cause) {
      throw new TaskLoadError(`${url} has no '${name}', because of an error: ${messageOf(cause)}`, { cause })
    } finally {
      this.#state.loading--
    }
  }

  /**
   * Imports a module; under another URL if it failed before or if `changed`. Node caches modules, also failed ones, by
   * their URLs.
   */
  async importModule(url: string, changed = false): Promise<{ url: string; namespace: Record<string, unknown> }> {
    const failure = this.#failures.get(url)
    const fingerprint = fingerprintOf(url)
    const now = monotonicMs()
    if (failure?.fingerprint === fingerprint && now - failure.at < RETRY_AFTER_MS) throw failure.error
    if (failure !== undefined || changed) {
      this.#actualUrls.set(url, withQuery(url, `millrace=${process.pid}.${++this.#attempts}`))
      const path = pathOf(url)
      if (path !== undefined) forgetCommonModule(path)
    }
    const actual = this.#actualUrls.get(url) ?? url
    this.#state.loading++
    try {
      const namespace = (await import(actual)) as Record<string, unknown>
      this.#failures.delete(url)
      return { url: actual, namespace }
    } catch (cause) {
      const advice = fingerprint === 'absent' ? `. ${NO_SUCH_FILE}` : ''
      const error = new TaskLoadError(`${url} could not be loaded: ${messageOf(cause)}${advice}`, { cause })
      this.exhausted ||= failure !== undefined
      this.#failures.set(url, { error, fingerprint, at: now })
      throw error
    } finally {
      this.#state.loading--
    }
  }
}

function compile(descriptor: TaskDescriptor & { form: 'source' }): Task {
  const { source, strict, name } = descriptor
  const helpers = nameHelpersOf(source)
  const vm = builtin('node:vm')
  hushLoaderWarning()
  try {
    const parse = (): InstanceType<typeof vm.Script> =>
      new vm.Script(sourceExpression(source, strict, helpers), {
        // Not the form of a URL: `import()` would resolve from that instead of the working directory.
        filename: `millrace-task <${name}>`,
        // With this, `import()` resolves from the working directory.
        importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
      })
    const script = mayStayCached(source)
      ? parse()
      : (withEngineFlag('--no-compilation-cache', '--compilation-cache', parse) ?? parse())
    const value = script.runInThisContext() as (...args: unknown[]) => unknown
    return (helpers.length === 0 ? value : value(...helpers.map(() => nameHelper))) as Task
  } catch (cause) {
    throw new TaskLoadError(`The source of '${name}' could not be compiled: ${messageOf(cause)}`, { cause })
  }
}

/** How many texts V8's cache may have, and of how many characters. */
const CACHED_TEXTS = 16
const CACHED_LENGTH = 4096

let cachedTexts = 0

/**
 * Whether a text may go into V8's cache, which would keep the text of a function that was forgotten for several
 * collections of the whole heap. To keep a text out takes 'node:v8', whose loading costs the first call of a worker
 * more than a millisecond: so the first short ones may stay.
 */
function mayStayCached(source: string): boolean {
  return source.length <= CACHED_LENGTH && cachedTexts++ < CACHED_TEXTS
}

let hushed = false

/** Silences Node's warning that the constant above is experimental: the author of the task knows nothing of it. */
function hushLoaderWarning(): void {
  if (hushed) return
  hushed = true
  const { emitWarning } = process
  process.emitWarning = (warning: string | Error, ...rest: unknown[]): void => {
    if (String(warning).includes('USE_MAIN_CONTEXT_DEFAULT_LOADER')) return
    Reflect.apply(emitWarning, process, [warning, ...rest])
  }
}

/** The path of the file behind a URL. */
function pathOf(url: string): string | undefined {
  if (!url.startsWith('file:')) return undefined
  try {
    return builtin('node:url').fileURLToPath(url)
  } catch {
    return undefined
  }
}

/** A text that changes when the file behind a URL changes. */
function fingerprintOf(url: string): string {
  const path = pathOf(url)
  if (path === undefined) return ''
  try {
    const { mtimeMs, ctimeMs, size, ino } = builtin('node:fs').statSync(path)
    return `${mtimeMs} ${ctimeMs} ${size} ${ino}`
  } catch {
    return 'absent'
  }
}

function withQuery(url: string, query: string): string {
  if (!url.startsWith('file:')) return url
  return url.includes('?') ? `${url}&${query}` : `${url}?${query}`
}
