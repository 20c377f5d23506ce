// Whether the entries of workers are where this code expects them: a bundler may have moved this code elsewhere.

import { UnsupportedPlatformError } from '../errors/index.js'
import { workerEntry } from '../paths.js'
import { builtin } from '../util/builtins.js'

let found = false

/** @throws UnsupportedPlatformError when there are no entries, because a bundler has put this code into a bundle. */
export function assertEntries(): void {
  if (found) return
  const entry = workerEntry()
  const { existsSync } = builtin('node:fs')
  // A loader may compile the sources on the way.
  found = existsSync(entry) || existsSync(entry.replace(/\.js$/, '.ts')) || mayNotLook(entry)
  if (found) return
  throw new UnsupportedPlatformError(
    'A bundler has put Millrace into a bundle, and workers start from the files of the package: there is no ' +
      `${entry}. Declare millrace as external, and install it where the bundle runs: --external:millrace (esbuild), ` +
      "external: ['millrace'] (Rollup, Rolldown), ssr: { external: ['millrace'] } (Vite), " +
      "externals: { millrace: 'module millrace' } (webpack, Rspack), --external millrace (ncc), " +
      "serverExternalPackages: ['millrace'] (Next.js)",
    { missing: ['the entry of workers'] },
  )
}

/** Whether the permission model hides the file. */
function mayNotLook(path: string): boolean {
  const { permission } = process as { permission?: { has(scope: string, reference: string): boolean } }
  return permission?.has('fs.read', path) === false
}
