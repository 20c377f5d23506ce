// Fails unless all is there to publish: for every target a package with a binary, of the version of the main package,
// and a dependency of the main package on it. The tools that make these packages only warn when one is missing.

import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** @param {string} path */
const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'))

const root = join(import.meta.dirname, '..')
const main = readJson(join(root, 'package.json'))
const problems = []

const directory = join(root, 'npm')
const platforms = existsSync(directory) ? readdirSync(directory).toSorted() : []
const targets = main.napi.targets.length
if (platforms.length !== targets) {
  problems.push(
    `There are ${targets} targets in package.json and ${platforms.length} packages in npm/: ${platforms.join(', ')}`,
  )
}

for (const platform of platforms) {
  const manifest = readJson(join(directory, platform, 'package.json'))
  if (!existsSync(join(directory, platform, manifest.main)))
    problems.push(`npm/${platform}: ${manifest.main} is missing`)
  if (manifest.version !== main.version) {
    problems.push(`npm/${platform} has version ${manifest.version}, millrace has ${main.version}`)
  }
  if (main.optionalDependencies?.[manifest.name] !== main.version) {
    problems.push(`package.json does not depend on ${manifest.name} ${main.version}`)
  }
}

const entries = ['dist/index.js', 'index.d.ts', 'dist/streams/index.js', 'streams.d.ts']
for (const file of entries) {
  if (!existsSync(join(root, file))) problems.push(`${file} is missing`)
}
for (const script of ['preinstall', 'install', 'postinstall']) {
  if (main.scripts[script] !== undefined) problems.push(`package.json has an ${script} script, users would run it`)
}

if (problems.length > 0) {
  console.error(`Not ready to publish:\n  ${problems.join('\n  ')}`)
  process.exit(1)
}
console.log(`Ready to publish: millrace ${main.version} and its ${platforms.length} platform packages`)
