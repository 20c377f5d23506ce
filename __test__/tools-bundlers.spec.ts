// The bundlers, as docs/bundlers.md says: their real programs, with the very commands and settings of that page. The
// bundle runs without the sources, as on another machine.

import { mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { blockOf, makeProject, shell, TARBALLS, testTool } from './helpers/tools.js'

const PAGE = 'docs/bundlers.md'

const JOBS = `
import { defineTasks } from 'millrace'
export const { double } = defineTasks(import.meta.url, { double: (n) => n * 2 })
`

const UNGUARDED = `
import { ProcessPoolExecutor } from 'millrace'
import { double } from './jobs.js'
const pool = new ProcessPoolExecutor({ maxWorkers: 1 })
console.log(await pool.submit(double, 21))
await pool.shutdown()
`

/** For CommonJS as well, which has no \`await\` at its top. */
const GUARDED = `
import { isWorker, ProcessPoolExecutor } from 'millrace'
import { double } from './jobs.js'
async function main() {
  const pool = new ProcessPoolExecutor({ maxWorkers: 1 })
  console.log(await pool.submit(double, 21))
  await pool.shutdown()
}
if (!isWorker) void main()
`

const IMPORTED = `
import { importTasks, ProcessPoolExecutor } from 'millrace'
const jobs = importTasks(new URL('./jobs.js', import.meta.url))
const pool = new ProcessPoolExecutor({ maxWorkers: 1 })
console.log(await pool.submit(jobs.double, 21))
await pool.shutdown()
`

interface Case {
  title: string
  /** The program, and files of settings. */
  files: Record<string, string>
  tools?: readonly string[]
  command: string
  /** The bundle of the program. Default: `out/main.js`. */
  main?: string
  /** What a bundle that does not work says. */
  refusal?: RegExp
}

const twoEntries = { 'src/main.js': UNGUARDED, 'src/jobs.js': JOBS }
const oneBundle = { 'src/main.js': GUARDED, 'src/jobs.js': JOBS }

const rollup = blockOf(PAGE, 'Rollup and Rolldown', '// rollup.config.js')
const vite = blockOf(PAGE, 'Vite', '// vite.config.js')
const webpack = blockOf(PAGE, 'webpack and Rspack', '// webpack.config.js')

/** Runs webpack or Rspack by the settings in a file: their command lines are packages of their own. */
const build = (tool: string): Record<string, string> => ({
  'build.js': `
import * as tool from '${tool}'
const { default: settings } = await import('./webpack.config.js')
const pack = tool.rspack ?? tool.default
pack({ ...settings(tool.DefinePlugin ?? pack.DefinePlugin) }, (error, stats) => {
  if (error !== null || stats.hasErrors()) throw error ?? new Error(stats.toString())
})`,
})

const settings = (text: string): string =>
  text.replace('export default {', 'export default () => ({').replace(/\}\n$/, '})\n')

const COMMONJS = `
export default (DefinePlugin) => ({
  mode: 'production', target: 'node20', entry: './src/main.js', externals: { millrace: 'commonjs millrace' },
  plugins: [new DefinePlugin({ 'import.meta.url': '__filename' })], node: { __filename: false },
  output: { path: process.cwd() + '/out', filename: 'main.cjs' },
})`

const CASES: Case[] = [
  { title: 'esbuild', files: twoEntries, command: blockOf(PAGE, 'esbuild', 'esbuild ') },
  {
    title: 'esbuild, CommonJS',
    files: oneBundle,
    command:
      'esbuild src/main.js --bundle --platform=node --external:millrace --outfile=out/main.cjs ' +
      '--format=cjs --define:import.meta.url=__filename',
    main: 'out/main.cjs',
  },
  {
    title: 'Rollup',
    files: { ...twoEntries, 'rollup.config.js': rollup },
    command: blockOf(PAGE, 'Rollup and Rolldown', 'rollup '),
  },
  {
    title: 'Rollup, one bundle',
    files: { ...oneBundle, 'rollup.config.js': rollup.replace("['src/main.js', 'src/jobs.js']", "'src/main.js'") },
    command: 'rollup --config rollup.config.js',
  },
  {
    title: 'Rollup, CommonJS',
    files: {
      ...oneBundle,
      'rollup.config.js': rollup.replace("format: 'es'", "format: 'cjs', entryFileNames: '[name].cjs'"),
    },
    command: 'rollup --config rollup.config.js',
    main: 'out/main.cjs',
  },
  {
    title: 'Rolldown',
    files: { ...twoEntries, 'rollup.config.js': rollup },
    command: 'rolldown --config rollup.config.js',
  },
  {
    title: 'Vite',
    files: { ...twoEntries, 'vite.config.js': vite },
    command: blockOf(PAGE, 'Vite', 'vite '),
  },
  {
    title: 'Vite, with Millrace in the bundle,',
    files: { ...twoEntries, 'vite.config.js': vite.replace(", external: ['millrace']", '') },
    command: 'vite build --config vite.config.js',
    refusal: /bundle.*external/,
  },
  ...['webpack', '@rspack/core'].flatMap((tool): Case[] => [
    {
      title: `${tool}, with importTasks,`,
      files: { ...twoEntries, 'src/main.js': IMPORTED, ...build(tool), 'webpack.config.js': settings(webpack) },
      tools: [tool],
      command: 'node build.js',
    },
    {
      title: `${tool}, with a guard,`,
      files: { ...oneBundle, ...build(tool), 'webpack.config.js': settings(webpack) },
      tools: [tool],
      command: 'node build.js',
    },
    {
      title: `${tool}, CommonJS`,
      files: { ...oneBundle, ...build(tool), 'webpack.config.js': COMMONJS },
      tools: [tool],
      command: 'node build.js',
      main: 'out/main.cjs',
    },
    {
      title: `${tool}, with the address of the source file,`,
      files: {
        ...twoEntries,
        ...build(tool),
        'webpack.config.js': settings(
          webpack.replace('module: { parser: { javascript: { importMeta: false } } },', ''),
        ),
      },
      tools: [tool],
      command: 'node build.js',
      refusal: /There is no such file\..*importMeta: false/,
    },
  ]),
  {
    title: 'ncc',
    files: oneBundle,
    command: blockOf(PAGE, 'ncc', 'ncc '),
    main: 'out/index.js',
  },
  {
    title: 'ncc, with Millrace in the bundle,',
    files: oneBundle,
    command: 'ncc build src/main.js --out out',
    main: 'out/index.js',
    refusal: /bundle.*external/,
  },
]

