// Node's own options that workers inherit from this process: in `process.execArgv`, and in the variable NODE_OPTIONS.
//
// Relative paths among them count from the directory in which this program was started. A worker may start in another
// directory, so paths are made absolute.

import { createRequire, isBuiltin } from 'node:module'
import { isAbsolute, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

import { resolveSpecifier } from '../tasks/resolve.js'
import { urlFrom } from '../util/url.js'
import { firstDirectory } from './program.js'

/** Options that would make a worker wait for a debugger, write a profile, or fail for lack of something. */
const NOT_INHERITED = /^--(?:inspect|debug|cpu-prof|heap-prof|prof\b|heapsnapshot|heap-snapshot|diagnostic-dir|test)/

/** Options that make Node run something else than a script, or run the script in another way. */
const NO_SCRIPT =
  /^--(?:(?:test|input-type|run|check|interactive|entry-url|snapshot-blob)$|watch|build-|experimental-sea)|^-[ic]$/

/** Options that say how large V8's heap may grow. */
const HEAP_LIMITS = /^--max-(?:old-space-size(?:-percentage)?|heap-size)$/

/** Bytes that a worker needs besides the old space of its heap: its program, its code, its young space. */
const BESIDES_OLD_SPACE = 64 << 20

/** Options whose value is a script, which is run in place of the worker's entry. */
const WITH_SCRIPT = new Set(['-e', '--eval', '-p', '--print', '-pe'])

/** Options whose value is a path. */
const PATHS = new Set([
  '--env-file',
  '--env-file-if-exists',
  '--experimental-config-file',
  '--experimental-policy',
  '--icu-data-dir',
  '--localstorage-file',
  '--openssl-config',
  '--redirect-warnings',
  '--report-dir',
  '--report-directory',
  '--tls-keylog',
  '--allow-fs-read',
  '--allow-fs-write',
])

/** Options whose value is resolved as by `require()`. */
const REQUIRED = new Set(['-r', '--require'])

/** Options whose value is resolved as by `import`. */
const IMPORTED = new Set(['--import', '--loader', '--experimental-loader'])

/** An option of Node, as this process was given it. */
export interface NodeOption {
  /** As Node's documents have it. */
  readonly name: string
  readonly value: string | undefined
}

/** The options of this process, from its command line and from NODE_OPTIONS. */
export function nodeOptions(): NodeOption[] {
  const given = [...split(process.env.NODE_OPTIONS ?? ''), ...process.execArgv]
  return given.flatMap((argument, index) => {
    // There are only options and their values here: an argument that does not look like an option is a value.
    if (!argument.startsWith('-')) return []
    const option = optionOf(argument)
    const next = given[index + 1]
    return [option.value === undefined && next?.startsWith('-') === false ? { ...option, value: next } : option]
  })
}

/** An argument: the name of an option as Node's documents have it, and the value that follows the name after `=`. */
function optionOf(argument: string): NodeOption {
  const end = argument.startsWith('--') ? argument.indexOf('=') : -1
  const name = end < 0 ? argument : argument.slice(0, end)
  const value = end < 0 ? undefined : argument.slice(end + 1)
  // Node takes underscores for dashes, but not in `-r` and the like.
  return { name: name.startsWith('--') ? name.replaceAll('_', '-') : name, value }
}

/** The first of these options with which Node would not run a worker's entry; undefined if there is none. */
export function optionWithoutScript(execArgv: readonly string[]): string | undefined {
  return execArgv
    .map((argument) => optionOf(argument).name)
    .find((name) => WITH_SCRIPT.has(name) || NO_SCRIPT.test(name))
}

/** The names of options among these, and in the value of NODE_OPTIONS, that have Node write a profile at the end. */
export function profilesIn(execArgv: readonly string[], text: string | undefined): string[] {
  return [...execArgv, ...split(text ?? '')]
    .map((argument) => optionOf(argument).name)
    .filter((name) => name === '--cpu-prof' || name === '--heap-prof')
}

/** Options for profiles, which forked workers do not write. */
const PROFILES = /^--(?:cpu|heap)-prof/

/** These options without those for profiles: `--cpu-prof` would give a fork server a thread. */
export function withoutProfiles(options: readonly string[]): string[] {
  return options.filter((argument, index) => {
    const before = options[index - 1]
    const isValue = !argument.startsWith('-') && before !== undefined && !before.includes('=')
    return !PROFILES.test(optionOf(isValue ? before : argument).name)
  })
}

/**
 * The option that keeps the heap of a worker within `limit` resident bytes: V8 collects garbage sooner, and ends the
 * worker when that does not help. Undefined if `execArgv`, or the value of NODE_OPTIONS, limits the heap.
 */
export function heapOption(limit: number, execArgv: readonly string[], text: string | undefined): string | undefined {
  if ([...execArgv, ...split(text ?? '')].some((argument) => HEAP_LIMITS.test(optionOf(argument).name)))
    return undefined
  // Less than half is left beside a small heap, of which V8 needs some to start.
  const bytes = Math.max(limit - BESIDES_OLD_SPACE, limit / 2, 16 << 20)
  return `--max-old-space-size=${Math.floor(bytes / 2 ** 20)}`
}

/** The options of this process that its workers get. `cwd` is their working directory. */
export function inheritedExecArgv(cwd: string | undefined): string[] {
  return inherited(process.execArgv, cwd)
}

/**
 * The value of NODE_OPTIONS for workers, if it has to be another than the one given.
 *
 * @param profiled - Whether workers write profiles.
 */
export function inheritedNodeOptions(
  text: string | undefined,
  cwd: string | undefined,
  profiled: boolean,
): string | undefined {
  if (text === undefined || !text.includes('-')) return undefined
  const given = split(text)
  const all = inherited(given, cwd, false)
  const kept = profiled ? all : withoutProfiles(all)
  return kept.length === given.length && kept.every((each, index) => each === given[index]) ? undefined : quoted(kept)
}

function inherited(options: readonly string[], cwd: string | undefined, debugging = true): string[] {
  const kept: string[] = []
  const moved = resolve(cwd ?? '.') !== firstDirectory
  for (let index = 0; index < options.length; index++) {
    const argument = options[index]!
    const { name, value } = optionOf(argument)
    if (WITH_SCRIPT.has(name)) {
      if (value === undefined) index++
    } else if (NO_SCRIPT.test(name) || (debugging && NOT_INHERITED.test(name))) {
      // There are only options and their values here: an argument that does not look like an option is a value.
      const next = options[index + 1]
      if (value === undefined && next !== undefined && !next.startsWith('-')) index++
    } else if (!hasPath(name)) {
      kept.push(argument)
    } else if (value !== undefined) {
      kept.push(`${argument.slice(0, argument.indexOf('='))}=${absolute(name, value, moved)}`)
    } else {
      kept.push(argument)
      const next = options[index + 1]
      if (next !== undefined) kept.push(absolute(name, next, moved))
      index++
    }
  }
  return kept
}

function hasPath(name: string): boolean {
  return PATHS.has(name) || REQUIRED.has(name) || IMPORTED.has(name)
}

/** @param moved - Whether workers start in another directory: then packages have to be found from here, too. */
function absolute(name: string, value: string, moved: boolean): string {
  // The end of a path counts: `--allow-fs-read` has a meaning of its own for `/` and `*` there.
  if (PATHS.has(name)) return isAbsolute(value) || /^\*?$/.test(value) ? value : join(firstDirectory, value)
  const base = pathToFileURL(join(firstDirectory, '/')).href
  const isPath = /^\.{1,2}(?:\/|$)/.test(value)
  if (isPath) return REQUIRED.has(name) ? resolve(firstDirectory, value) : urlFrom(value, base)
  if (!moved || isBuiltin(value) || /^(?:\/|[a-z][a-z\d+.-]*:)/i.test(value)) return value
  try {
    return REQUIRED.has(name) ? createRequire(base).resolve(value) : resolveSpecifier(value, firstDirectory)
  } catch {
    return value // Node says in the worker what is wrong.
  }
}

/** The options in NODE_OPTIONS, as Node splits them. */
function split(text: string): string[] {
  const options: string[] = []
  let option: string | undefined
  let isQuoted = false
  for (let index = 0; index < text.length; index++) {
    let letter = text[index]!
    if (letter === '\\' && isQuoted) letter = text[++index] ?? ''
    else if (letter === '"') {
      isQuoted = !isQuoted
      option ??= ''
      continue
    } else if (letter === ' ' && !isQuoted) {
      if (option !== undefined) options.push(option)
      option = undefined
      continue
    }
    option = (option ?? '') + letter
  }
  return option === undefined ? options : [...options, option]
}

function quoted(options: readonly string[]): string {
  return options
    .map((option) => (/[\s"\\]/.test(option) ? `"${option.replaceAll(/["\\]/g, '\\$&')}"` : option))
    .join(' ')
}
