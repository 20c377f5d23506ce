// Resolution of a bare specifier from a directory, as `import` resolves it. Node can do that only for the calling
// module.

import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

import { builtin } from '../util/builtins.js'

/** The part of a package.json that `import` reads. */
interface Manifest {
  exports?: unknown
}

/**
 * The URL for a bare specifier. `require.resolve` finds it, except for packages that only `import` may load.
 *
 * @throws Node's resolution error.
 */
export function resolveSpecifier(specifier: string, require: NodeJS.Require): string {
  try {
    return pathToFileURL(require.resolve(specifier)).href
  } catch (error) {
    const resolved =
      (error as NodeJS.ErrnoException).code === 'ERR_PACKAGE_PATH_NOT_EXPORTED' && byImport(specifier, require)
    if (resolved) return resolved
    throw error
  }
}

/** Looks up the specifier among the exports of its package, under the condition `import`. */
function byImport(specifier: string, require: NodeJS.Require): string | undefined {
  const { existsSync, readFileSync } = builtin('node:fs')
  const parts = specifier.split('/')
  const name = parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/')
  const subpath = `.${specifier.slice(name.length)}`
  for (const folder of require.resolve.paths(specifier) ?? []) {
    const root = join(folder, name)
    const manifest = join(root, 'package.json')
    if (!existsSync(manifest)) continue
    const { exports } = JSON.parse(readFileSync(manifest, 'utf8')) as Manifest
    const target = pick(isSubpathMap(exports) ? exports[subpath] : subpath === '.' ? exports : undefined)
    return target === undefined ? undefined : pathToFileURL(join(root, target)).href
  }
  return undefined
}

function isSubpathMap(exports: unknown): exports is Record<string, unknown> {
  return typeof exports === 'object' && exports !== null && Object.keys(exports).some((key) => key.startsWith('.'))
}

/** The first target whose conditions hold, in the order of the manifest. */
function pick(target: unknown): string | undefined {
  if (typeof target === 'string') return target
  if (Array.isArray(target)) return target.map(pick).find((found) => found !== undefined)
  if (typeof target !== 'object' || target === null) return undefined
  for (const [condition, inner] of Object.entries(target)) {
    if (condition !== 'import' && condition !== 'node' && condition !== 'default') continue
    const found = pick(inner)
    if (found !== undefined) return found
  }
  return undefined
}
