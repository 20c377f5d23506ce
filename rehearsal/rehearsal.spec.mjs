// The rehearsal of a release: the packages are made and published as the workflow does, to a registry on this machine,
// and installed in an empty project without a Rust toolchain. What is tested then is what users get.

import { execFile } from 'node:child_process'
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { nodeFileTrace } from '@vercel/nft'
import anyTest from 'ava'
import {
  makePackages,
  nameVersion,
  plainEnv,
  publish,
  root,
  script,
  startRegistry,
  target,
  version,
  work,
} from './release.mjs'

const test = anyTest.serial

/** @type {string} The packages. */
let tree
/** @type {string} */
let registry
/** @type {() => Promise<void>} */
let endRegistry
/** A folder outside of the repository, whose packages no test must find. */
const outside = mkdtempSync(join(realpathSync(tmpdir()), 'millrace-rehearsal-'))
/** A folder for PATH: Node and a shell, and so no cargo. */
const bin = join(outside, 'bin')
/** The project into which the package is installed. */
const project = join(outside, 'project')

test.before(async () => {
  mkdirSync(bin)
  symlinkSync(process.execPath, join(bin, 'node'))
  symlinkSync('/bin/sh', join(bin, 'sh'))
  ;({ registry, end: endRegistry } = await startRegistry())
})

test.after.always(async () => {
  await endRegistry?.()
  rmSync(outside, { recursive: true, force: true })
})

/** Runs a program to its end: its exit code, and what it prints. */
function run(program, args, { cwd = project, env = {} } = {}) {
  return new Promise((done) => {
    const given = { cwd, env: { ...plainEnv(), PATH: bin, ...env }, timeout: 120_000, killSignal: 'SIGKILL' }
    execFile(program, args, given, (error, stdout, stderr) => {
      done({ code: error === null ? 0 : (error.code ?? error.signal), out: stdout.trim(), errors: stderr })
    })
  })
}

/** The npm of this machine, run by the Node of PATH. */
function npm(cwd, ...args) {
  return run(join(bin, 'node'), [npmProgram(), ...args, '--no-audit', '--no-fund', `--registry=${registry}`], { cwd })
}

function npmProgram() {
  const { npm_execpath: given, PATH = '' } = process.env
  if (given !== undefined && basename(given) === 'npm-cli.js') return given
  const found = PATH.split(':').map((folder) => join(folder, 'npm'))
  return realpathSync(found.find((path) => existsSync(path)))
}

/** An empty project. */
function makeProject(folder) {
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), '{ "name": "project", "private": true }')
  cpSync(join(root, 'rehearsal/program'), folder, { recursive: true })
}

test('the packages are made as for a release', async (t) => {
  tree = await makePackages()
  const manifests = ['package.json', `npm/${target}/package.json`].map((path) => readJson(join(tree, path)))
  for (const manifest of manifests) {
    t.is(manifest.version, version)
    t.deepEqual(manifest.repository, { type: 'git', url: 'git+https://github.com/someone/millrace.git' })
  }
  t.deepEqual(manifests[0].optionalDependencies, { [`@millrace/binding-${target}`]: version })
})

