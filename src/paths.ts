// The places of the package's own files: the native addon and the entries of the processes that a pool starts.
//
// This file stays at the top of `src/`. The bundler puts the code that several entries share into chunks at the top of
// `dist/`, and from there `import.meta.url` has to lead to `../native/` and to the entries as well.

import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Loads the native addon. The generated loader chooses the binary for this platform. */
export function requireBinding(): typeof import('../native/binding.cjs') {
  return createRequire(import.meta.url)('../native/binding.cjs')
}

/** The folder of all entries. */
export function entryFolder(): string {
  return beside('/')
}

/** The program of a worker process. */
export function workerEntry(): string {
  return beside('worker/main.js')
}

/** The program of a fork server. */
export function serverEntry(): string {
  return beside('start/server/main.js')
}

// Without `URL`: a program may have replaced that global, and no folder lies below this file.
function beside(path: string): string {
  return join(dirname(fileURLToPath(import.meta.url)), path)
}
