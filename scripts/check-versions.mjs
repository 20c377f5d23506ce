// Fails unless the version is the same wherever it stands: in package.json and its lockfile, in Cargo.toml and its
// lockfile, and in the source. With the argument --set it is written there from package.json: `npm version` does so.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')

/** Each place of the version: a file, and the text around. npm itself writes its lockfile. */
const PLACES = [
  { file: 'package-lock.json', pattern: /(\n  "version": ")([^"]*)/ },
  { file: 'Cargo.toml', pattern: /(\[workspace\.package\]\nversion = ")([^"]*)/ },
  { file: 'src/native/version.ts', pattern: /(VERSION = ')([^']*)/ },
  ...['killer', 'node', 'pool', 'ring', 'sys'].map((crate) => ({
    file: 'Cargo.lock',
    pattern: new RegExp(`(\\nname = "millrace-${crate}"\\nversion = ")([^"]*)`),
  })),
]

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
for (const { file, pattern } of PLACES) {
  const path = join(root, file)
  const text = readFileSync(path, 'utf8')
  const found = pattern.exec(text)?.[2]
  if (found === version) continue
  if (process.argv[2] === '--set' && found !== undefined) {
    writeFileSync(
      path,
      text.replace(pattern, (_, before) => before + version),
    )
  } else {
    console.error(`${file} has version ${found}, package.json has ${version}: node scripts/check-versions.mjs --set`)
    process.exitCode = 1
  }
}
