// The places of the package's own files: the native addon and the entries of the processes that a pool starts.
//
// This file stays at the top of `src/`. The bundler puts the code that several entries share into chunks at the top of
// `dist/`, and from there `import.meta.url` has to lead to `../native/` and to the entries as well.

import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

/** Loads the native addon. The generated loader chooses the binary for this platform. */
export function requireBinding(): typeof import('../native/binding.cjs') {
  return createRequire(import.meta.url)('../native/binding.cjs')
}

/** The program of a worker process. */
export function workerEntry(): string {
  return fileURLToPath(new URL('./worker/main.js', import.meta.url))
}

/** The program of a fork server. */
export function serverEntry(): string {
  return fileURLToPath(new URL('./start/server/main.js', import.meta.url))
}
