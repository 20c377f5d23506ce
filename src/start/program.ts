// The executable of workers and fork servers: a Node that runs the script it is given.

import { delimiter, isAbsolute, join, resolve } from 'node:path'

import { UnsupportedPlatformError } from '../errors/index.js'
import { builtin } from '../util/builtins.js'
import { ownVariable, type Variables } from '../util/variables.js'

/** The working directory in which the program began, as far as it can be known: relative paths count from there. */
export const firstDirectory = currentDirectory()

function currentDirectory(): string {
  try {
    return process.cwd()
  } catch {
    return '/' // The directory was removed.
  }
}

/** Properties of `process` by which pkg, nexe and boxednode tell a program that it is packed. */
const PACKERS = ['pkg', '__nexe', 'boxednode']

const ADVICE = 'Give the path of a Node executable by the option execPath'

/**
 * The path of the executable.
 *
 * @param given - The option `execPath`.
 * @param env - The environment of the workers.
 * @throws UnsupportedPlatformError when this process's own executable would run this program again.
 */
export function workerProgram(given: string | undefined, env: Variables): string {
  if (given !== undefined) return isAbsolute(given) ? given : (locate(given) ?? given)
  const instead = ownProgram(env)
  if (instead !== undefined) {
    throw new UnsupportedPlatformError(
      `Millrace cannot start workers by this process's own executable, ${process.execPath}: ${instead}, so each ` +
        `worker would run this program again. ${ADVICE}`,
      { missing: ['a Node executable'] },
    )
  }
  const { execPath } = process
  const found = ownLink() ?? (isAbsolute(execPath) ? execPath : (locate(process.argv0) ?? locate(execPath)))
  if (found !== undefined) return found
  throw new UnsupportedPlatformError(
    `Millrace does not find the executable of this process: process.execPath is '${execPath}', and there is no such ` +
      `file in PATH. ${ADVICE}`,
    { missing: ['a Node executable'] },
  )
}

/** What the executable of this process is, if it is known to be no plain Node. */
function ownProgram(env: Variables): string | undefined {
  if (isSingleExecutable()) return 'this is a single executable application'
  if (PACKERS.some((packer) => Object.hasOwn(process, packer))) return 'this program is packed into it'
  const { electron, nw } = process.versions
  if (nw !== undefined) return `this is NW.js ${nw}`
  if (electron === undefined) return undefined
  if (ownVariable(env, 'ELECTRON_RUN_AS_NODE') !== undefined) return undefined
  return `this is Electron ${electron}, and ELECTRON_RUN_AS_NODE is not set for the workers (by the option env)`
}

function isSingleExecutable(): boolean {
  try {
    return builtin('node:sea').isSea()
  } catch {
    return false // This Node has no such module.
  }
}

/**
 * The executable of this process, as Linux knows it; undefined when that file was replaced. Programs may set
 * `process.execPath` to a wrapper that runs the program, and without /proc Node knows only the name by which it was
 * started.
 */
function ownLink(): string | undefined {
  try {
    const path = builtin('node:fs').readlinkSync('/proc/self/exe')
    return isExecutable(path) ? path : undefined
  } catch {
    return undefined
  }
}

/** The executable with this name: a path, or a file in one of the folders of PATH. */
function locate(name: string): string | undefined {
  const first = (ownVariable(process.env, 'PATH') ?? '/usr/local/bin:/usr/bin:/bin').split(delimiter)
  const paths = name.includes('/') ? [resolve(firstDirectory, name)] : first.map((folder) => join(folder || '.', name))
  return paths.map((path) => resolve(firstDirectory, path)).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    const { accessSync, constants, statSync } = builtin('node:fs')
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