for (const { title, files, tools = [], command, main = 'out/main.js', refusal } of CASES) {
  testTool(`${title} ${refusal === undefined ? 'makes a program that works' : 'is told what to do'}`, async (t) => {
    const cwd = makeProject(t, files, tools)
    const built = await shell(cwd, command)
    t.is(built.code, 0, `${built.out}\n${built.errors}`)
    // Another machine has no sources.
    rmSync(join(cwd, 'src'), { recursive: true })
    const { out, errors } = await shell(cwd, `node ${main}`)
    if (refusal === undefined) t.is(out, '42', errors)
    else t.regex(errors, refusal)
  })
}

testTool('@vercel/nft finds all files that a program needs', async (t) => {
  const cwd = makeProject(t, twoEntries, ['@vercel/nft'])
  await trace(t, cwd)
  const { out, errors } = await shell(join(cwd, 'traced'), 'node src/main.js')
  t.is(out, '42', errors)
})

testTool('@vercel/nft finds what a fork server needs', async (t) => {
  const main = UNGUARDED.replace('maxWorkers: 1', "maxWorkers: 1, startMethod: 'forkserver'")
  const cwd = makeProject(t, { ...twoEntries, 'src/main.js': main }, ['@vercel/nft'])
  await trace(t, cwd)
  const { out, errors } = await shell(join(cwd, 'traced'), 'node src/main.js')
  t.is(out, '42', errors)
})

async function trace(t: ExecutionContext, cwd: string): Promise<void> {
  const program = `
import { nodeFileTrace } from '@vercel/nft'
import { cpSync } from 'node:fs'
const { fileList } = await nodeFileTrace(['src/main.js'])
for (const file of fileList) cpSync(file, 'traced/' + file)`
  const { code, errors } = await shell(cwd, `cat > trace.mjs <<'END'\n${program}\nEND\nnode trace.mjs`)
  t.is(code, 0, errors)
}

const ROUTE = `
import path from 'node:path'
import { importTasks, ProcessPoolExecutor } from 'millrace'
export const dynamic = 'force-dynamic'
const jobs = importTasks(path.join(process.cwd(), 'jobs/jobs.mjs'))
const pool = new ProcessPoolExecutor({ maxWorkers: 1 })
export async function GET() {
  const sum = pool.submit((a, b) => a + b, 20, 1)
  return Response.json(await pool.submit(jobs.double, await sum))
}`

const ASK = `
import { spawn } from 'node:child_process'
import { setTimeout } from 'node:timers/promises'
const server = spawn(process.execPath, ['server.js'], { env: { ...process.env, PORT: '0' }, stdio: ['ignore', 'pipe', 'inherit'] })
let text = ''
server.stdout.on('data', (data) => (text += data))
while (!/localhost:\\d+/.test(text)) await setTimeout(50)
const [, port] = /localhost:(\\d+)/.exec(text)
console.log(await (await fetch('http://localhost:' + port + '/api/double')).text())
server.kill()`

const NEXT = ['next@16.4.6', 'react@19.2.8', 'react-dom@19.2.8']

testTool('Next.js makes a standalone server that works', async (t) => {
  const config = blockOf(PAGE, 'Next.js and file tracing', '// next.config.js')
  const files = {
    'next.config.js': config.replace(' }\n', ", outputFileTracingIncludes: { '/api/*': ['./jobs/**'] } }\n"),
    'jobs/jobs.mjs': 'export const double = (n) => n * 2',
    'app/layout.js': 'export default ({ children }) => <html><body>{children}</body></html>',
    'app/api/double/route.js': ROUTE,
  }
  // Turbopack refuses packages that are links.
  const cwd = makeProject(t, { ...files, 'package.json': '{ "type": "module", "private": true }' })
  const installed = await shell(cwd, `npm install --no-audit --no-fund ${[...NEXT, ...TARBALLS].join(' ')}`)
  t.is(installed.code, 0, installed.errors)
  const built = await shell(cwd, 'npx next build', { NEXT_TELEMETRY_DISABLED: '1' })
  t.is(built.code, 0, `${built.out}\n${built.errors}`)
  mkdirSync(join(cwd, 'elsewhere'))
  renameSync(join(cwd, '.next/standalone'), join(cwd, 'elsewhere/server'))
  rmSync(join(cwd, 'node_modules'), { recursive: true })
  const { out, errors } = await shell(join(cwd, 'elsewhere/server'), `cat > ask.mjs <<'END'\n${ASK}\nEND\nnode ask.mjs`)
  t.is(out, '42', errors)
})
