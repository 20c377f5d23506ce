// The native addon of each platform: the package that npm installs for it, and the binary that a clone builds.
//
// Each name stands whole in a `require`, so that tools which follow files (`@vercel/nft`, bundlers) find the binary.
// This file stays at the top of `src/`: the bundler puts the code that several entries share into chunks at the top of
// `dist/`, and from there `../native/` has to be the folder of binaries as well.

import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export type Binding = typeof import('../native/binding.cjs')

const require = createRequire(import.meta.url)

/** The platforms for which there are packages. */
export const PACKAGED: readonly string[] = [
  'linux-x64-gnu',
  'linux-arm64-gnu',
  'linux-x64-musl',
  'linux-arm64-musl',
  'darwin-x64',
  'darwin-arm64',
]

export function packageOf(target: string): string {
  return `@millrace/binding-${target}`
}

/** Loads the binary of a package. Throws what Node throws. */
export function requireInstalled(target: string): Binding {
  switch (target) {
    case 'linux-x64-gnu':
      return require('@millrace/binding-linux-x64-gnu')
    case 'linux-arm64-gnu':
      return require('@millrace/binding-linux-arm64-gnu')
    case 'linux-x64-musl':
      return require('@millrace/binding-linux-x64-musl')
    case 'linux-arm64-musl':
      return require('@millrace/binding-linux-arm64-musl')
    case 'darwin-x64':
      return require('@millrace/binding-darwin-x64')
    case 'darwin-arm64':
      return require('@millrace/binding-darwin-arm64')
    default:
      return require(packageOf(target))
  }
}

/** Where a clone builds the binary of a platform. A package that is published has no such file. */
export function builtBinary(target: string): string {
  return join(ownFolder(), '../native', `millrace.${target}.node`)
}

/** Loads the binary of {@link builtBinary}. Throws what Node throws. */
export function requireBuilt(target: string): Binding {
  switch (target) {
    case 'linux-x64-gnu':
      return require('../native/millrace.linux-x64-gnu.node')
    case 'linux-arm64-gnu':
      return require('../native/millrace.linux-arm64-gnu.node')
    case 'linux-x64-musl':
      return require('../native/millrace.linux-x64-musl.node')
    case 'linux-arm64-musl':
      return require('../native/millrace.linux-arm64-musl.node')
    case 'darwin-x64':
      return require('../native/millrace.darwin-x64.node')
    case 'darwin-arm64':
      return require('../native/millrace.darwin-arm64.node')
    default:
      return require(builtBinary(target))
  }
}

/** Loads a binary by its path. Throws what Node throws. */
export function requireBinary(path: string): Binding {
  return require(path)
}

/** The manifest of the package for a platform; undefined if the package is not installed, or cannot be read. */
export function installedManifest(target: string): { version?: unknown } | undefined {
  return manifest(`${packageOf(target)}/package.json`)
}

/** The file of this code, if a bundler has put this code into another package; undefined in the package itself. */
export function bundle(): string | undefined {
  return manifest('../package.json')?.name === 'millrace' ? undefined : fileURLToPath(import.meta.url)
}

function manifest(request: string): { name?: unknown; version?: unknown } | undefined {
  try {
    return require(request)
  } catch {
    return undefined
  }
}

function ownFolder(): string {
  return dirname(fileURLToPath(import.meta.url))
}
