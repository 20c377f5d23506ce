// The binding with the fault points, which programs load in place of the plain one.

import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Builds the binding unless it is there. Returns its path. */
export async function faultsBinding(): Promise<string> {
  await promisify(execFile)('bash', [join(root, 'scripts/build-faults.sh')], { cwd: root })
  const directory = join(root, 'build/faults')
  return join(directory, readdirSync(directory).find((file) => file.endsWith('.node')) ?? 'missing')
}
