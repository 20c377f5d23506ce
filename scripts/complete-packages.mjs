// Completes the manifests of a release, after napi has made the packages in npm/: the repository, which is that of the
// workflow (provenance needs it), in all packages; LICENSE and README in those of the platforms.

import { copyFileSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** @type {Record<string, string>} */
const SYSTEMS = { darwin: 'macOS', linux: 'Linux' }

const root = join(import.meta.dirname, '..')
const main = readJson(join(root, 'package.json'))
Object.assign(main, origin() ?? {})
writeJson(join(root, 'package.json'), main)

for (const name of readdirSync(join(root, 'npm'))) {
  const folder = join(root, 'npm', name)
  const manifest = readJson(join(folder, 'package.json'))
  const [library] = manifest.libc ?? []
  const platform = `${SYSTEMS[manifest.os[0]]} on ${manifest.cpu[0]}${library === undefined ? '' : ` with ${library}`}`
  const { license, engines, repository, homepage, bugs, publishConfig } = main
  Object.assign(manifest, { license, engines, repository, homepage, bugs, publishConfig })
  manifest.description = `The native addon of millrace for ${platform}.`
  delete manifest.keywords
  writeJson(join(folder, 'package.json'), manifest)
  copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'))
  writeFileSync(
    join(folder, 'README.md'),
    `# ${manifest.name}\n\nThe native addon of [millrace](https://www.npmjs.com/package/millrace), the process pool for ` +
      `Node.js, for ${platform}.\n\nIt is an optional dependency of \`millrace\`: \`npm install millrace\` installs ` +
      'it where it fits. Do not install it by itself.\n',
  )
}

/** Where the workflow that runs this lives; undefined elsewhere. */
function origin() {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository } = process.env
  if (server === undefined || repository === undefined) return undefined
  const url = `${server}/${repository}`
  return {
    repository: { type: 'git', url: `git+${url}.git` },
    homepage: `${url}#readme`,
    bugs: { url: `${url}/issues` },
  }
}

/** @param {string} path */
function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'))
}

/**
 * @param {string} path
 * @param {object} value
 */
function writeJson(path, value) {
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`)
}
