// Programs that cannot load the native addon: each learns what the cause is, and what to do. The package lies in a
// folder of its own in each test, as npm would install it.

import { copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import anyTest, { type ExecutionContext } from 'ava'
import { build } from 'esbuild'
import { tempDirectory } from './helpers/pool.js'
import { run, writeFile } from './helpers/programs.js'

const test = anyTest.serial

const binary = readdirSync('native').find((file) => file.endsWith('.node'))!
/** The platform of the binary that was built here. */
const target = binary.split('.')[1]!
const other = target.startsWith('linux') ? 'darwin-arm64' : 'linux-x64-gnu'

/** Prints what becomes of the import: the fields of the error, or the result of a call. */
const PROGRAM = `
try {
  const { ProcessPoolExecutor } = await import('millrace')
  const pool = new ProcessPoolExecutor({ maxWorkers: 1 })
  console.log(JSON.stringify({ result: await pool.submit((x) => x, 42) }))
  await pool.shutdown()
} catch (error) {
  const { name, code, reason, message, cause } = error
  const why = cause && { code: cause.code, message: cause.message }
  console.log(JSON.stringify({ name, code, reason, message, cause: why }))
}
`

type Said = Record<'name' | 'code' | 'reason' | 'message', string> & {
  cause?: Record<'code' | 'message', string>
  result?: number
}

/** A folder with a program and the package, and of the platform packages those that are named, each with its files. */
function install(t: ExecutionContext, platforms: Record<string, (folder: string) => void>): string {
  const folder = tempDirectory(t)
  const modules = join(folder, 'node_modules')
  cpSync('dist', join(modules, 'millrace/dist'), { recursive: true })
  copyFileSync('package.json', join(modules, 'millrace/package.json'))
  for (const [platform, fill] of Object.entries(platforms)) {
    const path = join(modules, '@millrace', `binding-${platform}`)
    mkdirSync(path, { recursive: true })
    const manifest = { name: `@millrace/binding-${platform}`, version: '0.1.0', main: `millrace.${platform}.node` }
    writeFileSync(join(path, 'package.json'), JSON.stringify(manifest))
    fill(join(path, manifest.main))
  }
  writeFile(join(folder, 'main.mjs'), PROGRAM)
  return folder
}

const whole = (path: string) => copyFileSync(join('native', binary), path)
const none = () => {}

/** The binary with other bytes in the place of these. */
const changed = (from: string, to: string) => (path: string) => {
  const bytes = readFileSync(join('native', binary))
  const at = bytes.indexOf(from)
  if (at < 0 || from.length !== to.length) throw new Error(`${from} is not in the binary`)
  bytes.write(to, at, 'latin1')
  writeFileSync(path, bytes)
}

async function start(folder: string, args: string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Said> {
  const clean = { NAPI_RS_NATIVE_LIBRARY_PATH: '', ...env }
  const { out, errors } = await run(process.execPath, [...args, 'main.mjs'], { cwd: folder, env: clean })
  try {
    return JSON.parse(out)
  } catch {
    throw new Error(`${out}\n${errors}`)
  }
}

/** The import fails for this reason, and the message has these parts. */
function failsWith(t: ExecutionContext, said: Said, reason: string, ...parts: (RegExp | string)[]): void {
  t.is(said.name, 'BindingError', JSON.stringify(said))
  t.is(said.code, 'ERR_MILLRACE_BINDING')
  t.is(said.reason, reason, said.message)
  for (const part of parts) {
    t.true(typeof part === 'string' ? said.message.includes(part) : part.test(said.message), `${said.message}: ${part}`)
  }
  t.notRegex(said.message, /undefined|\[object/)
  t.log(said.message)
}

test('the package of this platform is loaded, by the program and by its workers', async (t) => {
  t.is((await start(install(t, { [target]: whole }))).result, 42)
})

test('a package that was left out is named, with the options that leave it out', async (t) => {
  const said = await start(install(t, {}))
  failsWith(t, said, 'missing', `@millrace/binding-${target} is not installed`, '--omit=optional', 'lockfile')
  t.is(said.cause?.code, 'MODULE_NOT_FOUND')
})

test('a node_modules of another system is told from a package that was left out', async (t) => {
  const said = await start(install(t, { [other]: whole }))
  failsWith(t, said, 'missing', `@millrace/binding-${other} is`, 'another system')
  t.notRegex(said.message, /--omit/)
})

test('a package without its binary is said to be damaged', async (t) => {
  const said = await start(install(t, { [target]: none }))
  failsWith(t, said, 'damaged', `@millrace/binding-${target} is installed, but not whole`, 'install again')
})

test('a binary that is cut off is said to be damaged, with the words of the loader', async (t) => {
  const cut = (path: string) => writeFileSync(path, readFileSync(join('native', binary)).subarray(0, 100))
  const said = await start(install(t, { [target]: cut }))
  failsWith(t, said, 'damaged', said.cause!.message.split('\n')[0]!, 'damaged')
  t.is(said.cause?.code, 'ERR_DLOPEN_FAILED')
})

test('a file that is no binary is said to be damaged', async (t) => {
  const said = await start(install(t, { [target]: (path) => writeFileSync(path, 'x'.repeat(10_000)) }))
  failsWith(t, said, 'damaged', said.cause!.message.split('\n')[0]!)
})

if (target.endsWith('-gnu')) {
  test('a binary for another C library is told by what the loader misses', async (t) => {
    const said = await start(install(t, { [target]: changed('libgcc_s.so.1', 'libc.musl-x86') }))
    failsWith(t, said, 'library', '"libc.musl-x86: cannot open shared object file', 'musl, as in Alpine')
    t.is(said.cause?.code, 'ERR_DLOPEN_FAILED')
  })

  test('a binary for musl is told from a damaged one, though the loader finds a text in the place of its library', async (t) => {
    const said = await start(install(t, { [target]: changed('libgcc_s.so.1', 'libc.so\0\0\0\0\0\0') }))
    failsWith(t, said, 'library', 'libc.so: ', 'musl, as in Alpine')
  })

  test('a C library that is too old is told by the version that the loader misses', async (t) => {
    const said = await start(install(t, { [target]: changed('GLIBC_2.14', 'GLIBC_9.99') }))
    failsWith(t, said, 'library', "`GLIBC_9.99' not found", 'glibc 2.17 or newer')
  })

  test('a library that is missing is named in the words of the loader', async (t) => {
    const said = await start(install(t, { [target]: changed('libgcc_s.so.1', 'libgcc_9.so.1') }))
    failsWith(t, said, 'library', '"libgcc_9.so.1: cannot open shared object file', 'install that library')
    t.notRegex(said.message, /Alpine/)
  })
}

for (const [title, version] of [
  ['of another version', `() => '0.0.9'`],
  ['that does not know its version', 'undefined'],
] as const) {
  test(`a package ${title} is refused`, async (t) => {
    const fake = (path: string) => {
      const real = JSON.stringify(resolve('native', binary))
      writeFileSync(`${path}.js`, `module.exports = { ...require(${real}), bindingVersion: ${version} }`)
      const manifest = join(path, '..', 'package.json')
      writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('.node"', '.node.js"'))
    }
    const said = await start(install(t, { [target]: fake }))
    const { version: own } = JSON.parse(readFileSync('package.json', 'utf8'))
    failsWith(t, said, 'version', `@millrace/binding-${target} is of`, `millrace is of version ${own}`)
    if (version !== 'undefined') t.true(said.message.includes('version 0.0.9'))
  })
}

for (const [args, env] of [
  [['--no-addons'], {}],
  [[], { NODE_OPTIONS: '--no-addons' }],
] as const) {
  test(`Node without addons is named: ${args.join(' ') || 'by NODE_OPTIONS'}`, async (t) => {
    const said = await start(install(t, { [target]: whole }), [...args], env)
    failsWith(t, said, 'permission', 'started with --no-addons')
    t.is(said.cause?.code, 'ERR_DLOPEN_DISABLED')
  })
}

const permission = process.allowedNodeEnvironmentFlags.has('--permission')
  ? '--permission'
  : '--experimental-permission'

test('the permission model without addons is named, with the option to add', async (t) => {
  const said = await start(install(t, { [target]: whole }), [permission, '--allow-fs-read=*'])
  failsWith(t, said, 'permission', 'permission model', '--allow-addons')
  t.notRegex(said.message, /--no-addons/)
})

// Node 20 lets `require` read what it likes.
if (permission === '--permission') {
  test('the permission model without the right to read the binary is named', async (t) => {
    const folder = install(t, { [target]: whole })
    const read = ['main.mjs', 'node_modules/millrace/'].map((path) => `--allow-fs-read=${join(folder, path)}`)
    const said = await start(folder, [permission, '--allow-addons', ...read])
    failsWith(t, said, 'permission', `may not read ${folder}`, '--allow-fs-read')
  })
}

test('a thread without addons is told so', async (t) => {
  const folder = install(t, { [target]: whole })
  writeFile(join(folder, 'thread.mjs'), PROGRAM)
  const program =
    "import { Worker } from 'node:worker_threads'\n new Worker('./thread.mjs', { execArgv: ['--no-addons'] })"
  writeFile(join(folder, 'main.mjs'), program)
  failsWith(t, await start(folder), 'permission', 'in execArgv of a thread')
})

const pretences: Record<string, { platform?: string; arch?: string; parts: (string | RegExp)[] }> = {
  Windows: { platform: 'win32', parts: ['no binary for Windows', 'WSL 2'] },
  'a 32 bit Node': { arch: 'arm', parts: ['32 bit program', 'install a 64 bit Node.js'] },
  FreeBSD: { platform: 'freebsd', parts: ['no binary for this platform', 'npm run build'] },
  'another processor': { arch: 'riscv64', parts: ['no binary for this platform', 'npm run build'] },
}
for (const [what, { parts, ...pretence }] of Object.entries(pretences)) {
  test(`a platform without a binary is named: ${what}`, async (t) => {
    const folder = install(t, { [target]: whole })
    const properties = Object.entries(pretence).map(([name, value]) => `${name}: { value: '${value}' }`)
    writeFile(join(folder, 'pretend.cjs'), `Object.defineProperties(process, { ${properties.join(', ')} })`)
    const { platform = process.platform, arch = process.arch } = pretence
    failsWith(t, await start(folder, ['-r', './pretend.cjs']), 'platform', `on ${platform}-${arch}`, ...parts)
  })
}

for (const [what, versions, part] of [
  ['Bun', { bun: '1.4.5' }, 'Bun 1.4.5'],
  ['Deno', { deno: '2.9.6' }, 'Deno 2.9.6'],
  ['an old Node', { node: '20.18.3' }, 'this is Node.js 20.18.3'],
  ['a very old Node', { node: '18.20.8' }, 'this is Node.js 18.20.8'],
] as const) {
  test(`a runtime is refused before the addon is loaded: ${what}`, async (t) => {
    const folder = install(t, { [target]: (path) => writeFileSync(path, 'never loaded') })
    const pretend = `Object.defineProperty(process, 'versions', { value: { ...process.versions, ...${JSON.stringify(versions)} } })`
    writeFile(join(folder, 'pretend.cjs'), pretend)
    failsWith(t, await start(folder, ['-r', './pretend.cjs']), 'runtime', part, '20.19 or newer')
  })
}

test('the file that NAPI_RS_NATIVE_LIBRARY_PATH names is loaded, or named in the error', async (t) => {
  const folder = install(t, {})
  t.is((await start(folder, [], { NAPI_RS_NATIVE_LIBRARY_PATH: resolve('native', binary) })).result, 42)
  const said = await start(folder, [], { NAPI_RS_NATIVE_LIBRARY_PATH: '/nowhere/x.node' })
  failsWith(t, said, 'missing', 'there is no /nowhere/x.node, which NAPI_RS_NATIVE_LIBRARY_PATH names')
})

for (const format of ['esm', 'cjs'] as const) {
  test(`a bundle that has Millrace in it learns to keep the package external: ${format}`, async (t) => {
    const folder = install(t, { [target]: whole })
    writeFile(join(folder, 'main.mjs'), `const main = async () => {${PROGRAM}}\nmain()\n`)
    const outfile = join(tempDirectory(t), format === 'esm' ? 'main.mjs' : 'main.cjs')
    const options = { bundle: true, platform: 'node', format, logLevel: 'silent' } as const
    await build({ ...options, entryPoints: [join(folder, 'main.mjs')], outfile })
    const { out } = await run(process.execPath, [outfile], { cwd: folder })
    failsWith(t, JSON.parse(out), 'bundled', 'bundler', format === 'esm' ? outfile : 'CommonJS', 'external')
  })
}
