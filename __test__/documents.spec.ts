// The code in the documents. Every program there runs, and prints what the comments in the program say.

import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { transform } from 'esbuild'
import { documents, type Program } from './helpers/documents.js'
import { tempDirectory } from './helpers/pool.js'
import { type Ended, run, writeFile } from './helpers/programs.js'

const all = documents()
const programs = all.flatMap((document) => document.programs)
const readme = all.find(({ name }) => name === 'README.md')!

/** Where the packages are that only benchmarks, and programs of other pools, need. */
const OTHER_PACKAGES = resolve('bench/node_modules')

const root = mkdtempSync(join(tmpdir(), 'millrace-documents-'))
test.after.always(() => rmSync(root, { recursive: true, force: true }))

const folderOf = (program: Program) => join(root, String(programs.indexOf(program)))

/** The errors of the compiler, which checks and compiles the programs in TypeScript all at once, for a strict user. */
let compiling: Promise<string>

test.before(() => {
  mkdirSync(join(root, 'node_modules'))
  symlinkSync(resolve('.'), join(root, 'node_modules/millrace'))
  for (const name of new Set(programs.flatMap(({ packages }) => packages))) {
    if (existsSync(join(OTHER_PACKAGES, name))) {
      symlinkSync(join(OTHER_PACKAGES, name), join(root, 'node_modules', name))
    }
  }
  writeFile(join(root, 'package.json'), '{ "type": "module" }')
  const compilerOptions = {
    target: 'es2022',
    lib: ['es2023', 'esnext.disposable'],
    module: 'nodenext',
    types: ['node'],
    typeRoots: [resolve('node_modules/@types')],
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: true,
  }
  writeFile(join(root, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*/*.ts'] }))
  for (const program of programs) {
    for (const [name, text] of Object.entries(program.files)) writeFile(join(folderOf(program), name), text)
  }
  const tsc = resolve('node_modules/typescript/bin/tsc')
  compiling = promisify(execFile)(process.execPath, [tsc, '-p', '.'], { cwd: root }).then(
    () => '',
    ({ stdout }) => String(stdout).replaceAll(/^(\d+)\//gm, (_, index) => `${programs[Number(index)]!.title}, `),
  )
})

test('the programs of the documents have the types that they show', async (t) => {
  t.is(await compiling, '')
})

for (const program of programs) {
  test(`${program.title} runs and prints what its comments say`, async (t) => {
    const missing = program.packages.find((name) => !existsSync(join(root, 'node_modules', name)))
    if (missing !== undefined) {
      t.log(`not run: ${missing} is not installed (scripts/setup-bench.sh)`)
      await parses(t, Object.values(program.files))
      return
    }
    if (program.main.endsWith('.ts')) await compiling
    const main = program.main.replace(/\.([cm]?)ts$/, '.$1js')
    check(t, program, await run(process.execPath, [main], { cwd: folderOf(program) }))
  })
}

test('what the documents show of programs is JavaScript or TypeScript', async (t) => {
  await parses(
    t,
    all.flatMap(({ fragments }) => fragments),
  )
})

test('the commands beside the first example of the README run it', async (t) => {
  const program = readme.programs[0]!
  const commands = readme.shell[0]!
  const folder = tempDirectory(t)
  symlinkSync(resolve('.'), join(folder, 'millrace'))
  for (const [name, text] of Object.entries(program.files)) writeFile(join(folder, 'hello', name), text)
  const env = { npm_config_offline: 'true', npm_config_audit: 'false', npm_config_loglevel: 'silent' }
  const { out, ...ended } = await run('bash', ['-ec', commands], { cwd: join(folder, 'hello'), env })
  check(t, program, { ...ended, out: out.split('\n').slice(-program.promised.length).join('\n') })
})

test('the README lists all pages, and links lead to files and headings', (t) => {
  for (const { name } of all.slice(1)) t.true(readme.links.includes(name), name)
  for (const { name, links } of all) {
    for (const link of links) {
      const [path, anchor] = link.split('#') as [string, string?]
      const target = path === '' ? name : join(dirname(name), path)
      t.true(existsSync(target), `${name}: ${link}`)
      const page = all.find((each) => each.name === target)
      if (anchor !== undefined && page !== undefined) t.true(page.anchors.includes(anchor), `${name}: ${link}`)
    }
  }
})

function check(t: ExecutionContext, program: Program, { code, out, errors }: Ended): void {
  t.is(code, 0, errors)
  const printed = out === '' ? [] : out.split('\n')
  if (program.promisesAll) {
    t.deepEqual(printed, program.promised)
    return
  }
  let found = 0
  for (const line of printed) if (line === program.promised[found]) found++
  t.deepEqual(program.promised.slice(found), [], `not printed, or not in this order. Printed:\n${out}`)
}

async function parses(t: ExecutionContext, texts: string[]): Promise<void> {
  for (const text of texts) await t.notThrowsAsync(transform(text, { loader: 'ts', format: 'esm' }), text)
}
