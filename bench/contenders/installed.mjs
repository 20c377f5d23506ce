// The versions of installed packages, and the files that workers load.

import { existsSync, readFileSync } from 'node:fs'

import { NotHere } from './index.mjs'

/**
 * @param {string} name - A package.
 * @throws NotHere
 */
export function versionOf(name) {
  const manifest = new URL(`../node_modules/${name}/package.json`, import.meta.url)
  if (!existsSync(manifest)) throw new NotHere('not installed: npm ci in bench/')
  return `${name} ${JSON.parse(readFileSync(manifest, 'utf8')).version}, Node ${process.version}`
}

/**
 * The file that a contender's workers load.
 *
 * @param {string} name
 */
export const workerFile = (name) => new URL(`../workers/${name}.mjs`, import.meta.url)
