// Node's options that workers inherit: relative paths count from the directory in which the program was started.

import { realpathSync } from 'node:fs'
import { tmpdir } from 'node:os'
import test from 'ava'
import { makeFolder, run } from './helpers/programs.js'

const elsewhere = realpathSync(tmpdir())

const FILES = {
  'hook.mjs': 'globalThis.HOOKS = [...(globalThis.HOOKS ?? []), "import"]',
  'hook.cjs': 'globalThis.HOOKS = [...(globalThis.HOOKS ?? []), "require"]',
  'plain.js': 'globalThis.HOOKS = [...(globalThis.HOOKS ?? []), "require"]',
  'with blank.mjs': 'globalThis.HOOKS = [...(globalThis.HOOKS ?? []), "blank"]',
  'settings.env': 'FROM_FILE=yes',
  'node_modules/hooks/package.json':
    '{ "exports": { ".": { "import": "./import.mjs", "require": "./require.cjs" }, "./only": { "import": "./import.mjs" } } }',
  'node_modules/hooks/import.mjs': 'globalThis.HOOKS = [...(globalThis.HOOKS ?? []), "package, imported"]',
  'node_modules/hooks/require.cjs': 'globalThis.HOOKS = [...(globalThis.HOOKS ?? []), "package, required"]',
}

const PROGRAM = (options: string, before = '') => `
import { ProcessPoolExecutor } from 'millrace'
${before}
const pool = new ProcessPoolExecutor({ maxWorkers: 1, ${options} })
console.log(JSON.stringify(await pool.submit(() => [globalThis.HOOKS, process.cwd(), process.env.FROM_FILE])))
await pool.shutdown()`

const cases: [flags: string[], hooks: string[] | null, variable?: string][] = [
  [['--import', './hook.mjs'], ['import']],
  [['--import=./hook.mjs'], ['import']],
  [['--import', './with%20blank.mjs'], ['blank']],
  [['-r', './plain'], ['require']],
  [['--require=./hook.cjs'], ['require']],
  [['--import', 'hooks'], ['package, imported']],
  [
    ['--import=hooks/only', '-r', 'hooks'],
    ['package, required', 'package, imported'],
  ],
  [['--import', 'node:path'], null],
  [['--env-file=settings.env'], null, 'yes'],
  [['--env-file', './settings.env', '-r', './hook.cjs'], ['require'], 'yes'],
]

for (const [flags, hooks, variable = null] of cases) {
  test(`workers in another directory have the options ${flags.join(' ')} of their program`, async (t) => {
    // With the option env, variables come from the file only.
    const options = `cwd: ${JSON.stringify(elsewhere)}, env: { PATH: process.env.PATH }`
    const cwd = makeFolder(t, { ...FILES, 'main.mjs': PROGRAM(options) })
    const { out, errors } = await run(process.execPath, [...flags, 'main.mjs'], { cwd })
    t.deepEqual(JSON.parse(out || 'null'), [hooks, elsewhere, variable], errors)
  })
}

test('workers in another directory have the options that NODE_OPTIONS has', async (t) => {
  for (const env of ['', ', env: { ...process.env }']) {
    const cwd = makeFolder(t, { ...FILES, 'main.mjs': PROGRAM(`cwd: ${JSON.stringify(elsewhere)}${env}`) })
    const NODE_OPTIONS = '--no-warnings "--import=./with%20blank.mjs" -r ./hook.cjs --import hooks'
    const { out, errors } = await run(process.execPath, ['main.mjs'], { cwd, env: { NODE_OPTIONS } })
    t.deepEqual(JSON.parse(out || 'null'), [['require', 'blank', 'package, imported'], elsewhere, null], errors)
  }
})

test('a program that has changed its directory has workers all the same', async (t) => {
  const change = `process.chdir(${JSON.stringify(elsewhere)})`
  const cwd = makeFolder(t, { ...FILES, 'main.mjs': PROGRAM('', change) })
  const { out, errors } = await run(process.execPath, ['-r', './plain', '--import', 'hooks', 'main.mjs'], { cwd })
  t.deepEqual(JSON.parse(out || 'null'), [['require', 'package, imported'], elsewhere, null], errors)
})