test('a release that is not complete is refused, and the refusal names what is missing', async (t) => {
  const check = async () => (await t.throwsAsync(script(tree, 'publish.sh', ['--dry-run']))).message
  if (/^## Unreleased$/m.test(readFileSync(join(tree, 'CHANGELOG.md'), 'utf8'))) {
    t.true((await check()).includes(`CHANGELOG.md has no heading '## ${version}'`))
  }
  nameVersion(tree)
  const platform = `npm/${target}`
  /** What is broken at once: a file, a change of its text (undefined removes the file), and the refusals. */
  const rounds = [
    [
      ['package.json', (text) => text.replace('"repository"', '"x"'), /package.json has no repository/],
      [
        'Cargo.toml',
        (text) => text.replace(`version = "${version}"`, 'version = "9.9.9"'),
        /Cargo.toml has version 9.9.9/,
      ],
      ['src/native/version.ts', (text) => text.replace(version, '9.9.9'), /version.ts has version 9.9.9/],
      ['README.md', (text) => `${text}\n[x](docs/nowhere.md)\n`, /README.md links to docs\/nowhere.md/],
      ['dist/worker/main.js', () => undefined, /has no dist\/worker\/main.js/],
      [`${platform}/package.json`, (text) => text.replace(version, '9.9.9'), /npm\/.* has version 9.9.9/],
      [`${platform}/LICENSE`, () => undefined, /npm\/.* has no LICENSE/],
      [`${platform}/README.md`, () => 'x', /README.md does not name millrace/],
      [`${platform}/millrace.${target}.node`, () => undefined, /has no millrace\..*\.node/],
    ],
    [
      [
        'package.json',
        (text) => text.replace('someone/millrace.git', 'else/other.git').replace('"prepublishOnly"', '"postinstall"'),
        /package.json has the repository git\+https:\/\/github.com\/else/,
        /script postinstall, users would run it/,
      ],
      [
        `${platform}/package.json`,
        (text) => text.replace('"repository"', '"x"').replace('"os"', '"y"').replace('"provenance"', '"z"'),
        /npm\/.* has no repository/,
        /os is undefined/,
        /npm\/.* would be published without provenance/,
      ],
    ],
  ]
  for (const broken of rounds) {
    const whole = broken.map(([path]) => readFileSync(join(tree, path)))
    for (const [index, [path, edit]] of broken.entries()) {
      const text = edit(whole[index].toString('utf8'))
      if (text === undefined) rmSync(join(tree, path))
      else writeFileSync(join(tree, path), text)
      t.not(text, whole[index].toString('utf8'), path)
    }
    const refusal = await check()
    for (const [path, , ...parts] of broken) for (const part of parts) t.regex(refusal, part, path)
    for (const [index, [path]] of broken.entries()) writeFileSync(join(tree, path), whole[index])
  }
})

test('the packages are published, and a second attempt publishes nothing', async (t) => {
  const said = await publish(tree, registry)
  t.regex(said, new RegExp(`\\+ @millrace/binding-${target}@${version}`))
  t.regex(said, new RegExp(`\\+ millrace@${version}`))
  t.is((await publish(tree, registry)).match(/is published already/g)?.length, 2)
})

test('an empty project installs the package without a Rust toolchain, and runs nothing on the way', async (t) => {
  makeProject(project)
  t.is((await run(join(bin, 'sh'), ['-c', 'command -v cargo || command -v cc'])).out, '')
  const { code, errors } = await npm(project, 'install', 'millrace')
  t.is(code, 0, errors)
  t.deepEqual(
    readdirSync(join(project, 'node_modules'))
      .filter((name) => !name.startsWith('.'))
      .toSorted(),
    ['@millrace', 'millrace'],
  )
  t.deepEqual(readdirSync(join(project, 'node_modules/@millrace')), [`binding-${target}`])
})

/** The Nodes that scripts/setup-rehearsal.sh has installed, by their lines; the running one where there is none. */
const nodes = join(root, 'build/nodes')
const lines = (process.env.MILLRACE_REHEARSAL_LINES ?? '').split(' ').filter(Boolean)
const executables = [
  ['the running Node', process.execPath],
  ...lines.map((line) => [`Node ${line}`, join(nodes, line, `node_modules/node-linux-${process.arch}/bin/node`)]),
]
for (const [what, node] of executables) {
  test(`tasks of all three forms run by each start method: ${what}`, async (t) => {
    const { code, out, errors } = await run(node, ['main.mjs'])
    t.is(code, 0, errors)
    t.regex(out, /^spawn: 42,42,DONE/m)
    if (process.platform === 'linux') t.regex(out, /^forkserver: 42,42,DONE/m)
    t.regex(out, /all is well$/)
    t.log(out.split('\n')[0])
  })
}

test('the program runs from the packed packages, as in the containers of CI', async (t) => {
  const packages = join(work, 'packed')
  mkdirSync(packages)
  for (const folder of [tree, join(tree, 'npm', target)]) {
    t.is((await npm(folder, 'pack', '--ignore-scripts', `--pack-destination=${packages}`)).code, 0)
  }
  const env = { PATH: process.env.PATH, npm_config_registry: registry }
  const { code, out, errors } = await run('/bin/sh', [join(root, 'rehearsal/try.sh'), packages, target], { env })
  t.is(code, 0, errors)
  t.regex(out, /all is well$/)
})

