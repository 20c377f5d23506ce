// What runs programs and tests in TypeScript, as docs/typescript.md and docs/tools.md say; and yarn's Plug'n'Play.

import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { blockOf, makeProject, shell, STRIPS_TYPES, TARBALLS, testTool, TOOLS } from './helpers/tools.js'

const jobs = (url = 'import.meta.url') => `
import { defineTasks } from 'millrace'
interface Pair { left: number; right: number }
export const { sum } = defineTasks(${url}, { sum: ({ left, right }: Pair): number => left + right })
`

const main = (specifier: string, options = '') => `
import { ProcessPoolExecutor } from 'millrace'
import { sum } from '${specifier}'
async function main(): Promise<void> {
  const pool = new ProcessPoolExecutor({ maxWorkers: 1, ${options} })
  const total: number = await pool.submit(sum, { left: 20, right: 1 })
  console.log(await pool.submit((n: number) => n * 2, total))
  await pool.shutdown()
}
void main()
`

const TSCONFIG = JSON.stringify({
  compilerOptions: { module: 'nodenext', target: 'es2022', strict: true, skipLibCheck: true, types: [] },
})
const FILES = { 'tsconfig.json': TSCONFIG, 'jobs.ts': jobs(), 'main.ts': main('./jobs.js') }
const FORKSERVER = "startMethod: 'forkserver', preload: [new URL('./jobs.ts', import.meta.url)]"
const ALL = ['tsx', 'typescript', 'ts-node', '@swc-node/register', '@swc/core']
/** The platform of the binary that this clone has built. */
const PLATFORM = readdirSync('native')
  .find((file) => file.endsWith('.node'))
  ?.split('.')
  .at(-2)
const [major = 0] = process.versions.node.split('.').map(Number)

const RUNNERS: Record<string, { command: string; files?: Record<string, string>; without?: boolean; fails?: RegExp }> =
  {
    tsx: { command: 'tsx main.ts' },
    'tsx as an option of Node': { command: 'node --import tsx main.ts' },
    'tsx in CommonJS': {
      command: 'tsx main.ts',
      files: { 'package.json': '{}', 'jobs.ts': jobs('__filename') },
    },
    '@swc-node/register': { command: 'node --import @swc-node/register/esm-register main.ts' },
    'ts-node': { command: 'node --loader ts-node/esm main.ts' },
    'type stripping': { command: 'node main.ts', files: { 'main.ts': main('./jobs.ts') }, without: !STRIPS_TYPES },
    'type stripping and a fork server': {
      command: 'node main.ts',
      files: { 'main.ts': main('./jobs.ts', FORKSERVER) },
      without: !STRIPS_TYPES,
    },
    'tsx and a fork server': {
      command: 'tsx main.ts',
      files: { 'main.ts': main('./jobs.js', FORKSERVER) },
      ...(major < 22 ? { fails: /module loader in a thread.*tsx/ } : {}),
    },
    '@swc-node/register and a fork server': {
      command: 'node --import @swc-node/register/esm-register main.ts',
      files: { 'main.ts': main('./jobs.js', FORKSERVER) },
      fails: /module loader in a thread, here probably those of --import @swc-node/,
    },
  }

for (const [title, { command, files = {}, without = false, fails }] of Object.entries(RUNNERS)) {
  testTool(`${title} ${fails === undefined ? 'runs a program and its workers' : 'is told what to do'}`, async (t) => {
    if (without) {
      t.pass('this Node does not strip types')
      return
    }
    const cwd = makeProject(t, { ...FILES, ...files }, ALL)
    const { out, errors } = await shell(cwd, command, { NODE_NO_WARNINGS: '1' })
    if (fails === undefined) t.is(out, '42', errors)
    else t.regex(errors, fails)
  })
}

/** A test of Vitest or Jest. */
const spec = (options: string) => `
import { ProcessPoolExecutor } from 'millrace'
import { sum } from './jobs'
test('computes in a worker', async () => {
  const pool = new ProcessPoolExecutor({ maxWorkers: 1, ${options} })
  expect(await pool.submit(sum, { left: 40, right: 2 })).toBe(42)
  expect(await pool.submit((n) => n * 2, 21)).toBe(42)
  await pool.shutdown()
})
`

testTool('Vitest tests tasks in TypeScript, with a loader for the workers where Node has none', async (t) => {
  const options = STRIPS_TYPES
    ? ''
    : blockOf('docs/typescript.md', 'Vitest on Node 20', 'const pool').replace(/^.*\{ (.*) \}.*\n$/, '$1')
  const files = { ...FILES, 'jobs.test.ts': `import { expect, test } from 'vitest'\n${spec(options)}` }
  const cwd = makeProject(t, files, [...ALL, 'vitest'])
  const { code, out, errors } = await shell(cwd, 'vitest run')
  t.is(code, 0, `${out}\n${errors}`)
})

testTool('Jest tests tasks in ES modules', async (t) => {
  const plain = jobs()
    .replace(/interface.*\n/, '')
    .replaceAll(/: (?:Pair|number)/g, '')
  const files = {
    'package.json': '{ "type": "module", "jest": { "transform": {} } }',
    'jobs.js': plain,
    'jobs.test.js': spec('').replace("'./jobs'", "'./jobs.js'"),
  }
  const cwd = makeProject(t, files)
  const { code, errors } = await shell(cwd, `node ${join(TOOLS, 'jest/bin/jest.js')}`, {
    NODE_OPTIONS: '--experimental-vm-modules',
  })
  t.is(code, 0, errors)
})

for (const [title, options, says] of [
  ['runs a program and its workers', '', /^42$/],
  ['a fork server is told of its loader', "startMethod: 'forkserver'", /Plug'n'Play.*nodeLinker: node-modules/],
] as const) {
  testTool(`yarn's Plug'n'Play: ${title}`, async (t) => {
    const [millrace, binding] = TARBALLS.map((path) => `file:${path}`)
    const name = `@millrace/binding-${PLATFORM}`
    const files = {
      'package.json': JSON.stringify({ type: 'module', dependencies: { millrace, [name]: binding } }),
      // A package that is published says itself that it depends on its binary.
      '.yarnrc.yml': `nodeLinker: pnp
enableTelemetry: false
enableGlobalCache: false
packageExtensions:
  'millrace@*':
    dependencies:
      '${name}': 'file:${TARBALLS[1]}'
`,
      'yarn.lock': '',
      'jobs.js': jobs()
        .replace(/interface.*\n/, '')
        .replaceAll(/: (?:Pair|number)/g, ''),
      'main.js': main('./jobs.js', options).replaceAll(/: (?:number|Promise<void>)/g, ''),
    }
    const cwd = makeProject(t, files)
    rmSync(join(cwd, 'node_modules'), { recursive: true })
    const installed = await shell(cwd, 'yarn install --mode=skip-build', { YARN_ENABLE_IMMUTABLE_INSTALLS: 'false' })
    t.is(installed.code, 0, installed.out)
    const { out, errors } = await shell(cwd, 'yarn node main.js')
    t.regex(out === '' ? errors : out, says, errors)
  })
}
