// Fork servers under options of Node that start threads or freeze what a fork has to change: each works, or the reason
// names the option. Options go by way of the program's command line, of NODE_OPTIONS, and of `execArgv`.

import module from 'node:module'
import test from 'ava'
import { makeFolder, run } from './helpers/programs.js'

const FILES = {
  'register.mjs': "import { register } from 'node:module'\nregister('./hooks.mjs', import.meta.url)",
  'hooks.mjs': 'export const load = (url, context, next) => next(url, context)',
  'sync.mjs':
    "import { registerHooks } from 'node:module'\nregisterHooks({ load: (url, context, next) => next(url, context) })",
}

const PROGRAM = (options: string) => `
import { ProcessPoolExecutor } from 'millrace'
const pool = new ProcessPoolExecutor({ maxWorkers: 1, startMethod: 'forkserver', ${options} })
const error = await pool.submit(() => Math.random()).exception()
console.log(error === undefined ? 'works' : String(error.cause?.reasons ?? error))
await pool.shutdown()`

interface Case {
  title: string
  flags?: string[]
  variable?: string
  options?: string
  says: RegExp
}

const [major = 0] = process.versions.node.split('.').map(Number)
const PERMISSION = major >= 24 ? '--permission' : '--experimental-permission'
const hooks = (given: string) =>
  new RegExp(`^there is 1 thread here beyond Node's own: .*module loader in a thread.*${given}\\. Compile.*execArgv`)

const CASES: Case[] = [
  { title: 'a loader that --import registers', flags: ['--import', './register.mjs'], says: hooks('register\\.mjs') },
  { title: 'a loader of --loader', flags: ['--loader=./hooks.mjs'], says: hooks('hooks\\.mjs') },
  { title: 'a loader in NODE_OPTIONS', variable: '--import ./register.mjs', says: hooks('--import .*register\\.mjs') },
  { title: 'no loader, by execArgv', flags: ['--import', './register.mjs'], options: 'execArgv: []', says: /^works$/ },
  { title: '--cpu-prof', flags: ['--cpu-prof', '--cpu-prof-dir=prof'], says: /^works$/ },
  { title: '--cpu-prof in execArgv', options: "execArgv: ['--cpu-prof', '--cpu-prof-dir', 'prof']", says: /^works$/ },
  { title: '--heap-prof in execArgv', options: "execArgv: ['--heap-prof', '--heap-prof-dir=prof']", says: /^works$/ },
  { title: '--inspect', flags: ['--inspect=0'], says: /^works$/ },
  { title: '--inspect in execArgv', options: "execArgv: ['--inspect=0']", says: /--inspect 0 has one.*a debugger/ },
  { title: '--frozen-intrinsics', flags: ['--frozen-intrinsics'], says: /^Math is frozen \(--frozen-intrinsics\)/ },
  {
    title: 'the permission model',
    flags: [PERMISSION, '--allow-fs-read=*', '--allow-fs-write=*', '--allow-addons', '--allow-child-process'],
    says: /^works$/,
  },
  {
    title: 'trace events',
    flags: ['--trace-event-categories=node', '--trace-event-file-pattern=trace.log'],
    says: /Node's own: --trace-event-categories node has one/,
  },
]
if (major >= 22) CASES.push({ title: '--cpu-prof in NODE_OPTIONS', variable: '--cpu-prof', says: /^works$/ })
if ('registerHooks' in module) {
  CASES.push({ title: 'a loader in the main thread', flags: ['--import', './sync.mjs'], says: /^works$/ })
}

const onLinux = process.platform === 'linux' ? test : test.skip

for (const { title, flags = [], variable = '', options = '', says } of CASES) {
  onLinux(`a fork server with ${title}`, async (t) => {
    const cwd = makeFolder(t, { ...FILES, 'main.mjs': PROGRAM(options) })
    const { out, errors } = await run(process.execPath, [...flags, 'main.mjs'], {
      cwd,
      env: { NODE_OPTIONS: variable },
    })
    t.regex(out, says, errors)
  })
}

test('spawned workers work with --frozen-intrinsics', async (t) => {
  const program = PROGRAM('').replace("startMethod: 'forkserver', ", '')
  const cwd = makeFolder(t, { 'main.mjs': program })
  const { out, errors } = await run(process.execPath, ['--frozen-intrinsics', 'main.mjs'], { cwd })
  t.is(out, 'works', errors)
})