/** The error of an import of the package, in JSON. */
const IMPORT = `
try {
  await import('millrace')
  console.log('{}')
} catch ({ name, code, reason, message }) {
  console.log(JSON.stringify({ name, code, reason, message }))
}
`

async function importError(t, folder, program, ...args) {
  writeFileSync(join(folder, 'import.mjs'), IMPORT)
  const { out, errors } = await run(program, [...args, 'import.mjs'], { cwd: folder })
  t.regex(out, /^\{/, errors)
  const error = JSON.parse(out)
  t.is(error.code, 'ERR_MILLRACE_BINDING', out)
  t.log(error.message)
  return error
}

test('a package that npm was told to leave out is named by the import', async (t) => {
  const folder = join(outside, 'left-out')
  makeProject(folder)
  t.is((await npm(folder, 'install', 'millrace', '--omit=optional')).code, 0)
  const { reason, message } = await importError(t, folder, process.execPath)
  t.is(reason, 'missing')
  t.regex(message, /--omit=optional/)
})

test('an installation for another platform lacks the package, and the import says so', async (t) => {
  const folder = join(outside, 'elsewhere')
  makeProject(folder)
  t.is((await npm(folder, 'install', 'millrace', '--os=win32', '--cpu=x64')).code, 0)
  t.is((await importError(t, folder, process.execPath)).reason, 'missing')
})

const runtimes = [
  ['Bun', `@oven/bun-linux-${process.arch === 'arm64' ? 'aarch64' : process.arch}/bin/bun`, /in Bun \d/],
  ['Deno', `@deno/linux-${process.arch}-glibc/deno`, /in Deno \d/, 'run', '--allow-all'],
]
for (const [what, path, message, ...args] of process.platform === 'linux' ? runtimes : []) {
  test(`${what} is refused by the import, and does not abort`, async (t) => {
    const error = await importError(t, project, join(root, 'rehearsal/node_modules', path), ...args)
    t.is(error.reason, 'runtime')
    t.regex(error.message, message)
  })
}

for (const line of (process.env.MILLRACE_REHEARSAL_OLD ?? '').split(' ').filter(Boolean)) {
  test(`an old Node is refused by the import: ${line}`, async (t) => {
    const node = join(nodes, line, `node_modules/node-linux-${process.arch}/bin/node`)
    const error = await importError(t, project, node)
    t.is(error.reason, 'runtime')
    t.regex(error.message, /Millrace needs Node.js 20.19 or newer/)
  })
}

test('a program that is copied with the files that @vercel/nft finds runs', async (t) => {
  const { fileList } = await nodeFileTrace([join(project, 'main.mjs')], { base: project })
  t.true(fileList.has(`node_modules/@millrace/binding-${target}/millrace.${target}.node`), [...fileList].join('\n'))
  const folder = join(outside, 'traced')
  for (const file of [...fileList, 'tasks.mjs', 'jobs.mjs']) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    copyFileSync(join(project, file), join(folder, file))
  }
  const { code, out, errors } = await run(process.execPath, ['main.mjs'], { cwd: folder })
  t.is(code, 0, errors)
  t.regex(out, /all is well$/)
})

test('publint has nothing to say', async (t) => {
  const program = join(root, 'rehearsal/node_modules/publint/src/cli.js')
  const tarball = readdirSync(join(work, 'packed')).find((name) => /^millrace-\d/.test(name))
  const { code, out, errors } = await run(process.execPath, [program, 'run', join(work, 'packed', tarball), '--strict'])
  t.is(code, 0, out + errors)
  t.regex(out, /All good/)
})

test('the types are right for each way to import the package', async (t) => {
  const program = join(root, 'rehearsal/node_modules/@arethetypeswrong/cli/dist/index.js')
  const tarball = readdirSync(join(work, 'packed')).find((name) => /^millrace-\d/.test(name))
  const args = [program, join(work, 'packed', tarball), '--profile', 'esm-only', '--no-color']
  const { code, out, errors } = await run(process.execPath, args)
  t.is(code, 0, out + errors)
  t.regex(out, /"millrace\/streams"/)
})

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'))
}
