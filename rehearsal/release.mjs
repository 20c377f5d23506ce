// A release, as the workflow makes it, from a copy of this checkout and with the binary of this machine alone; and the
// registry to which it is published.

import { execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

export const root = resolve(import.meta.dirname, '..')
export const work = join(root, 'build/rehearsal')
export const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** The platform of this machine's binary, as napi names it. */
export const target = readdirSync(join(root, 'native'))
  .find((file) => /^millrace\..*\.node$/.test(file) && file.includes(`${process.platform}-${process.arch}`))
  ?.split('.')[1]

const TRIPLES = {
  'linux-x64-gnu': 'x86_64-unknown-linux-gnu',
  'linux-arm64-gnu': 'aarch64-unknown-linux-gnu',
  'linux-x64-musl': 'x86_64-unknown-linux-musl',
  'linux-arm64-musl': 'aarch64-unknown-linux-musl',
  'darwin-x64': 'x86_64-apple-darwin',
  'darwin-arm64': 'aarch64-apple-darwin',
}

const WORKFLOW = { GITHUB_SERVER_URL: 'https://github.com', GITHUB_REPOSITORY: 'someone/millrace' }

/** Copies what a release is made of, and makes the packages by the scripts of the workflow. Returns the folder. */
export async function makePackages() {
  const tree = join(work, 'tree')
  rmSync(work, { recursive: true, force: true })
  mkdirSync(tree, { recursive: true })
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], { cwd: root })
  for (const file of listed.toString().split('\0').filter(Boolean)) {
    cpSync(join(root, file), join(tree, file), { recursive: true, force: true })
  }
  cpSync(join(root, 'dist'), join(tree, 'dist'), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'))
  const artifacts = join(work, 'artifacts/binding')
  cpSync(join(root, `native/millrace.${target}.node`), join(artifacts, `millrace.${target}.node`))

  change(join(tree, 'package.json'), (text) => {
    const manifest = JSON.parse(text)
    manifest.napi.targets = [TRIPLES[target]]
    return JSON.stringify(manifest, null, 2)
  })
  await script(tree, 'collect-bindings.sh', [dirname(artifacts)])
  return tree
}

/** Names the version in the CHANGELOG, as a release has to. */
export function nameVersion(tree) {
  change(join(tree, 'CHANGELOG.md'), (text) => text.replace(/^## Unreleased$/m, `## ${version}`))
}

/** Publishes the packages to the registry. */
export async function publish(tree, registry) {
  const env = { npm_config_registry: registry, NODE_AUTH_TOKEN: 'a-token' }
  return await script(tree, 'publish.sh', ['--provenance=false'], env)
}

/** Runs a script of the copy. What it prints is in the error if it fails. */
export async function script(tree, name, args = [], env = {}) {
  const options = { cwd: tree, env: { ...plainEnv(), ...WORKFLOW, ...env } }
  try {
    const { stdout, stderr } = await promisify(execFile)('bash', [join(tree, 'scripts', name), ...args], options)
    return stdout + stderr
  } catch (error) {
    throw new Error(`${name}: ${error.stdout}${error.stderr}`, { cause: error })
  }
}

/** A registry that knows nobody else: Verdaccio, on a port of its own. Returns its URL, and what ends it. */
export async function startRegistry() {
  const storage = join(work, 'registry')
  mkdirSync(storage, { recursive: true })
  writeFileSync(
    join(storage, 'config.yaml'),
    `storage: ./storage
uplinks: {}
packages:
  'millrace': { access: $all, publish: $all }
  '@millrace/*': { access: $all, publish: $all }
web: { enable: false }
log: { type: stdout, format: json, level: error }
`,
  )
  const port = await freePort()
  const registry = `http://127.0.0.1:${port}/`
  const program = join(root, 'rehearsal/node_modules/verdaccio/bin/verdaccio')
  const args = [program, '--config', join(storage, 'config.yaml'), '--listen', `127.0.0.1:${port}`]
  const server = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], env: plainEnv() })
  let said = ''
  for (const stream of [server.stdout, server.stderr]) stream.on('data', (text) => (said += text))
  const ended = once(server, 'exit')
  process.once('exit', () => server.kill('SIGKILL'))
  while (!(await answers(registry))) {
    if (server.exitCode !== null) throw new Error(`the registry does not start: ${said}`)
    await sleep(100)
  }
  return {
    registry,
    async end() {
      server.kill('SIGKILL')
      await ended
    },
  }
}

/** The environment without what npm and the test runner put into it. */
export function plainEnv() {
  const kept = Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_|GITHUB_|AVA|CI$)/i.test(name))
  const npm = { cache: join(work, 'cache'), noproxy: '127.0.0.1', update_notifier: 'false' }
  const settings = Object.entries(npm).map(([name, value]) => [`npm_config_${name}`, value])
  return Object.fromEntries([...kept, ...settings])
}

async function answers(registry) {
  try {
    return (await fetch(`${registry}-/ping`)).ok
  } catch {
    return false
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

function change(path, edit) {
  writeFileSync(path, edit(readFileSync(path, 'utf8')))
}
