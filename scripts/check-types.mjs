// Compiles the type tests as users do: with each TypeScript of `__test__/tools`, each way to resolve modules, and
// several libraries and versions of @types/node. Prints a line for each compiler, and what does not compile.

import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const tools = join(root, '__test__/tools/node_modules')
const folder = join(root, 'build/types')

/**
 * Each value occurs, not each combination. @types/node 26 is for TypeScript 5.6 and newer.
 *
 * @type {{ moduleResolution: string; module: string; lib: string[]; types: number }[]}
 */
const SETTINGS = [
  { moduleResolution: 'node16', module: 'node16', lib: ['es2022'], types: 20 },
  { moduleResolution: 'nodenext', module: 'nodenext', lib: ['es2023', 'esnext.disposable'], types: 26 },
  { moduleResolution: 'bundler', module: 'esnext', lib: ['esnext'], types: 26 },
  { moduleResolution: 'bundler', module: 'esnext', lib: ['es2022', 'dom', 'dom.asynciterable'], types: 20 },
]

const compilers = readdirSync(tools).filter((name) => /^typescript(?:-|$)/.test(name))

rmSync(folder, { recursive: true, force: true })
for (const types of [20, 26]) {
  mkdirSync(join(folder, `${types}`), { recursive: true })
  symlinkSync(join(tools, `types-node-${types}`), join(folder, `${types}`, 'node'))
}

for (const compiler of compilers) {
  /** @type {string} */
  const version = JSON.parse(readFileSync(join(tools, compiler, 'package.json'), 'utf8')).version
  let failed = 0
  for (const { types, ...setting } of SETTINGS) {
    const fitting = /^5\.[45]\./.test(version) ? 20 : types
    const compilerOptions = {
      ...setting,
      target: 'es2022',
      types: ['node'],
      typeRoots: [join(folder, `${fitting}`)],
      noEmit: true,
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      isolatedModules: true,
      verbatimModuleSyntax: true,
      skipLibCheck: false,
      rootDir: root,
    }
    const files = ['index.d.ts', 'streams.d.ts'].map((name) => join(root, name))
    const config = join(folder, 'tsconfig.json')
    writeFileSync(config, JSON.stringify({ compilerOptions, files, include: [join(root, '__test__/types')] }))
    const tsc = join(tools, compiler, 'bin/tsc')
    const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', config], { encoding: 'utf8' })
    if (status === 0) continue
    failed++
    const { moduleResolution, lib } = setting
    console.error(
      `✘ TypeScript ${version}, ${moduleResolution}, lib ${lib.join(' ')}, @types/node ${fitting}\n${stdout}`,
    )
  }
  console.log(`TypeScript ${version}: ${SETTINGS.length - failed} of ${SETTINGS.length} settings compile`)
  if (failed > 0) process.exitCode = 1
}
