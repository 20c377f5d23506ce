// Where the package's own files lie: the native addon and the entries of the processes that it starts.
//
// This file stays at the top of `src/`. The bundler puts what several entries share into chunks at the top of `dist/`,
// and there, too, `import.meta.url` has to lead to `../native/` and to the entries.

import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

/** Loads the native addon, through the loader that chooses the binary for this platform. */
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
