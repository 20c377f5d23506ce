// Fails unless all is there to publish. The tools that make the packages only warn when one is missing. With the
// argument --unreleased the CHANGELOG may lack the version: so branches are checked.

import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

/** For each target of napi: the platform, as napi names it, and what its package has to say about it. */
const TARGETS = {
  'x86_64-unknown-linux-gnu': { name: 'linux-x64-gnu', os: 'linux', cpu: 'x64', libc: 'glibc' },
  'aarch64-unknown-linux-gnu': { name: 'linux-arm64-gnu', os: 'linux', cpu: 'arm64', libc: 'glibc' },
  'x86_64-unknown-linux-musl': { name: 'linux-x64-musl', os: 'linux', cpu: 'x64', libc: 'musl' },
  'aarch64-unknown-linux-musl': { name: 'linux-arm64-musl', os: 'linux', cpu: 'arm64', libc: 'musl' },
  'x86_64-apple-darwin': { name: 'darwin-x64', os: 'darwin', cpu: 'x64', libc: undefined },
  'aarch64-apple-darwin': { name: 'darwin-arm64', os: 'darwin', cpu: 'arm64', libc: undefined },
}

const root = join(import.meta.dirname, '..')
const main = readJson('package.json')
/** @type {string[]} */
const problems = []

const platforms = existsSync(join(root, 'npm')) ? readdirSync(join(root, 'npm')).toSorted() : []
const packed = packedFiles(['.', ...platforms.map((name) => `npm/${name}`)])

checkVersions()
checkMain()
checkRepository('package.json', main)
for (const target of main.napi.targets) checkPlatform(target)
if (platforms.length !== main.napi.targets.length) {
  problems.push(`package.json has ${main.napi.targets.length} targets, npm/ has the packages ${platforms.join(', ')}`)
}

if (problems.length > 0) {
  console.error(`Not ready to publish:\n  ${problems.join('\n  ')}`)
  process.exit(1)
}
console.log(`Ready to publish: millrace ${main.version} and its ${platforms.length} platform packages`)

/** The version is the same everywhere, and the CHANGELOG has a section for it. */
function checkVersions() {
  try {
    execFileSync(process.execPath, [join(import.meta.dirname, 'check-versions.mjs')], { stdio: 'pipe' })
  } catch (error) {
    problems.push(
      ...String(/** @type {any} */ (error).stderr)
        .trim()
        .split('\n'),
    )
  }
  if (process.argv[2] === '--unreleased') return
  const headings = readFileSync(join(root, 'CHANGELOG.md'), 'utf8').match(/^## .*/gm) ?? []
  const hasVersion = headings.some((heading) => /^## \[?([^\s\]]+)/.exec(heading)?.[1] === main.version)
  if (!hasVersion) problems.push(`CHANGELOG.md has no heading '## ${main.version}'`)
}

/** The main package runs nothing when it is installed. Its tarball has what it needs, and what its pages link to. */
function checkMain() {
  for (const script of ['preinstall', 'install', 'postinstall', 'prepare']) {
    if (main.scripts[script] !== undefined) problems.push(`package.json has a script ${script}, users would run it`)
  }
  const files = packed.get(main.name) ?? []
  const entries = ['dist/index.js', 'index.d.ts', 'dist/streams/index.js', 'streams.d.ts']
  for (const file of [...entries, 'dist/worker/main.js', 'dist/start/server/main.js', 'LICENSE', 'CHANGELOG.md']) {
    if (!files.includes(file)) problems.push(`the tarball of millrace has no ${file}`)
  }
  for (const page of files.filter((file) => /^[A-Z]+\.md$/.test(file))) {
    for (const [, link = ''] of readFileSync(join(root, page), 'utf8').matchAll(/\]\(([^)#\s]+)/g)) {
      if (/^[a-z]+:/.test(link)) continue
      const file = normalize(join(dirname(page), link))
      if (!files.includes(file)) problems.push(`${page} links to ${file}, and the tarball of millrace has no such file`)
    }
  }
}

/** @param {string} target - As napi names it. */
function checkPlatform(target) {
  const expected = TARGETS[/** @type {keyof typeof TARGETS} */ (target)]
  if (expected === undefined) return problems.push(`the target ${target} is unknown here`)
  const folder = `npm/${expected.name}`
  if (!existsSync(join(root, folder, 'package.json'))) return problems.push(`${folder} is missing`)
  const manifest = readJson(`${folder}/package.json`)
  if (manifest.version !== main.version) {
    problems.push(`${folder} has version ${manifest.version}, millrace has ${main.version}`)
  }
  if (main.optionalDependencies?.[manifest.name] !== main.version) {
    problems.push(`package.json does not depend on ${manifest.name} ${main.version}`)
  }
  for (const field of /** @type {const} */ (['os', 'cpu', 'libc'])) {
    const values = expected[field] === undefined ? undefined : [expected[field]]
    if (String(manifest[field]) !== String(values)) problems.push(`${folder}: ${field} is ${manifest[field]}`)
  }
  const files = packed.get(manifest.name) ?? []
  for (const file of [manifest.main, 'LICENSE', 'README.md']) {
    if (!files.includes(file)) problems.push(`the tarball of ${folder} has no ${file}`)
  }
  const readme = join(root, folder, 'README.md')
  if (!existsSync(readme) || !readFileSync(readme, 'utf8').includes('npm install millrace')) {
    problems.push(`${folder}: README.md does not name millrace`)
  }
  checkRepository(folder, manifest)
  return undefined
}

/**
 * Provenance needs the repository, and npm compares it with that of the workflow.
 *
 * @param {string} where
 * @param {{ repository?: { url?: string }, publishConfig?: { provenance?: boolean } }} manifest
 */
function checkRepository(where, { repository, publishConfig }) {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: name } = process.env
  const url = repository?.url
  if (url === undefined)
    problems.push(`${where} has no repository: scripts/complete-packages.mjs sets it in a workflow`)
  else if (name !== undefined && url !== `git+${server}/${name}.git`) {
    problems.push(`${where} has the repository ${url}, and the workflow is that of ${server}/${name}`)
  }
  if (publishConfig?.provenance !== true) problems.push(`${where} would be published without provenance`)
}

/**
 * What the tarball of each package holds, by the name of the package.
 *
 * @param {string[]} folders
 * @returns {Map<string, string[]>}
 */
function packedFiles(folders) {
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts', ...folders.map((folder) => `./${folder}`)]
  const said = execFileSync('npm', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  /** @type {{ name: string, files: { path: string }[] }[]} */
  const tarballs = Object.values(JSON.parse(said))
  return new Map(tarballs.map(({ name, files }) => [name, files.map(({ path }) => path)]))
}

/** @param {string} path */
function readJson(path) {
  return JSON.parse(readFileSync(join(root, path), 'utf8'))
}
