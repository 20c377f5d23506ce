// What npm has installed.

import { readFileSync } from 'node:fs'

/** @param {string} name */
export function version(name) {
  const manifest = new URL(`../node_modules/${name}/package.json`, import.meta.url)
  return `${name} ${JSON.parse(readFileSync(manifest, 'utf8')).version}, Node ${process.version}`
}

/**
 * The file that a contender's workers load.
 *
 * @param {string} name
 */
export const workerFile = (name) => new URL(`../workers/${name}.mjs`, import.meta.url)
