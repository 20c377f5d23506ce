// Programs that esbuild has bundled: tasks inside of the bundle, in a bundle of their own, and in CommonJS; and
// Millrace itself in the bundle, which is refused. The other bundlers: `tools.spec.ts`.

import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { build, type BuildOptions } from 'esbuild'
import { makeFolder, run } from './helpers/programs.js'

const JOBS = `
import { defineTasks } from 'millrace'
export const { double } = defineTasks(import.meta.url, { double: (n) => n * 2 })
`

const PROGRAM = `
import { isWorker, ProcessPoolExecutor } from 'millrace'
import { double } from './jobs.js'
async function main() {
  const pool = new ProcessPoolExecutor({ maxWorkers: 1, execArgv: [] })
  console.log(await pool.submit(double, 21))
  await pool.shutdown()
}
`

const GUARDED = `${PROGRAM}
if (!isWorker) void main()
`

const UNGUARDED = `${PROGRAM}
await main()
`

const FOLDER = { 'package.json': '{ "type": "module" }', 'src/jobs.js': JOBS, 'src/main.js': GUARDED }

interface Given {
  files?: Record<string, string>
  env?: NodeJS.ProcessEnv
}

async function bundled(t: ExecutionContext, options: BuildOptions, main: string, { files, env = {} }: Given = {}) {
  const cwd = makeFolder(t, { ...FOLDER, ...files })
  const common = { bundle: true, platform: 'node', target: 'node20', logLevel: 'silent', absWorkingDir: cwd } as const
  await build({ ...common, entryPoints: ['src/main.js'], outdir: 'out', ...options })
  return run(process.execPath, [main], { cwd: join(cwd, 'out'), env })
}

const external = ['millrace']

test('one bundle of program and tasks works, with a guard for the program', async (t) => {
  const { out, errors } = await bundled(t, { external, format: 'esm' }, 'main.js')
  t.is(out, '42', errors)
})

test('without the guard the error names isWorker', async (t) => {
  const files = { 'src/main.js': UNGUARDED }
  const { code, errors } = await bundled(t, { external, format: 'esm' }, 'main.js', { files })
  t.not(code, 0)
  t.regex(errors, /if \(!isWorker\)/)
})

test('tasks that are an entry of their own need no guard, with splitting', async (t) => {
  const files = { 'src/main.js': UNGUARDED }
  const options: BuildOptions = {
    external,
    format: 'esm',
    splitting: true,
    entryPoints: ['src/main.js', 'src/jobs.js'],
  }
  const { out, errors } = await bundled(t, options, 'main.js', { files })
  t.is(out, '42', errors)
})

test('CommonJS works with __filename for import.meta.url, and says so without', async (t) => {
  const options: BuildOptions = { external, format: 'cjs', outExtension: { '.js': '.cjs' } }
  const { out, errors } = await bundled(t, { ...options, define: { 'import.meta.url': '__filename' } }, 'main.cjs')
  t.is(out, '42', errors)
  const { code, errors: refusal } = await bundled(t, options, 'main.cjs')
  t.not(code, 0)
  t.regex(refusal, /--define:import\.meta\.url=__filename/)
})

test('Millrace inside of a bundle is refused, with the option of each bundler', async (t) => {
  // The addon is found, as where the package is installed beside the bundle.
  const addon = resolve(
    'native',
    readdirSync('native').find((name) => name.endsWith('.node'))!,
  )
  const env = { NAPI_RS_NATIVE_LIBRARY_PATH: addon }
  const { code, errors } = await bundled(t, { format: 'esm' }, 'main.js', { env })
  t.not(code, 0)
  for (const tool of ['esbuild', 'Rollup', 'Vite', 'webpack', 'Next.js']) t.true(errors.includes(tool), errors)
  t.regex(errors, /Declare millrace as external.*--external:millrace/)
})
