// The places of the package's own files: the entries of the processes that a pool starts.
//
// This file stays at the top of `src/`. The bundler puts the code that several entries share into chunks at the top of
// `dist/`, and from there `import.meta.url` has to lead to the entries as well. Each path stands whole in one
// expression, so that tools which follow files (`@vercel/nft`) find the entries. Without `URL`: a program may have
// replaced that global.

import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of all entries, with a separator at its end. */
export function entryFolder(): string {
  return `${dirname(fileURLToPath(import.meta.url))}/`
}

/** The program of a worker process. */
export function workerEntry(): string {
  return join(dirname(fileURLToPath(import.meta.url)), 'worker/main.js')
}

/** The program of a fork server. */
export function serverEntry(): string {
  return join(dirname(fileURLToPath(import.meta.url)), 'start/server/main.js')
}
