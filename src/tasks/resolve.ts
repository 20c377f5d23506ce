// Resolution of a module that a program names: a path becomes the URL of a file, a bare specifier is resolved from a
// directory as `import` resolves it. Node can do the latter only for the calling module.

import { builtin } from '../util/builtins.js'
import { urlFrom } from '../util/url.js'

const { createRequire } = builtin('node:module')
const { dirname, join, resolve } = builtin('node:path')
const { fileURLToPath, pathToFileURL } = builtin('node:url')

/** The part of a package.json that `import` reads. */
interface Manifest {
  name?: unknown
  exports?: unknown
}

/**
 * The URL of a path, which is resolved from the working directory. A path is no URL: its `#`, `?` and `%` stand for
 * themselves. Only where no file has that name, but the path read as a URL leads to one, the URL is meant:
 * `./jobs.js?v=2`.
 */
export function urlOfPath(path: string): string {
  const literal = pathToFileURL(resolve(path)).href
  if (!/[?#%]/.test(path)) return literal
  const { existsSync } = builtin('node:fs')
  if (existsSync(fileURLToPath(literal))) return literal
  const href = urlFrom(path, pathToFileURL(`${process.cwd()}/`).href)
  try {
    return existsSync(fileURLToPath(href)) ? href : literal
  } catch {
    // The URL stands for no path, because of a `%2F`.
    return literal
  }
}

/** Whether a text is a path as Windows writes paths. No other system has files of such names but by mistake. */
export function isWindowsPath(specifier: string): boolean {
  return /^(?:[a-z]:[\\/]|\\\\|\.{1,2}\\)/i.test(specifier)
}

/**
 * The URL for a bare specifier: the file that `import` takes where the package says so in its `exports`, else the file
 * that `require.resolve` finds.
 *
 * @throws Node's resolution error.
 */
export function resolveSpecifier(specifier: string, directory: string): string {
  const require = createRequire(pathToFileURL(`${directory}/`))
  return byImport(specifier, directory, require) ?? pathToFileURL(require.resolve(specifier)).href
}

/** Looks up the specifier among the exports of its package; undefined when the package has none for it. */
function byImport(specifier: string, directory: string, require: NodeJS.Require): string | undefined {
  const parts = specifier.split('/')
  const name = parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/')
  // A specifier with `#` is an import of the own package.
  if (name === '' || name.startsWith('#')) return undefined
  const root = ownPackage(name, directory) ?? installedPackage(name, require.resolve.paths(specifier) ?? [])
  if (root === undefined) return undefined
  const target = targetOf(readManifest(root)?.exports, `.${specifier.slice(name.length)}`)
  if (target === undefined) return undefined
  const path = join(root, target)
  const { existsSync, realpathSync } = builtin('node:fs')
  // As `import`, whose module has the URL of the real file.
  return pathToFileURL(existsSync(path) ? realpathSync(path) : path).href
}

/** The folder of the package to which the directory belongs, if this is the package's name and it has exports. */
function ownPackage(name: string, directory: string): string | undefined {
  for (let folder = directory; ; folder = dirname(folder)) {
    const manifest = readManifest(folder)
    if (manifest !== undefined) {
      return manifest.name === name && (manifest.exports ?? null) !== null ? folder : undefined
    }
    if (folder === dirname(folder)) return undefined
  }
}

function installedPackage(name: string, folders: readonly string[]): string | undefined {
  return folders.map((folder) => join(folder, name)).find((root) => readManifest(root) !== undefined)
}

/** Undefined when there is no package.json, or one that is none. */
function readManifest(folder: string): Manifest | undefined {
  try {
    const manifest: unknown = JSON.parse(builtin('node:fs').readFileSync(join(folder, 'package.json'), 'utf8'))
    return typeof manifest === 'object' && manifest !== null ? manifest : undefined
  } catch {
    return undefined
  }
}

/** The file that `exports` has for a subpath such as `.` or `./feature`. */
function targetOf(exports: unknown, subpath: string): string | undefined {
  if (!isSubpathMap(exports)) return subpath === '.' ? pick(exports) : undefined
  if (Object.hasOwn(exports, subpath) && !subpath.includes('*')) return pick(exports[subpath])
  // The pattern with the longest text before its star wins.
  const patterns = Object.keys(exports).filter((key) => key.split('*').length === 2)
  for (const pattern of patterns.sort((a, b) => b.indexOf('*') - a.indexOf('*') || b.length - a.length)) {
    const [head = '', tail = ''] = pattern.split('*')
    if (!subpath.startsWith(head) || !subpath.endsWith(tail) || subpath.length < pattern.length) continue
    return pick(exports[pattern])?.replaceAll('*', () => subpath.slice(head.length, subpath.length - tail.length))
  }
  return undefined
}

function isSubpathMap(exports: unknown): exports is Record<string, unknown> {
  return typeof exports === 'object' && exports !== null && Object.keys(exports).some((key) => key.startsWith('.'))
}

/** The first target whose conditions hold, in the order of the manifest. */
function pick(target: unknown, conditions = activeConditions()): string | undefined {
  if (typeof target === 'string') return target.startsWith('./') ? target : undefined
  if (Array.isArray(target)) return target.map((inner) => pick(inner, conditions)).find((found) => found !== undefined)
  if (typeof target !== 'object' || target === null) return undefined
  for (const [condition, inner] of Object.entries(target)) {
    if (!conditions.has(condition)) continue
    // A target of null is an end: the package says that there is no file.
    if (inner === null) return undefined
    const found = pick(inner, conditions)
    if (found !== undefined) return found
  }
  return undefined
}

/** The conditions under which `import` resolves in this process, those of `--conditions` included. */
function activeConditions(): Set<string> {
  const active = new Set(['import', 'node', 'node-addons', 'default'])
  if ((process.features as { require_module?: boolean }).require_module === true) active.add('module-sync')
  const options = [...(process.env.NODE_OPTIONS ?? '').split(/\s+/), ...process.execArgv]
  options.forEach((option, i) => {
    const value = /^(?:--conditions|-C)(?:=(.*))?$/s.exec(option)
    if (value !== null) active.add(value[1] ?? options[i + 1] ?? '')
  })
  return active
}
